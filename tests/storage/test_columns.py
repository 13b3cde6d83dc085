import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.struct_pb2 import ListValue, Value
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, func, select
from sqlalchemy.exc import StatementError

from skewline.storage.columns import Blob, CompressedProto, ExactDecimal, NanoTime, canonical_decimal
from skewline.storage.database import Database

VALUES = Table(
    "column_values",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("amount", ExactDecimal),
    Column("time_ns", NanoTime),
    Column("raw", Blob),
    Column("deflated", Blob(compressed=True)),
    Column("message", CompressedProto(ListValue)),
)
LARGEST = Decimal("99999999999999999999999999999.999999999")


@pytest.fixture
def kept(database: Database) -> Callable[[str, Any], Any]:
    """Writes a value to a column and reads it back."""
    with database.changing_schema() as connection:
        VALUES.create(connection)

    def keep(column: str, value: Any) -> Any:
        with database.begin() as connection:
            row = connection.execute(VALUES.insert().returning(VALUES.c.id), {column: value}).scalar_one()
        with database.read() as connection:
            return connection.execute(select(VALUES.c[column]).where(VALUES.c.id == row)).scalar_one()

    return keep


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-(10**38) + 1, 10**38 - 1).map(lambda billionths: Decimal(f"{billionths}E-9")))
def test_any_exact_decimal_comes_back_equal(kept: Callable[[str, Any], Any], value: Decimal) -> None:
    assert kept("amount", value) == value


@pytest.mark.parametrize(
    ("given_value", "stored"),
    [
        ("0.1", "0.1"),
        ("1E+3", "1000"),
        ("1.500", "1.5"),
        ("-0", "0"),
        ("-0.000000001", "-0.000000001"),
        (str(LARGEST), str(LARGEST)),
    ],
)
def test_decimals_come_back_in_one_form(
    kept: Callable[[str, Any], Any], given_value: str, stored: str
) -> None:
    assert f"{kept('amount', Decimal(given_value)):f}" == stored


def test_equal_decimals_are_found_however_they_were_written(
    database: Database, kept: Callable[[str, Any], Any]
) -> None:
    kept("amount", Decimal("2.50"))
    with database.read() as connection:
        found = select(func.count()).where(VALUES.c.amount == Decimal("2.5"))
        assert connection.execute(found).scalar_one() == 1


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN", "1E+29", "0.0000000001"])
def test_decimals_that_would_change_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"digits|decimals"):
        canonical_decimal(Decimal(value))


@pytest.mark.parametrize("value", [0.1, 1, "1"])
def test_only_a_decimal_is_exact(kept: Callable[[str, Any], Any], value: object) -> None:
    with pytest.raises((TypeError, StatementError), match=r"takes decimal\.Decimal"):
        kept("amount", value)


@pytest.mark.parametrize("value", [0, -1, 1_556_226_000_123_456_789, 2**63 - 1, -(2**63)])
def test_nanoseconds_come_back_to_the_last_one(kept: Callable[[str, Any], Any], value: int) -> None:
    assert kept("time_ns", value) == value


@pytest.mark.parametrize("value", [1.0, True, "1", 2**63, -(2**63) - 1])
def test_a_time_that_is_no_int64_is_refused(kept: Callable[[str, Any], Any], value: object) -> None:
    with pytest.raises((TypeError, ValueError, StatementError), match="nanoseconds"):
        kept("time_ns", value)


@pytest.mark.parametrize("column", ["raw", "deflated"])
@pytest.mark.parametrize("value", [b"", b"\x00", b"\x01x", b"a" * 100_000, bytes(range(256))])
def test_bytes_come_back_as_they_were(kept: Callable[[str, Any], Any], column: str, value: bytes) -> None:
    assert kept(column, value) == value


def test_messages_come_back_bit_for_bit(kept: Callable[[str, Any], Any]) -> None:
    odd = [
        0.1,
        -0.0,
        5e-324,
        math.inf,
        -math.inf,
        struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\x7f")[0],
    ]
    message = ListValue(values=[Value(number_value=number) for number in odd])
    assert kept("message", message).SerializeToString() == message.SerializeToString()


def test_repetitive_messages_take_less_room(database: Database, kept: Callable[[str, Any], Any]) -> None:
    message = ListValue(values=[Value(number_value=1.25)] * 1000)
    kept("message", message)
    with database.read() as connection:
        stored = connection.execute(select(func.length(VALUES.c.message))).scalar_one()
    assert stored < message.ByteSize() / 10


def test_a_message_of_another_type_is_refused(kept: Callable[[str, Any], Any]) -> None:
    with pytest.raises((TypeError, StatementError), match="takes ListValue, not Timestamp"):
        kept("message", Timestamp())


@pytest.mark.parametrize("column", ["amount", "time_ns", "raw", "deflated", "message"])
def test_nothing_stays_nothing(kept: Callable[[str, Any], Any], column: str) -> None:
    assert kept(column, None) is None
