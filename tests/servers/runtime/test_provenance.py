"""What is made of several sources says the least real of them."""

from __future__ import annotations

import itertools

import pytest

from skewline.servers.runtime.provenance import least_real
from skewline.v1 import common_pb2

ALL = [common_pb2.Provenance.ValueType(number) for number in common_pb2.Provenance.values()]
SIMULATED, DELAYED = common_pb2.PROVENANCE_SIMULATED, common_pb2.PROVENANCE_DELAYED


def test_what_is_simulated_in_any_part_is_simulated() -> None:
    assert {least_real((each, SIMULATED)) for each in ALL} == {SIMULATED}


@pytest.mark.parametrize("other", [common_pb2.PROVENANCE_LIVE, common_pb2.PROVENANCE_UNSPECIFIED])
def test_live_quotes_beside_delayed_ones_are_delayed(other: common_pb2.Provenance.ValueType) -> None:
    assert least_real((other, DELAYED)) == least_real((DELAYED, other)) == DELAYED


def test_every_provenance_of_the_contract_has_its_place() -> None:
    for one, other in itertools.product(ALL, ALL):
        assert least_real((one, other)) in (one, other)
