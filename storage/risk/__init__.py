"""What the risk service keeps: surfaces, positions, reservations, decisions, portfolios, limits, states."""
