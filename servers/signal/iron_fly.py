"""The iron butterfly: at-the-money options against wings, the defined-risk bet on the level of vol."""

from __future__ import annotations

import math

import numpy as np

from skewline.servers.signal.structure import Leg
from skewline.servers.signal.view import SliceView


def iron_fly(
    quotes: SliceView, side: int, *, vol_shift: float, vol_error: float, wing_deviations: float
) -> tuple[Leg, ...]:
    """Buys (`side` 1) or sells (-1) put and call next to the forward, against wings further out.

    The right vol of every leg is its fitted one moved by `vol_shift`, as far as it stays positive. Empty
    where quotes fit to be traded do not reach out to the wings, or nothing lies near the money.
    """
    deviation = quotes.message.atm_vol * math.sqrt(quotes.years)
    distance = np.log(quotes.strike / quotes.forward) / deviation
    puts = np.flatnonzero(quotes.tradable & ~quotes.is_call)
    calls = np.flatnonzero(quotes.tradable & quotes.is_call)
    if puts.size < 2 or calls.size < 2:
        return ()
    body = (int(puts[-1]), int(calls[0]))
    wings = (
        int(puts[np.argmin(np.abs(distance[puts] + wing_deviations))]),
        int(calls[np.argmin(np.abs(distance[calls] - wing_deviations))]),
    )
    near = max(abs(distance[at]) for at in body) <= 0.5
    apart = min(abs(distance[at]) for at in wings) >= 0.5 * wing_deviations
    if not (near and apart) or set(body) & set(wings):
        return ()
    return tuple(
        Leg(quotes, at, towards, 1, max(float(quotes.model_iv[at]) + vol_shift, 0.01), vol_error)
        for at, towards in sorted([*((at, side) for at in body), *((at, -side) for at in wings)])
    )
