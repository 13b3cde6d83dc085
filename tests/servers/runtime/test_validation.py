"""Validation: what is refused, under which field name, with which fix."""

import math
from collections.abc import Callable

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from skewline.servers.runtime.errors import InvalidArgument
from skewline.servers.runtime.validation import Validation
from skewline.v1 import common_pb2

_NAN, _INF = math.nan, math.inf
_2019_NS = 1_558_915_200_000_000_000

Check = Callable[[Validation], bool]


@pytest.mark.parametrize(
    "check",
    [
        lambda v: v.required("f", "SPX"),
        lambda v: v.required("f", [0]),
        lambda v: v.present("f", True),
        lambda v: v.finite("f", -1.0),
        lambda v: v.positive("f", 1e-300),
        lambda v: v.non_negative("f", 0.0),
        lambda v: v.between("f", 1, 0, 1),
        lambda v: v.enum("f", common_pb2.SIDE_SELL, common_pb2.Side),
        lambda v: v.max_length("f", "abc", 3),
        lambda v: v.equal_length({"bid": [1.0], "ask": [2.0]}),
        lambda v: v.equal_length({}),
        lambda v: v.time_ns("f", _2019_NS),
        lambda v: v.timestamp("f", Timestamp(seconds=1, nanos=999_999_999)),
        lambda v: v.decimal("f", common_pb2.Decimal(units=-1, nanos=-1)),
        lambda v: v.decimal("f", common_pb2.Decimal(units=0, nanos=-1)),
        lambda v: v.positive_decimal("f", common_pb2.Decimal(nanos=1)),
        lambda v: v.non_negative_decimal("f", common_pb2.Decimal()),
    ],
)
def test_good_values_pass(check: Check) -> None:
    validation = Validation()
    assert check(validation)
    validation.raise_if_any()


@pytest.mark.parametrize(
    ("check", "field", "fix"),
    [
        (lambda v: v.required("f", "  "), "f", "required"),
        (lambda v: v.required("f", []), "f", "required"),
        (lambda v: v.required("f", None), "f", "required"),
        (lambda v: v.present("f", False), "f", "required"),
        (lambda v: v.finite("f", _NAN), "f", "not nan"),
        (lambda v: v.positive("f", 0.0), "f", "above zero"),
        (lambda v: v.positive("f", _INF), "f", "not inf"),
        (lambda v: v.non_negative("f", -0.1), "f", "not -0.1"),
        (lambda v: v.between("f", _NAN, 0, 1), "f", "from 0 to 1"),
        (lambda v: v.enum("f", 0, common_pb2.Side), "f", "SIDE_BUY, SIDE_SELL"),
        (lambda v: v.enum("f", 99, common_pb2.Side), "f", "not 99"),
        (lambda v: v.max_length("f", "abcd", 3), "f", "4 of at most 3"),
        (lambda v: v.equal_length({"bid": [1.0], "ask": []}), "ask", "bid has 1"),
        (lambda v: v.time_ns("f", 0), "f", "nanoseconds"),
        (lambda v: v.time_ns("f", -1), "f", "nanoseconds"),
        (lambda v: v.time_ns("f", 1_558_915_200), "f", "another unit"),
        (lambda v: v.time_ns("f", 1_558_915_200_000), "f", "another unit"),
        (lambda v: v.time_ns("f", 1_558_915_200_000_000), "f", "another unit"),
        (lambda v: v.time_ns("f", 2**63 - 1), "f", "2200"),
        (lambda v: v.timestamp("f", Timestamp()), "f", "1970"),
        (lambda v: v.timestamp("f", Timestamp(seconds=1, nanos=10**9)), "f", "nanos"),
        (lambda v: v.decimal("f", common_pb2.Decimal(units=1, nanos=-1)), "f.nanos", "same sign"),
        (lambda v: v.decimal("f", common_pb2.Decimal(nanos=10**9)), "f.nanos", "999999999"),
        (lambda v: v.positive_decimal("f", common_pb2.Decimal()), "f", "above zero"),
        (lambda v: v.non_negative_decimal("f", common_pb2.Decimal(nanos=-1)), "f", "zero or above"),
    ],
)
def test_bad_values_are_named_with_the_fix(check: Check, field: str, fix: str) -> None:
    validation = Validation()
    assert not check(validation)
    (violation,) = validation.violations
    assert violation.field == field
    assert fix in violation.description


def test_all_violations_are_collected_under_their_paths() -> None:
    validation = Validation()
    validation.required("underlying", "")
    leg = validation.within("order").within("legs", 2)
    leg.positive("ratio", 0)
    with pytest.raises(InvalidArgument) as caught:
        validation.raise_if_any()
    assert [v.field for v in caught.value.violations] == ["underlying", "order.legs[2].ratio"]
