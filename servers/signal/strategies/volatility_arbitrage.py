"""A quote beyond its fair vol, against its neighbours of the same expiry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.servers.runtime.day_count import DAY_NS, DAYS_A_YEAR
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.idea import Idea, Seen
from skewline.servers.signal.neighbours import Doubles
from skewline.servers.signal.realised import SpotHistory
from skewline.servers.signal.structure import Leg, outcome_stdev, value
from skewline.servers.signal.view import SliceView, SurfaceView
from skewline.v1 import signal_pb2

_REACH: Final = 5


@dataclass(frozen=True, slots=True)
class _Prices:
    """Of one slice: what buying and selling each quote costs against its fair price, and what may go wrong.

    `drift` is what one standard deviation of the forward over the horizon does to each option.
    """

    buying: Doubles
    selling: Doubles
    error: Doubles
    drift: Doubles


class VolatilityArbitrage:
    """Sells a bid whose vol is clearly above the fair vol, buys an ask whose vol is clearly below it.

    The fair vol is the fitted one corrected by the neighbours (see `neighbours`), so that what the model
    cannot follow is not taken for a mispricing. The other side is a neighbour of the same right (a
    vertical), or one on each side (a butterfly): the risk is limited, most of delta and vega is gone. Of all
    such structures around a quote the one with the most edge per risk (error of the fair price and drift with
    the forward) is the idea, if its edge is positive after crossing the spread of every leg.
    """

    def __init__(self, settings: SignalSettings) -> None:
        self._settings = settings

    def ideas(self, surface: SurfaceView, spots: SpotHistory) -> Iterator[Idea]:
        """At most one a quote."""
        for each in surface.slices:
            yield from self._of_slice(surface, each)

    def _of_slice(self, surface: SurfaceView, quotes: SliceView) -> Iterator[Idea]:
        fair = quotes.fair
        usable = fair.known & quotes.tradable
        if np.count_nonzero(usable) < 2:
            return
        with np.errstate(invalid="ignore"):
            margin = self._settings.min_quote_deviations * fair.error
            rich = usable & (quotes.bid_iv - fair.vol > margin)
            cheap = usable & (fair.vol - quotes.ask_iv > margin)
        if not (rich.any() or cheap.any()):
            return
        greeks = quotes.greeks(fair.vol)
        price = greeks.price + quotes.early_exercise
        held = min(self._settings.horizon_days / DAYS_A_YEAR, quotes.years)
        prices = _Prices(
            buying=quotes.ask - price,
            selling=price - quotes.bid,
            error=greeks.vega * fair.error,
            drift=greeks.delta * (quotes.forward * quotes.message.atm_vol * held**0.5),
        )
        for side, flags in ((-1, rich), (1, cheap)):
            for index in np.flatnonzero(flags).tolist():
                best = _best_structure(quotes, prices, usable, index, side)
                if best:
                    yield self._idea(surface, quotes, index, side, best)

    def _idea(
        self,
        surface: SurfaceView,
        quotes: SliceView,
        index: int,
        side: int,
        structure: tuple[tuple[int, int, int], ...],
    ) -> Idea:
        fair = quotes.fair
        legs = tuple(
            Leg(quotes, at, towards, ratio, float(fair.vol[at]), float(fair.error[at]))
            for at, towards, ratio in structure
        )
        valuation = value(legs)
        market = float((quotes.bid_iv if side < 0 else quotes.ask_iv)[index])
        held = min(self._settings.horizon_days / DAYS_A_YEAR, quotes.years)
        word, quote = ("sells", "bid") if side < 0 else ("buys", "ask")
        return Idea(
            strategy=signal_pb2.STRATEGY_VOLATILITY_ARBITRAGE,
            theme=f"quote:{quotes.instrument_id(index)}:{side}",
            legs=legs,
            valuation=valuation,
            stdev=outcome_stdev(
                valuation,
                forward=quotes.forward,
                vol=quotes.message.atm_vol,
                years=held,
                vol_of_vol=surface.vol_of_vol(self._settings.vol_of_vol),
            ),
            fit_error=quotes.message.sabr.rmse,
            horizon_ns=round(held * DAYS_A_YEAR * DAY_NS),
            evidence=(
                Seen(f"{quote}_iv", market, "vol"),
                Seen("model_iv", float(quotes.model_iv[index]), "vol"),
                Seen("fair_iv", float(fair.vol[index]), "vol"),
                Seen("fair_iv_error", float(fair.error[index]), "vol"),
                Seen("fit_rmse", quotes.message.sabr.rmse, "vol"),
            ),
            explanation=(
                f"{word} {quotes.instrument_id(index)}: its {quote} vol {market:.2%} is "
                f"{abs(market - fair.vol[index]):.2%} {'above' if side < 0 else 'below'} the fair vol "
                f"{fair.vol[index]:.2%} (±{fair.error[index]:.2%}) that the fit and its neighbours say; "
                f"the other leg{'s are neighbours' if len(legs) > 2 else ' is a neighbour'} in that expiry"
            ),
        )


def _best_structure(
    quotes: SliceView, prices: _Prices, usable: np.ndarray, index: int, side: int
) -> tuple[tuple[int, int, int], ...]:
    """(quote, side, ratio) of each leg by strike; empty where no structure has an edge."""
    own, other = (prices.selling, prices.buying) if side < 0 else (prices.buying, prices.selling)
    right = quotes.is_call[index]
    below, above = (
        [at for at in span if 0 <= at < usable.size and usable[at] and quotes.is_call[at] == right]
        for span in (range(index - _REACH, index), range(index + 1, index + 1 + _REACH))
    )
    best: tuple[tuple[int, int, int], ...] = ()
    most = 0.0
    for wings, ratio in _wings(below, above):
        edge = -ratio * own[index] - sum(other[at] for at in wings)
        if edge <= 0.0:
            continue
        drift = ratio * prices.drift[index] - sum(prices.drift[at] for at in wings)
        error = (ratio * prices.error[index]) ** 2 + sum(prices.error[at] ** 2 for at in wings)
        score = edge / (error + drift * drift) ** 0.5
        if score > most:
            most = score
            best = tuple(sorted([(index, side, ratio), *((at, -side, 1) for at in wings)]))
    return best


def _wings(below: list[int], above: list[int]) -> Iterable[tuple[tuple[int, ...], int]]:
    """Verticals (one wing, ratio 1) and butterflies (a wing on each side, ratio 2)."""
    yield from (((at,), 1) for at in (*below, *above))
    yield from (((low, high), 2) for low in below for high in above)
