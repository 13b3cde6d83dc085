"""Which contracts an underlying's newest snapshot had, as sorted numbers: thousands compared at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skewline.servers.runtime.instruments import mills_of, osi_stem
from skewline.v1 import chain_pb2

Keys = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

_STEM_LENGTH, _OSI_LENGTH = 12, 21
_RIGHT_BITS, _MILL_BITS = 1, 27


@dataclass(frozen=True, slots=True)
class Present:
    """Contracts of a snapshot: listed ones by key, ascending, and the ids of those that have none.

    `places` and the values of `others` say where in the chain each stands.
    """

    keys: Keys
    places: Places
    others: Mapping[str, int]


class ContractKeys:
    """Numbers the OSI stems (root and expiry) it meets, and with them every listed contract, both ways.

    A key is the stem's number, the strike in thousandths and the right, in that order of bits.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._stems: list[str] = []

    def of_chain(self, chain: chain_pb2.OptionChain) -> Present:
        """The contracts of `chain`. Raises ValueError for one that has neither symbol nor OSI symbol."""
        if chain.symbol:
            return self.of_ids(chain.symbol)
        stems = [self._number(osi_stem(expiry.root, expiry.expiry_date)) for expiry in chain.expiries]
        index = np.asarray(chain.expiry_index, dtype=np.int64)
        number = np.array(stems, dtype=np.int64)[index] if stems else index
        is_call = np.asarray(chain.is_call, dtype=np.int64)
        keys = number << (_MILL_BITS + _RIGHT_BITS) | mills_of(chain) << _RIGHT_BITS | is_call
        unique, places = np.unique(keys, return_index=True)
        return Present(unique, places, {})

    def of_ids(self, instrument_ids: Iterable[str]) -> Present:
        """Those ids as they would be present, each at its place in the order given."""
        places: dict[int, int] = {}
        others: dict[str, int] = {}
        for place, instrument_id in enumerate(instrument_ids):
            key = self._of_id(instrument_id)
            if key is None:
                others.setdefault(instrument_id, place)
            else:
                places.setdefault(key, place)
        keys = sorted(places)
        return Present(
            np.array(keys, dtype=np.int64), np.array([places[key] for key in keys], dtype=np.intp), others
        )

    def beyond(self, one: Present, other: Present) -> dict[str, int]:
        """Those of `one` that `other` has not: the place of each id."""
        # Most snapshots have the contracts of the one before.
        if one.keys.size == other.keys.size and (one.keys == other.keys).all():
            found: dict[str, int] = {}
        else:
            new = ~np.isin(one.keys, other.keys, assume_unique=True)
            found = dict(zip(self._ids(one.keys[new]), one.places[new].tolist(), strict=True))
        return found | {name: place for name, place in one.others.items() if name not in other.others}

    def _ids(self, keys: Keys) -> list[str]:
        stems = (keys >> (_MILL_BITS + _RIGHT_BITS)).tolist()
        mills = (keys >> _RIGHT_BITS & (1 << _MILL_BITS) - 1).tolist()
        rights = (keys & 1).tolist()
        return [
            f"{self._stems[stem]}{'PC'[right]}{mill:08d}"
            for stem, right, mill in zip(stems, rights, mills, strict=True)
        ]

    def _number(self, stem: str) -> int:
        known = self._numbers.setdefault(stem, len(self._stems))
        if known == len(self._stems):
            self._stems.append(stem)
        return known

    def _of_id(self, instrument_id: str) -> int | None:
        stem, right, mills = instrument_id[:_STEM_LENGTH], instrument_id[12:13], instrument_id[13:]
        listed = len(instrument_id) == _OSI_LENGTH and right in "CP" and mills.isascii() and mills.isdecimal()
        if not listed:
            return None
        return self._number(stem) << (_MILL_BITS + _RIGHT_BITS) | int(mills) << _RIGHT_BITS | (right == "C")
