"""Full revaluation of a portfolio, element by element against prices of the shocked arguments."""

from typing import Any

import numpy as np
import pytest

from skewline.cyext import black, portfolio
from skewline.cyext.greeks import spot_greeks
from skewline.cyext.status import Status

SCENARIOS, OPTIONS = 133, 300


def book(size: int = OPTIONS) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    expiry = rng.uniform(2 / 365, 3, size)
    forward = rng.choice(np.array([100.0, 2900.0, 1.3]), size)
    vol = rng.uniform(0.05, 0.9, size)
    strike = forward * np.exp(rng.uniform(-3, 3, size) * vol * np.sqrt(expiry))
    return {
        "is_call": rng.uniform(size=size) < 0.5,
        "forward": forward,
        "strike": strike,
        "expiry": expiry,
        "discount": np.exp(-0.03 * expiry),
        "vol": vol,
    }


def shocks(size: int = SCENARIOS) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    return {
        "spot_factor": np.exp(0.05 * rng.standard_normal((2, size))),
        "vol_shock": 0.2 * rng.standard_normal((2, size)),
        "time_passed": rng.choice(np.array([0.0, 1 / 252, 0.1]), size),
        "rate_shift": 0.01 * rng.standard_normal(size),
        "carry_shift": 0.01 * rng.standard_normal(size),
    }


def quantities(size: int = OPTIONS) -> np.ndarray:
    return np.random.default_rng(5).integers(-40, 40, size).astype(float)


def rows(size: int = OPTIONS) -> np.ndarray:
    return np.random.default_rng(6).integers(0, 2, size)


def weights(size: int = OPTIONS) -> np.ndarray:
    return np.random.default_rng(7).uniform(0.25, 1.5, size)


def expected(b: dict[str, Any], s: dict[str, Any]) -> np.ndarray:
    """(scenarios, options), by the formulas of the module's documentation."""
    forward, vol = s["spot_factor"][rows()].T * b["forward"], np.exp(weights() * s["vol_shock"][rows()].T)
    left = np.maximum(b["expiry"] - s["time_passed"][:, None], 0.0)
    rate = -np.log(b["discount"]) / b["expiry"]
    discount = b["discount"] * np.exp(rate * (b["expiry"] - left) - s["rate_shift"][:, None] * left)
    forward = forward * np.exp(s["carry_shift"][:, None] * left)
    return black.price(b["is_call"], forward, b["strike"], left, discount, b["vol"] * vol)


def test_every_value_is_the_price_of_the_shocked_option() -> None:
    b, s = book(), shocks()
    values = portfolio.matrix(**b, **s, underlying=rows(), vol_weight=weights())
    assert values.shape == (SCENARIOS, OPTIONS)
    # the forward's rounding, an ulp or two, moves an option by so much of the larger of forward and strike
    scale = np.maximum(b["forward"], b["strike"])
    assert (np.abs(values - expected(b, s)) <= 1e-12 * values + 4e-15 * scale).all()


def test_profit_is_the_sum_over_positions_of_what_each_gains() -> None:
    b, s, q = book(), shocks(), quantities()
    found = portfolio.revalue(**b, **s, quantity=q, underlying=rows(), vol_weight=weights())
    now = black.price(**b)
    gains = (portfolio.matrix(**b, **s, underlying=rows(), vol_weight=weights()) - now) * q
    assert found.profit.shape == (SCENARIOS,)
    assert found.profit == pytest.approx(gains.sum(axis=1), rel=1e-11, abs=1e-9)
    assert found.base == pytest.approx(float((now * q).sum()), rel=1e-12)
    assert np.array_equal(found.value, found.base + found.profit)
    assert (found.status == Status.OK).all()


def test_without_shocks_nothing_is_gained() -> None:
    found = portfolio.revalue(**book(), quantity=quantities())
    assert found.profit.tolist() == [0.0]
    assert np.array_equal(portfolio.matrix(**book())[0], black.price(**book()))


def test_profits_count_from_the_base_that_is_given() -> None:
    b, base = book(), np.arange(float(OPTIONS))
    found = portfolio.revalue(**b, quantity=2.0, base=base)
    assert found.base == 2.0 * base.sum()
    assert found.profit == pytest.approx(2.0 * (black.price(**b) - base).sum(), rel=1e-12)


def test_small_shifts_gain_what_the_greeks_say() -> None:
    b = {name: values[:50] for name, values in book().items()}
    b["expiry"] = b["expiry"] + 0.2
    g, step = black.greeks(**b), 1e-5
    base = g.price

    def slope(**shift: Any) -> np.ndarray:
        up = portfolio.matrix(**b, **shift)[0]
        down = portfolio.matrix(**b, **{name: -value for name, value in shift.items()})[0]
        gained: np.ndarray = (up - down) / (2 * step)
        return gained

    later = portfolio.matrix(**b, time_passed=step)[0]
    scale = 1e-4 * b["forward"]
    assert (np.abs(slope(rate_shift=step) - g.rho) <= scale).all()
    assert (np.abs((later - base) / step - 365 * g.theta) <= 3 * scale).all()
    spot = b["forward"] * 0.98
    rho = spot_greeks(g, spot, b["forward"], b["expiry"]).rho
    assert (np.abs(slope(rate_shift=step, carry_shift=step) - rho) <= scale).all()


