"""QuantLib doing the same work, where the `bench` extra brings it."""

from __future__ import annotations

import importlib.util

import numpy as np
from published_surfaces import dax_2002
from stopwatch import best_of

INSTALLED = importlib.util.find_spec("QuantLib") is not None


def quantlib_heston() -> tuple[str, float | None]:
    """QuantLib's calibration of the same 104 options, as in its own test."""
    if not INSTALLED:
        return "–", None
    import QuantLib as ql  # noqa: N813

    d = dax_2002()
    today = ql.Date(5, 7, 2002)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    days = np.array([13, 41, 75, 165, 256, 345, 524, 703])
    rates = [0.0357, 0.0357, 0.0349, 0.0341, 0.0355, 0.0359, 0.0368, 0.0386, 0.0401]
    curve = ql.YieldTermStructureHandle(ql.ZeroCurve([today, *(today + int(n) for n in days)], rates, count))
    none = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, count))
    spot = ql.QuoteHandle(ql.SimpleQuote(4468.17))

    def fit() -> None:
        process = ql.HestonProcess(curve, none, spot, 0.1, 1.0, 0.1, 0.5, -0.5)
        model = ql.HestonModel(process)
        engine = ql.AnalyticHestonEngine(model, 64)
        helpers = []
        for strike, expiry, vol in zip(d.strike, d.expiry, d.vols, strict=True):
            one = ql.HestonModelHelper(
                *(ql.Period(round(expiry * 365 / 7), ql.Weeks), ql.NullCalendar(), 4468.17, float(strike)),
                *(ql.QuoteHandle(ql.SimpleQuote(float(vol))), curve, none),
                ql.BlackCalibrationHelper.ImpliedVolError,
            )
            one.setPricingEngine(engine)
            helpers.append(one)
        model.calibrate(
            helpers, ql.LevenbergMarquardt(1e-8, 1e-8, 1e-8), ql.EndCriteria(400, 40, 1e-8, 1e-8, 1e-8)
        )

    return "QuantLib LM, GL-64", best_of(fit, 2)


def quantlib_american() -> list[tuple[str, float | None]]:
    """QuantLib's fast and high-precision schemes on the one-year put at the money."""
    if not INSTALLED:
        return [("–", None)] * 2
    import QuantLib as ql  # noqa: N813

    today = ql.Date(1, 1, 2023)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(100.0)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, 0.03, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, 0.05, count)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.25, count)),
    )
    option = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Put, 100.0), ql.AmericanExercise(today, today + 365)
    )
    schemes = (ql.QdFpAmericanEngine.fastScheme(), ql.QdFpAmericanEngine.highPrecisionScheme())

    def timed(scheme: object) -> float:
        option.setPricingEngine(ql.QdFpAmericanEngine(process, scheme))

        def run() -> None:
            for _ in range(20):
                option.recalculate()

        return best_of(run, 3) / 20

    names = ("QuantLib QdFp fast", "QuantLib QdFp high")
    return [(name, timed(scheme)) for name, scheme in zip(names, schemes, strict=True)]
