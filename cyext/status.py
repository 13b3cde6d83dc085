"""Why an element of a batch has no value."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Outcome of one element of a batch; everything but OK goes with NaN."""

    OK = 0
    #: The price is at or below its lower bound (intrinsic value): no positive volatility gives it.
    BELOW_INTRINSIC = 1
    #: The price is at or above its upper bound: no finite volatility gives it.
    ABOVE_BOUND = 2
    #: An input is NaN or infinite.
    NON_FINITE = 3
    #: Expiry is not in the future.
    EXPIRED = 4
    #: The iteration did not reach its tolerance.
    NOT_CONVERGED = 5
    #: A forward, spot, strike or discount is not positive, or a volatility is negative.
    OUT_OF_DOMAIN = 6
    #: Fewer observations than the model has parameters to find.
    TOO_FEW = 7
    #: What was found could be arbitraged: a butterfly, or against an earlier expiry.
    ARBITRAGE = 8