def test_an_option_that_expires_within_the_horizon_is_worth_its_intrinsic_value() -> None:
    values = portfolio.matrix(
        *(True, 100.0, 95.0, 0.01, 0.99, 0.2), spot_factor=[0.9, 1.1], time_passed=[0.01, 0.5]
    )
    assert values[:, 0] == pytest.approx([0.0, 15.0])


def test_threads_and_other_scenarios_change_no_digit() -> None:
    b, s, q = book(), shocks(), quantities()
    more: dict[str, Any] = {"quantity": q, "underlying": rows(), "vol_weight": weights()}
    one = portfolio.revalue(**b, **s, **more).profit
    assert np.array_equal(one, portfolio.revalue(**b, **s, **more, threads=3).profit)
    for i in (0, 63, 64, SCENARIOS - 1):
        alone = portfolio.revalue(**b, **{k: v[..., i : i + 1] for k, v in s.items()}, **more)
        assert alone.profit.tolist() == [one[i]]
    matrix = portfolio.matrix(**b, **s, underlying=rows())
    assert np.array_equal(matrix, portfolio.matrix(**b, **s, underlying=rows(), threads=3))


@pytest.mark.parametrize(
    ("column", "bad", "status"),
    [
        *((name, np.nan, Status.NON_FINITE) for name in ("forward", "strike", "expiry", "discount", "vol")),
        ("quantity", np.inf, Status.NON_FINITE),
        ("vol_weight", np.nan, Status.NON_FINITE),
        ("strike", -1.0, Status.OUT_OF_DOMAIN),
        ("discount", 0.0, Status.OUT_OF_DOMAIN),
        ("vol", -0.1, Status.OUT_OF_DOMAIN),
        ("expiry", -0.1, Status.EXPIRED),
    ],
)
def test_a_bad_option_is_left_out_and_said_so(column: str, bad: float, status: Status) -> None:
    b = {**book(), "quantity": quantities(), "vol_weight": weights()}
    s = shocks()
    others = np.where(np.arange(OPTIONS) == 7, 0.0, b["quantity"])
    without = portfolio.revalue(**{**b, "quantity": others}, **s, underlying=rows())
    b[column] = b[column].copy()
    b[column][7] = bad
    found = portfolio.revalue(**b, **s, underlying=rows())
    assert found.status[7] == status
    assert (np.delete(found.status, 7) == Status.OK).all()
    assert np.array_equal(found.profit, without.profit)
    assert found.base == pytest.approx(without.base, rel=1e-12)
    if column != "quantity":
        del b["quantity"]
        values = portfolio.matrix(**b, **s, underlying=rows())
        assert np.isnan(values[:, 7]).all()
        assert np.isfinite(np.delete(values, 7, axis=1)).all()


@pytest.mark.parametrize("name", ["spot_factor", "vol_shock", "time_passed", "rate_shift", "carry_shift"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_scenario_has_no_value_and_leaves_the_others_alone(name: str, bad: float) -> None:
    b, s, q = book(), shocks(), quantities()
    good = portfolio.revalue(**b, **s, quantity=q, underlying=rows()).profit
    s[name] = s[name].copy()
    s[name][..., 70] = bad
    profit = portfolio.revalue(**b, **s, quantity=q, underlying=rows()).profit
    assert np.isnan(profit[70])
    assert np.array_equal(np.delete(profit, 70), np.delete(good, 70))


def test_extreme_shocks_are_answered() -> None:
    values = portfolio.matrix(
        *(True, 100.0, 100.0, 1.0, 1.0, 0.2),
        spot_factor=[0.0, 1e-300, 1e300, 1.0, 1.0, -1.0],
        vol_shock=[0.0, 0.0, 0.0, -1e9, 1e9, 0.0],
    )[:, 0]
    assert np.isnan(values[[0, 4, 5]]).all()
    assert values[[1, 3]].tolist() == [0.0, 0.0]
    assert values[2] == pytest.approx(1e302)


def test_shapes_of_no_options_and_no_scenarios() -> None:
    none = np.empty(0)
    nothing = portfolio.revalue(True, none, 1.0, 1.0, 1.0, 0.2, 1.0, spot_factor=[1.0, 1.1])
    assert nothing.profit.tolist() == [0.0, 0.0]
    assert portfolio.revalue(True, 1.0, 1.0, 1.0, 1.0, 0.2, 1.0, spot_factor=none).profit.shape == (0,)
    assert portfolio.matrix(True, none, 1.0, 1.0, 1.0, 0.2, spot_factor=[1.0, 1.1]).shape == (2, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"underlying": [2]}, ValueError, "underlying must name rows of the scenarios, 0 to 1"),
        ({"underlying": [-1]}, ValueError, "underlying must name rows"),
        ({"underlying": [0.5]}, TypeError, "underlying must hold integers"),
        ({}, ValueError, "need the option's row"),
        ({"time_passed": [[0.0]], "underlying": 0}, ValueError, "scenarios must be"),
        ({"vol_shock": [0.0, 0.1, 0.2], "underlying": 0}, ValueError, "broadcast"),
        ({"threads": 0, "underlying": 0}, ValueError, "threads"),
        ({"quantity": ["one"], "underlying": 0}, TypeError, "quantity must hold real numbers"),
        ({"quantity": [[1.0]], "underlying": 0}, ValueError, "positions must be one-dimensional"),
    ],
)
def test_misuse_is_refused(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    call: dict[str, Any] = {"quantity": 1.0, "spot_factor": np.ones((2, 2)), **arguments}
    with pytest.raises(error, match=words):
        portfolio.revalue(True, 100.0, 100.0, 1.0, 1.0, 0.2, **call)
