"""In which order contracts are of interest: nearest the money and nearest expiries first."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from skewline.servers.marketdata.live.ibkr.listing import Listed


def by_interest(options: Iterable[Listed], spot: float, strikes: int) -> list[Listed]:
    """The `strikes` strikes nearest `spot` of each expiry (0: all), the most interesting first.

    The n-th strike from the money of the m-th expiry comes at n + m; its call and put stand together. Without
    a spot (NaN) the middle of each expiry's strikes stands in for it.
    """
    expiries: dict[tuple[date, str], list[Listed]] = defaultdict(list)
    for option in options:
        expiries[option.expiry_date, option.root].append(option)
    ranked: list[tuple[int, int, bool, Listed]] = []
    for place, key in enumerate(sorted(expiries)):
        at = sorted({float(option.strike) for option in expiries[key]})
        money = spot if math.isfinite(spot) else at[len(at) // 2]
        nearest = [strike for _, strike in sorted((abs(strike - money), strike) for strike in at)]
        rank = {strike: n for n, strike in enumerate(nearest[:strikes] if strikes else nearest)}
        ranked += [
            (rank[strike] + place, place, not option.is_call, option)
            for option in expiries[key]
            if (strike := float(option.strike)) in rank
        ]
    ranked.sort(key=lambda each: (*each[:3], each[3].con_id))
    return [option for _, _, _, option in ranked]
