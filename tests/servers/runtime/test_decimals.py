"""Exact decimals in and out of the contract."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewline.servers.runtime.decimals import from_decimal, price_from_float, to_decimal
from skewline.v1 import common_pb2


@given(st.integers(-(2**63) * 10**9 + 1, (2**63 - 1) * 10**9))
def test_every_value_comes_back_exactly(billionths: int) -> None:
    value = Decimal(f"{billionths}e-9")
    message = from_decimal(value)
    assert message.units * 10**9 + message.nanos == billionths
    assert to_decimal(message) == value


def test_signs_of_units_and_nanos_agree() -> None:
    assert from_decimal(Decimal("-1.5")) == common_pb2.Decimal(units=-1, nanos=-500_000_000)
    assert from_decimal(Decimal("-0.25")) == common_pb2.Decimal(nanos=-250_000_000)
    with pytest.raises(ValueError, match="same sign"):
        to_decimal(common_pb2.Decimal(units=1, nanos=-1))
    with pytest.raises(ValueError, match="nanos"):
        to_decimal(common_pb2.Decimal(nanos=1_000_000_000))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "0.0000000001", "9223372036854775808"])
def test_refuses_what_does_not_fit(value: str) -> None:
    with pytest.raises(ValueError, match=r"finite|decimals|large"):
        from_decimal(Decimal(value))


def test_refuses_floats() -> None:
    with pytest.raises(TypeError, match="Decimal"):
        from_decimal(1.5)  # type: ignore[arg-type]


def test_market_prices_read_as_they_are_written() -> None:
    assert price_from_float(0.1) == Decimal("0.1")
    assert price_from_float(2109.9) == Decimal("2109.9")
    assert price_from_float(1 / 3) == Decimal("0.333333333")
    with pytest.raises(ValueError, match="finite"):
        price_from_float(float("nan"))
