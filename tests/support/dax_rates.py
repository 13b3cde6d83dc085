"""Zero rates of the published DAX surface of 2002-07-05 (QuantLib's test suite, after A. Sepp)."""

from __future__ import annotations

DAX_DAYS = (13, 41, 75, 165, 256, 345, 524, 703)
DAX_RATES = (0.0357, 0.0349, 0.0341, 0.0355, 0.0359, 0.0368, 0.0386, 0.0401)
"""Continuous, ACT/365, by day."""
