"""ACT/365F: how spans of time are counted in years, everywhere."""

from __future__ import annotations

from typing import Final

DAY_NS: Final = 86_400_000_000_000
"""Nanoseconds of a calendar day."""

DAYS_A_YEAR: Final = 365.0
"""Calendar days of a year, leap years too."""

YEAR_NS: Final = 365 * DAY_NS
"""Nanoseconds of a year."""
