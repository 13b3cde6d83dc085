"""Calibration: chains in, fitted volatility surfaces out."""
