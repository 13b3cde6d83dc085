"""Market data: takes chains in, validates, stores and distributes them, and replays recorded data."""
