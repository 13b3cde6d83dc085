"""Exact numbers and instants, in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewline.clients import SkewlineError, decimal_of
from skewline.clients.values import exact, ns_of


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=9))
def test_a_decimal_comes_back(value: Decimal) -> None:
    assert decimal_of(exact("price", value)) == value


@pytest.mark.parametrize(
    ("value", "units", "nanos"), [("-0.05", 0, -50_000_000), (7, 7, 0), (Decimal("1.000000001"), 1, 1)]
)
def test_units_and_nanos_share_their_sign(value: Decimal | int | str, units: int, nanos: int) -> None:
    message = exact("price", value)
    assert (message.units, message.nanos) == (units, nanos)


@pytest.mark.parametrize("value", ["", "abc", "NaN", "Infinity", "1e-10", "1e30", 1.5, True, None])
def test_what_is_not_exact_is_refused_by_name(value: object) -> None:
    with pytest.raises(SkewlineError, match="price: must"):
        exact("price", value)  # type: ignore[arg-type]


def test_instants_are_utc_nanoseconds() -> None:
    noon = datetime(2019, 4, 25, 12, tzinfo=UTC)
    assert ns_of("since", noon) == 1_556_193_600_000_000_000
    assert ns_of("since", noon.astimezone(timezone(timedelta(hours=-4)))) == 1_556_193_600_000_000_000
    assert ns_of("since", 5) == 5
