"""What is delivered when the options of a chain are exercised early."""

from __future__ import annotations

import numpy as np

from skewline.servers.calibration.cash_dividends import NO_DIVIDENDS, CashDividends
from skewline.servers.calibration.contracts import Doubles
from skewline.servers.calibration.forwards import spot_known
from skewline.v1 import chain_pb2, instrument_pb2


def exercise_of(chain: chain_pb2.OptionChain) -> tuple[Doubles | None, CashDividends]:
    """The price of what is delivered, one an expiry, and the dividends that it pays in cash.

    None of European options, and of American ones where that price is unknown. A future, at the price that
    its expiry states, costs nothing to carry and pays nothing.
    """
    if chain.exercise != instrument_pb2.EXERCISE_STYLE_AMERICAN:
        return None, NO_DIVIDENDS
    spots = [each.forward if each.on_future else chain.spot for each in chain.expiries]
    if not all(spot_known(spot) for spot in spots):
        return None, NO_DIVIDENDS
    on_future = any(each.on_future for each in chain.expiries)
    last_ns = max((each.expiry_ns for each in chain.expiries), default=0)
    return np.array(spots), NO_DIVIDENDS if on_future else CashDividends.of(chain, last_ns)
