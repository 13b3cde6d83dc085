"""A chain put together from Yahoo's answers, one an expiry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from skewline.servers.marketdata.chain_columns import Columns, Heading, build_chain, listed_expiry
from skewline.servers.marketdata.contract_terms import exercise_of
from skewline.servers.marketdata.live.hours import within_session_ns
from skewline.servers.marketdata.live.yahoo_payload import Answer
from skewline.v1 import chain_pb2, common_pb2

_NANOS_A_SECOND: Final = 1_000_000_000


def chain_of(
    answers: Sequence[Answer], underlying: str, source: str, delay_s: float
) -> chain_pb2.OptionChain:
    """The chain of all expiries, at the newest price of the underlying that an answer has."""
    newest = max((answer.spot for answer in answers), key=lambda spot: spot.time_s)
    quoted = [each for answer in answers for each in answer.quoted]
    listed = list(dict.fromkeys((each.contract.root, each.contract.expiry_date) for each in quoted))
    place = {each: index for index, each in enumerate(listed)}
    return build_chain(
        Heading(
            underlying=underlying,
            time_ns=_market_time_ns(answers, newest.time_s, delay_s),
            source=source,
            provenance=common_pb2.PROVENANCE_DELAYED,
            spot=newest.price,
            exercise=exercise_of(underlying),
            currency=newest.currency,
        ),
        [listed_expiry(root, date.fromisoformat(day)) for root, day in listed],
        Columns(
            expiry_index=np.array(
                [place[each.contract.root, each.contract.expiry_date] for each in quoted], dtype=np.int64
            ),
            strike=np.array([float(each.contract.strike) for each in quoted]),
            is_call=np.array([each.contract.is_call for each in quoted], dtype=np.bool_),
            bid=np.array([each.bid for each in quoted]),
            ask=np.array([each.ask for each in quoted]),
            more={
                "volume": np.array([each.volume for each in quoted]),
                "open_interest": np.array([each.open_interest for each in quoted]),
                "vendor_iv": np.array([each.vendor_iv for each in quoted]),
            },
        ),
    )


def _market_time_ns(answers: Sequence[Answer], spot_s: int, delay_s: float) -> int:
    """When the market was as the options show it: `delay_s` before the underlying's price.

    Or the newest trade in one of them, if that is later: so it is after the close, when the underlying's
    price stands still and the options' quotes have caught up.
    """
    traded_s = max(
        (each.traded_s for answer in answers for each in answer.quoted if each.traded_s <= spot_s), default=0
    )
    return within_session_ns(max(round((spot_s - delay_s) * _NANOS_A_SECOND), traded_s * _NANOS_A_SECOND))
