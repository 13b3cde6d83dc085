"""Small chains, made up in the open: two expiries of a listed underlying, calls and puts."""

from __future__ import annotations

from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

# Friday 2019-05-24, 15:00 in New York.
FRIDAY_NS = 1_558_724_400_000_000_000
MINUTE_NS = 60_000_000_000
DAY_NS = 1_440 * MINUTE_NS
STRIKES = (95.0, 100.0, 105.0)


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
            for date, expiry_ns in (
                ("2019-06-21", 1_561_147_200_000_000_000),
                ("2019-07-19", 1_563_566_400_000_000_000),
            )
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
