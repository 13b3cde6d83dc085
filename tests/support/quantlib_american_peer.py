"""QuantLib's QdFp engine (Andersen, Lake & Offengenden) in its schemes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import QuantLib as ql  # noqa: N813

_TODAY = ql.Date(2, 1, 2023)

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
    process, option = _contract(contract)
    option.setPricingEngine(ql.QdFpAmericanEngine(process, scheme))
    return _anew(option)


def dividend_pricer(contract: Contract, times: Sequence[float], amount: float) -> Callable[[], float]:
    """The same with cash dividends, by finite differences on 400 × 400 nodes in the spot model."""
    process, option = _contract(contract)
    dates = [_TODAY + round(365 * time) for time in times]
    dividends = ql.DividendVector(dates, [amount] * len(dates))
    option.setPricingEngine(ql.FdBlackScholesVanillaEngine(process, dividends, 400, 400))
    return _anew(option)


def _contract(contract: Contract) -> tuple[ql.BlackScholesMertonProcess, ql.VanillaOption]:
    is_call, spot, strike, days, rate, carry_yield, vol = contract
    ql.Settings.instance().evaluationDate = _TODAY
    count = ql.Actual365Fixed()
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(_TODAY, carry_yield, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(_TODAY, rate, count)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(_TODAY, ql.NullCalendar(), vol, count)),
    )
    option = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, strike),
        ql.AmericanExercise(_TODAY, _TODAY + days),
    )
    return process, option


def _anew(option: ql.VanillaOption) -> Callable[[], float]:
    def run() -> float:
        option.recalculate()
        return float(option.NPV())

    return run
