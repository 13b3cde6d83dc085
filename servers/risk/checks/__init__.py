"""Pre-trade checks: small objects with one interface. Every one is made on every intent, and reported."""
