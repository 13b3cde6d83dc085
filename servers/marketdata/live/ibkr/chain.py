"""A chain put together from the quotes of a connection's lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.chain_columns import Columns, Heading, build_chain, listed_expiry
from skewline.servers.marketdata.live.hours import within_session_ns
from skewline.servers.marketdata.live.ibkr.listing import Listed
from skewline.servers.marketdata.live.ibkr.quote import DELAYED_FROZEN, FROZEN, Quote
from skewline.v1 import chain_pb2, common_pb2

_NANOS_A_SECOND: Final = 1_000_000_000


class ChangedChains:
    """The chains of one connection, each other than the one before."""

    def __init__(self, underlying: str, source: str, delay_s: float) -> None:
        self._underlying = underlying
        self._source = source
        self._delay_s = delay_s
        self._content = b""
        self.any = False
        """Whether there was one."""

    def forget(self) -> None:
        """The next chain is told, whatever is in it."""
        self._content = b""

    def changed(
        self, known: Sequence[tuple[Listed, Quote]], spot: Quote, ticked_ns: int
    ) -> chain_pb2.OptionChain | None:
        """The chain of `known`, unless there is nothing in it, or nothing new."""
        if not known:
            return None
        chain = chain_of(
            known, self._underlying, spot, source=self._source, ticked_ns=ticked_ns, delay_s=self._delay_s
        )
        time_ns, chain.time_ns = chain.time_ns, 0
        content = chain.SerializeToString(deterministic=True)
        if content == self._content:
            return None
        self._content = content
        self.any = True
        chain.time_ns = time_ns
        return chain


def chain_of(
    known: Sequence[tuple[Listed, Quote]],
    underlying: str,
    spot: Quote,
    *,
    source: str,
    ticked_ns: int,
    delay_s: float,
) -> chain_pb2.OptionChain:
    """The chain of `known`, of which there is at least one, as it stood at `ticked_ns`.

    It is delayed if any of its quotes is: by `delay_s` then. Frozen quotes are those of the last close.
    """
    quotes = [quote for _, quote in known]
    delayed = any(quote.delayed for quote in quotes)
    time_ns = ticked_ns - (round(delay_s * _NANOS_A_SECOND) if delayed else 0)
    if any(quote.kind in (FROZEN, DELAYED_FROZEN) for quote in quotes):
        time_ns = within_session_ns(time_ns)
    listed = list(dict.fromkeys((option.root, option.expiry_date) for option, _ in known))
    place = {each: index for index, each in enumerate(listed)}
    return build_chain(
        Heading(
            underlying=underlying,
            time_ns=time_ns,
            source=source,
            provenance=common_pb2.PROVENANCE_DELAYED if delayed else common_pb2.PROVENANCE_LIVE,
            spot=_spot(spot, quotes, delayed=delayed),
            exercise=contract_terms.exercise_of(underlying),
            multiplier=known[0][0].multiplier,
        ),
        [listed_expiry(root, day) for root, day in listed],
        Columns(
            expiry_index=np.array([place[o.root, o.expiry_date] for o, _ in known], dtype=np.int64),
            strike=np.array([float(option.strike) for option, _ in known]),
            is_call=np.array([option.is_call for option, _ in known], dtype=np.bool_),
            bid=np.array([quote.bid for _, quote in known]),
            ask=np.array([quote.ask for _, quote in known]),
            more={
                "bid_size": np.array([quote.bid_size for _, quote in known]),
                "ask_size": np.array([quote.ask_size for _, quote in known]),
                "volume": np.array([quote.volume for _, quote in known]),
                "open_interest": np.array([quote.open_interest for _, quote in known]),
                "vendor_iv": np.array([quote.vendor_iv for _, quote in known]),
            },
        ),
    )


def _spot(underlying: Quote, quotes: Sequence[Quote], *, delayed: bool) -> float:
    """The underlying's own price; what the venue's model took where that is missing or, alone, delayed."""
    own = underlying.spot
    if math.isfinite(own) and (delayed or not underlying.delayed):
        return own
    modelled = [quote.underlying for quote in quotes if quote.underlying > 0]
    return float(np.median(modelled)) if modelled else math.nan
