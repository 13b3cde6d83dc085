"""Pre-trade checks: small objects with one interface. Each is made on every intent that it can judge."""
