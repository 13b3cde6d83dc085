"""Skewline turns option quotes into risk-checked trades."""
