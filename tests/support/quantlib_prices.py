"""QuantLib as an oracle: prices of single options in the terms that the kernels use."""

import math

import QuantLib as ql  # noqa: N813

_TODAY = ql.Date(2, 1, 2023)
_COUNT = ql.Actual365Fixed()


def _curve(rate: float) -> ql.YieldTermStructureHandle:
    return ql.YieldTermStructureHandle(ql.FlatForward(_TODAY, rate, _COUNT))


def _begin(spot: float) -> ql.QuoteHandle:
    ql.Settings.instance().evaluationDate = _TODAY
    return ql.QuoteHandle(ql.SimpleQuote(spot))


def _payoff(is_call: bool, strike: float) -> ql.PlainVanillaPayoff:
    return ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, strike)


def american_price(
    is_call: bool, spot: float, strike: float, days: int, rate: float, carry_yield: float, vol: float
) -> float:
    """QdFp, high-precision scheme: to about 1e-9 where the contract is an ordinary one."""
    process = ql.BlackScholesMertonProcess(
        _begin(spot),
        _curve(carry_yield),
        _curve(rate),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(_TODAY, ql.NullCalendar(), vol, _COUNT)),
    )
    option = ql.VanillaOption(_payoff(is_call, strike), ql.AmericanExercise(_TODAY, _TODAY + days))
    scheme = ql.QdFpAmericanEngine.highPrecisionScheme()
    option.setPricingEngine(ql.QdFpAmericanEngine(process, scheme))
    return float(option.NPV())


def heston_call(
    strike: float, days: int, v0: float, kappa: float, theta: float, sigma: float, rho: float
) -> float:
    """Undiscounted call on forward 1: adaptive Gauss–Lobatto over Gatheral's form."""
    process = ql.HestonProcess(_curve(0.0), _curve(0.0), _begin(1.0), v0, kappa, theta, sigma, rho)
    engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-13, 1_000_000)
    option = ql.VanillaOption(_payoff(True, strike), ql.EuropeanExercise(_TODAY + days))
    option.setPricingEngine(engine)
    return float(option.NPV())


def black_price(
    is_call: bool, forward: float, strike: float, expiry: float, discount: float, vol: float
) -> float:
    """`blackFormula`."""
    kind = ql.Option.Call if is_call else ql.Option.Put
    return float(ql.blackFormula(kind, strike, forward, vol * math.sqrt(expiry), discount))


def sabr_vol(
    forward: float, strike: float, expiry: float, alpha: float, beta: float, rho: float, nu: float
) -> float:
    """Hagan's lognormal volatility."""
    return float(ql.sabrVolatility(strike, forward, expiry, alpha, beta, nu, rho))
