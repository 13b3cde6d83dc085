"""American options with cash dividends against QuantLib's finite differences in the spot model."""

import pytest

from skewline.cyext import american_dividends as cash

ql = pytest.importorskip("QuantLib", reason="QuantLib is not installed: the extra `test` brings it")

TODAY = (2, 1, 2023)


def finite_differences(
    is_call: bool,
    strike: float,
    days: int,
    rate: float,
    carry_yield: float,
    vol: float,
    dividends: list[tuple[int, float]],
) -> float:
    """On 100, to about 3e-5 of that (800 by 800 nodes, second order)."""
    today, count = ql.Date(*TODAY), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(100.0)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, carry_yield, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, count)),
    )
    kind = ql.Option.Call if is_call else ql.Option.Put
    option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), ql.AmericanExercise(today, today + days))
    schedule = ql.DividendVector([today + day for day, _ in dividends], [amount for _, amount in dividends])
    option.setPricingEngine(ql.FdBlackScholesVanillaEngine(process, schedule, 800, 800))
    return float(option.NPV())


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize(
    ("days", "rate", "q", "vol", "dividends"),
    [
        (365, 0.05, 0.0, 0.25, [(36, 1.0), (128, 1.0), (219, 1.1), (310, 1.1)]),
        (180, 0.02, 0.01, 0.4, [(90, 5.0)]),
        (365, -0.01, -0.03, 0.15, []),
        (365, -0.03, -0.01, 0.15, []),
    ],
)
def test_prices(
    is_call: bool, days: int, rate: float, q: float, vol: float, dividends: list[tuple[int, float]]
) -> None:
    schedule = cash.Dividends([day / 365 for day, _ in dividends], [amount for _, amount in dividends])
    for strike in (85.0, 100.0, 115.0):
        expected = finite_differences(is_call, strike, days, rate, q, vol, dividends)
        got = float(cash.price(is_call, 100.0, strike, days / 365, rate, q, vol, dividends=schedule))
        assert got == pytest.approx(expected, rel=0, abs=3e-3), (strike, got - expected)
