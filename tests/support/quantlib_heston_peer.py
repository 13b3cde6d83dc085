"""QuantLib's calibration of Heston's model, as its own test of the DAX surface does it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import QuantLib as ql  # noqa: N813
from published_surfaces import Surface

from skewline.cyext.arguments import Doubles

_START = (0.1, 1.0, 0.1, 0.5, -0.5)
#: What a start ends with when QuantLib itself says that something is wrong.
_UNFINISHED = (ql.EndCriteria.MaxIterations, ql.EndCriteria.Unknown, ql.EndCriteria.NoCriteria)


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a calibration ended: the sum of squared vol differences, and whether QuantLib calls it done."""

    sse: float
    finished: bool


class DaxSurface:
    """The surface with its curve; the spot and the curve give back the surface's own forwards."""

    def __init__(self, surface: Surface, spot: float, exponential: bool = False) -> None:
        self._exponential = exponential
        self._spot_level = spot
        today = ql.Date(5, 7, 2002)
        ql.Settings.instance().evaluationDate = today
        count = ql.Actual365Fixed()
        days = np.rint(surface.expiry * 365).astype(int)
        last: dict[int, float] = {}
        for day, forward, expiry in zip(days.tolist(), surface.forward, surface.expiry, strict=True):
            last[day] = float(np.log(forward / spot) / expiry)
        dates = [today, *(today + day for day in sorted(last))]
        rates = [last[min(last)], *(last[day] for day in sorted(last))]
        self._curve = ql.YieldTermStructureHandle(ql.ZeroCurve(dates, rates, count))
        self._none = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, count))
        self._spot = ql.QuoteHandle(ql.SimpleQuote(spot))
        self._options = list(zip(days.tolist(), surface.strike, surface.vols, strict=True))

    def fit(self, start: Doubles | tuple[float, ...] = _START) -> Ending:
        """Levenberg–Marquardt from `start` (v0, κ, θ, σ, ρ)."""
        v0, kappa, theta, sigma, rho = (float(x) for x in start)
        process = ql.HestonProcess(self._curve, self._none, self._spot, v0, kappa, theta, sigma, rho)
        model = ql.HestonModel(process)
        if self._exponential:
            engine = ql.ExponentialFittingHestonEngine(model)
        else:
            engine = ql.AnalyticHestonEngine(model, 64)
        helpers = []
        for days, strike, vol in self._options:
            helper = ql.HestonModelHelper(
                *(ql.Period(days, ql.Days), ql.NullCalendar(), self._spot_level, float(strike)),
                *(ql.QuoteHandle(ql.SimpleQuote(float(vol))), self._curve, self._none),
                ql.BlackCalibrationHelper.ImpliedVolError,
            )
            helper.setPricingEngine(engine)
            helpers.append(helper)
        model.calibrate(
            helpers, ql.LevenbergMarquardt(1e-8, 1e-8, 1e-8), ql.EndCriteria(400, 40, 1e-8, 1e-8, 1e-8)
        )
        sse = sum(helper.calibrationError() ** 2 for helper in helpers)
        return Ending(sse, model.endCriteria() not in _UNFINISHED)


class Chain:
    """Options on forward 1 priced one at a time, the way a Python user of QuantLib prices a chain."""

    def __init__(
        self,
        is_call: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
        strike: Doubles,
        days: Doubles,
        model: tuple[float, ...],
    ) -> None:
        today = ql.Date(2, 1, 2023)
        ql.Settings.instance().evaluationDate = today
        flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
        process = ql.HestonProcess(flat, flat, ql.QuoteHandle(ql.SimpleQuote(1.0)), *model)
        engine = ql.AnalyticHestonEngine(ql.HestonModel(process))
        self._options = []
        for call, k, n in zip(is_call.tolist(), strike.tolist(), days.tolist(), strict=True):
            payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, k)
            option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + int(n)))
            option.setPricingEngine(engine)
            self._options.append(option)

    def prices(self) -> Doubles:
        """All of them again."""
        found = []
        for option in self._options:
            option.recalculate()
            found.append(option.NPV())
        return np.array(found)
