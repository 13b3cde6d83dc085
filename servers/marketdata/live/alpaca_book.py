"""A chain put together from snapshots of all options and quotes between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from skewline.servers.marketdata.chain_columns import Columns, Doubles, Heading, build_chain, listed_expiry
from skewline.servers.marketdata.contract_terms import exercise_of
from skewline.servers.marketdata.live.alpaca_payload import Quote, Snapshot
from skewline.servers.runtime import new_york
from skewline.v1 import chain_pb2, common_pb2

_NANOS_A_YEAR: Final = 365 * 86_400 * 10**9
_WEEK: Final = 7 / 365


class AlpacaBook:
    """The newest quote of each option of `underlying`.

    Each quote is the whole state of its option: a lost or repeated one leaves nothing wrong behind, and one
    that comes after a newer is passed over. Of two of one instant the last to come stands.
    """

    def __init__(self, underlying: str) -> None:
        self._underlying = underlying
        self._options: dict[str, Snapshot] = {}
        self._changed = False

    @property
    def changed(self) -> bool:
        """Whether there is anything that the last chain did not have."""
        return self._changed

    def relist(self, snapshots: Mapping[str, Snapshot]) -> None:
        """Take all options as they are now: those no longer among them go, quotes stay if they are newer."""
        known = self._options
        self._options = {
            name: replace(each, quote=known[name].quote)
            if name in known and known[name].quote.time_ns > each.quote.time_ns
            else each
            for name, each in snapshots.items()
        }
        self._changed |= self._options != known

    def take(self, quotes: Mapping[str, Quote]) -> None:
        """Take quotes, but those that are older than what there is, or of no option listed."""
        for name, quote in quotes.items():
            known = self._options.get(name)
            if known is not None and quote.time_ns >= known.quote.time_ns and quote != known.quote:
                self._options[name] = replace(known, quote=quote)
                self._changed = True

    def nearest(self, count: int, spot: float, now_ns: int) -> list[str]:
        """The options nearest the money, in deviations of the price until they expire: the most liquid."""

        def distance(name: str) -> tuple[float, str]:
            contract = self._options[name].contract
            expiry_ns = new_york.instant_ns(date.fromisoformat(contract.expiry_date), new_york.CLOSE)
            years = max((expiry_ns - now_ns) / _NANOS_A_YEAR, 0.0) + _WEEK
            away = abs(math.log(float(contract.strike) / spot)) if spot > 0 and contract.strike else 0.0
            return away / math.sqrt(years), name

        return sorted(self._options, key=distance)[:count]

    def chain(
        self,
        source: str,
        provenance: common_pb2.Provenance.ValueType,
        spot: float,
        open_interest: Mapping[str, float],
        after_ns: int,
    ) -> chain_pb2.OptionChain | None:
        """The chain as it is now; None if nothing changed, or no quote is past `after_ns`."""
        time_ns = max((each.quote.time_ns for each in self._options.values()), default=0)
        if not self._changed or time_ns <= after_ns:
            return None
        self._changed = False
        rows = list(self._options.items())
        contracts = [each.contract for _, each in rows]
        listed = list(dict.fromkeys((each.root, each.expiry_date) for each in contracts))
        place = {each: index for index, each in enumerate(listed)}
        today = new_york.date_of(time_ns)
        return build_chain(
            Heading(
                underlying=self._underlying,
                time_ns=time_ns,
                source=source,
                provenance=provenance,
                spot=spot,
                exercise=exercise_of(self._underlying),
            ),
            [listed_expiry(root, date.fromisoformat(day)) for root, day in listed],
            Columns(
                expiry_index=np.array([place[each.root, each.expiry_date] for each in contracts], np.int64),
                strike=_doubles(float(each.strike) for each in contracts),
                is_call=np.array([each.is_call for each in contracts], dtype=np.bool_),
                bid=_doubles(each.quote.bid for _, each in rows),
                ask=_doubles(each.quote.ask for _, each in rows),
                more={
                    "bid_size": _doubles(each.quote.bid_size for _, each in rows),
                    "ask_size": _doubles(each.quote.ask_size for _, each in rows),
                    # The bar of an earlier day stands until there is a trade.
                    "volume": _doubles(
                        each.volume if each.day_ns and new_york.date_of(each.day_ns) == today else 0.0
                        for _, each in rows
                    ),
                    "open_interest": _doubles(open_interest.get(name, math.nan) for name, _ in rows),
                    "vendor_iv": _doubles(each.vendor_iv for _, each in rows),
                },
            ),
        )


def _doubles(values: Iterable[float]) -> Doubles:
    return np.fromiter(values, dtype=np.float64)
