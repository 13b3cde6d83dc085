"""Brokers: where approved orders go, and what comes back."""
