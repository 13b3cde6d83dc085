"""Small chains, made up in the open: two expiries of a listed underlying, calls and puts."""

from __future__ import annotations

import math

from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

# Friday 2019-05-24, 15:00 in New York.
FRIDAY_NS = 1_558_724_400_000_000_000
MINUTE_NS = 60_000_000_000
DAY_NS = 1_440 * MINUTE_NS
STRIKES = (95.0, 100.0, 105.0)
EXPIRIES = (("2019-06-21", 1_561_147_200_000_000_000), ("2019-07-19", 1_563_566_400_000_000_000))
LADDER = tuple(range(80, 121, 2))
_YEAR_NS = 365.25 * DAY_NS


def small_chain(
    *, underlying: str = "XYZ", time_ns: int = FRIDAY_NS, spot: float = 100.0, shift: float = 0.0
) -> chain_pb2.OptionChain:
    """A sound chain of twelve contracts; `shift` moves every bid and ask."""
    chain = chain_pb2.OptionChain(
        underlying=underlying,
        time_ns=time_ns,
        source="test",
        provenance=common_pb2.PROVENANCE_RECORDED,
        spot=spot,
        exercise=instrument_pb2.EXERCISE_STYLE_AMERICAN,
        multiplier=common_pb2.Decimal(units=100),
        currency="USD",
        expiries=[
            chain_pb2.ChainExpiry(
                root=underlying,
                expiry_date=date,
                expiry_ns=expiry_ns,
                settlement=instrument_pb2.SETTLEMENT_STYLE_PM,
            )
            for date, expiry_ns in EXPIRIES
        ],
    )
    for index in range(len(chain.expiries)):
        for strike in STRIKES:
            for is_call in (True, False):
                worth = max(0.0, spot - strike if is_call else strike - spot) + 2.0 + index + shift
                chain.expiry_index.append(index)
                chain.strike.append(strike)
                chain.is_call.append(is_call)
                chain.bid.append(round(worth - 0.1, 2))
                chain.ask.append(round(worth + 0.1, 2))
    return chain


def ladder_chain(
    *, time_ns: int = FRIDAY_NS, spot: float = 100.0, vol: float = 0.2, width: float = 0.1
) -> chain_pb2.OptionChain:
    """A sound European chain: 21 strikes, calls and puts of two expiries, by Bachelier without rates."""
    chain = small_chain(time_ns=time_ns, spot=spot)
    chain.exercise = instrument_pb2.EXERCISE_STYLE_EUROPEAN
    for column in ("expiry_index", "strike", "is_call", "bid", "ask"):
        chain.ClearField(column)
    for index, (_, expiry_ns) in enumerate(EXPIRIES):
        deviation = vol * 100.0 * math.sqrt((expiry_ns - time_ns) / _YEAR_NS)
        for strike in LADDER:
            for is_call in (True, False):
                gain = spot - strike if is_call else strike - spot
                d = gain / deviation
                share = math.erfc(-d / math.sqrt(2.0)) / 2.0
                density = math.exp(-d * d / 2.0) / math.sqrt(2.0 * math.pi)
                worth = max(gain * share + deviation * density, width)
                chain.expiry_index.append(index)
                chain.strike.append(strike)
                chain.is_call.append(is_call)
                chain.bid.append(round(worth - width / 2.0, 2))
                chain.ask.append(round(worth + width / 2.0, 2))
    return chain


def place_of(chain: chain_pb2.OptionChain, index: int, strike: float, is_call: bool) -> int:
    """Where a contract stands in the columns."""
    contracts = zip(chain.expiry_index, chain.strike, chain.is_call, strict=True)
    return list(contracts).index((index, strike, is_call))
