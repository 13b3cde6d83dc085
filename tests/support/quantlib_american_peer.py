"""QuantLib's QdFp engine (Andersen, Lake & Offengenden) in its schemes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import QuantLib as ql  # noqa: N813

#: Finer than its own high-precision scheme: what true errors are measured from.
FINEST = partial(ql.QdFpTanhSinhIterationScheme, 40, 40, 1e-13)
SCHEMES = {
    "fast": ql.QdFpAmericanEngine.fastScheme,
    "accurate": ql.QdFpAmericanEngine.accurateScheme,
    "high precision": ql.QdFpAmericanEngine.highPrecisionScheme,
}

#: is_call, spot, strike, days, rate, carry_yield, vol
Contract = tuple[bool, float, float, int, float, float, float]


def pricer(contract: Contract, scheme: object) -> Callable[[], float]:
    """Prices the contract anew at each call."""
    is_call, spot, strike, days, rate, carry_yield, vol = contract
    today = ql.Date(2, 1, 2023)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, carry_yield, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, count)),
    )
    option = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, strike),
        ql.AmericanExercise(today, today + days),
    )
    option.setPricingEngine(ql.QdFpAmericanEngine(process, scheme))

    def run() -> float:
        option.recalculate()
        return float(option.NPV())

    return run
