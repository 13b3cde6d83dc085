"""Discount curves from outside, for expiries whose own quotes do not say their rate."""
