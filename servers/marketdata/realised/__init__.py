"""Realised volatility: estimators from bars, forecasts from models, and the answer to a client."""
