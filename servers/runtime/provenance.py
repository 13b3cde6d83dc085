"""Where a number comes from that was made of several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from skewline.v1 import common_pb2

Provenance: TypeAlias = "common_pb2.Provenance.ValueType"

# Not by number: delayed quotes came into the contract after simulated ones, and are more real.
_LESS_AND_LESS_REAL: Final = (
    common_pb2.PROVENANCE_UNSPECIFIED,
    common_pb2.PROVENANCE_LIVE,
    common_pb2.PROVENANCE_DELAYED,
    common_pb2.PROVENANCE_RECORDED,
    common_pb2.PROVENANCE_SIMULATED,
)


def least_real(provenances: Iterable[Provenance]) -> Provenance:
    """Of what is made of all these, one at least: what is simulated in any part is simulated."""
    return max(provenances, key=_LESS_AND_LESS_REAL.index)
