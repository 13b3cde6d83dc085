"""What a price may be without any model: the discounted bounds, for every plausible rate and dividend.

A call is worth at most the prepaid forward S·e^(-qT) and, European, at least S·e^(-qT) - K·e^(-rT); a put at
most K·e^(-rT) and at least the negative of that. An American one is worth at least what exercise pays now.
(Merton, Theory of Rational Option Pricing, 1973.)
"""

from __future__ import annotations

from typing import Final

import numpy as np

from skewline.servers.marketdata.validation.contracts import Contracts, Mask

# A year, continuously compounded. What carries an underlying is a dividend or a fee for lending it.
_RATES: Final = (-0.02, 0.10)
_YIELDS: Final = (-0.02, 0.15)
# Of the underlying's price: it is not always of the same moment as the quotes.
_TOLERANCE: Final = 0.005


def outside_arbitrage_bounds(c: Contracts) -> Mask:
    """Where a bid is above, or an ask below, what any rate and dividend in reach allow.

    The forward that an expiry states, with its discount factor, is taken at its word, and the spot otherwise;
    without either nothing is said.
    """
    index, call, strike = c.columns.expiry_index, c.columns.is_call, c.columns.strike
    stated = (c.forward > 0) & (c.discount > 0)
    spot = c.spot if c.spot_carried else np.nan
    prepaid = [np.where(stated, c.forward * c.discount, spot * np.exp(-q * c.years))[index] for q in _YIELDS]
    owed = [strike * np.where(stated, c.discount, np.exp(-r * c.years))[index] for r in _RATES]
    most = np.where(call, prepaid[0], owed[0])
    least = np.where(call, prepaid[1] - owed[0], owed[1] - prepaid[0])
    if c.american:
        least = np.maximum(least, np.where(call, c.spot - strike, strike - c.spot))
    room = _TOLERANCE * np.where(stated, c.forward, c.spot)[index]
    broken: Mask = (c.columns.bid > most + room) | ((c.columns.ask > 0) & (c.columns.ask < least - room))
    return broken
