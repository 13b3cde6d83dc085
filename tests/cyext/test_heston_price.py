import numpy as np
import pytest
from heston_parameters import model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from skewline.cyext import black, heston


def lewis_integral(k: float, expiry: float, p: tuple[float, ...]) -> float:
    """The undeformed integral of the same control variate, on as many Gauss–Legendre panels as it takes."""
    v0, kappa, theta, sigma, rho = p
    w = theta * expiry + (v0 - theta) * (1 - np.exp(-kappa * expiry)) / kappa
    x, weight = np.polynomial.legendre.leggauss(48)
    total, left, width = 0.0, 0.0, min(0.3 / np.sqrt(w), 3 / (abs(k) + 1e-9), 5.0)
    while True:
        u = left + width * (x + 1) / 2
        m = u * u + 0.25
        beta = kappa - rho * sigma * (0.5 + 1j * u)
        d = np.sqrt(beta**2 + sigma**2 * m)
        e = np.exp(-d * expiry)
        q = d * (1 + e) + beta * (1 - e)
        small = np.where(np.abs(beta + d) > np.abs(beta - d), -(sigma**2) * m / (beta + d), beta - d)
        psi = -m * v0 * (1 - e) / q + kappa * theta / sigma**2 * (small * expiry - 2 * np.log(q / (2 * d)))
        f = (np.exp(-w / 2 * m) - np.exp(psi)) / m * np.exp(1j * u * k)
        total += width / 2 * float(weight @ f.real)
        left += width
        if np.abs(f).max() * left < 1e-14 or left > 1e7:
            return float(total / np.pi)
        width = min(width * 1.05, 40 / (abs(k) + 1e-9))


def test_random_models_expiries_and_deep_strikes_match_the_plain_integral() -> None:
    rng = np.random.default_rng(23)
    for _ in range(150):
        p = (
            *(10 ** rng.uniform(-3.5, 0), 10 ** rng.uniform(-2, 1.5), 10 ** rng.uniform(-3, 0)),
            *(10 ** rng.uniform(-1.3, 0.8), rng.uniform(-0.99, 0.95)),
        )
        expiry = 10 ** rng.uniform(-2.6, 1)
        if (p[0] + p[1] * p[2] * expiry) / p[3] < 1e-3:
            continue
        w = p[2] * expiry + (p[0] - p[2]) * (1 - np.exp(-p[1] * expiry)) / p[1]
        k = float(rng.uniform(-1, 1) * min(8 * np.sqrt(w) + 0.2, 3))
        strike = float(np.exp(-k))
        control = float(black.price(True, 1.0, strike, 1.0, 1.0, np.sqrt(w)))
        expected = control + np.sqrt(strike) * lewis_integral(k, expiry, p)
        assert float(heston.price(True, 1.0, strike, expiry, 1.0, **model(p))) == pytest.approx(
            expected, abs=2e-11
        ), (k, expiry, p)


def test_one_day_options_are_not_cut_off() -> None:
    p = (0.02, 3.0, 0.04, 1.5, -0.7)
    for strike in (0.97, 0.99, 1.0, 1.01):
        k = -np.log(strike)
        w = 0.04 / 365 - 0.02 * (1 - np.exp(-3 / 365)) / 3
        control = float(black.price(strike > 1, 1.0, strike, 1.0, 1.0, np.sqrt(w)))
        expected = control + np.sqrt(strike) * lewis_integral(float(k), 1 / 365, p)
        got = float(heston.price(strike > 1, 1.0, strike, 1 / 365, 1.0, **model(p)))
        assert got == pytest.approx(expected, abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(
    v0=st.floats(0, 1),
    kappa=st.floats(0, 20),
    theta=st.floats(0, 1),
    sigma=st.floats(1e-4, 5),
    rho=st.floats(-0.99, 0.99),
    expiry=st.floats(0.002, 10),
)
def test_bounds_parity_and_shape_in_strike(
    v0: float, kappa: float, theta: float, sigma: float, rho: float, expiry: float
) -> None:
    strikes = np.linspace(0.3, 2.5, 60)
    prices: NDArray[np.float64] = heston.price(
        np.array([[True], [False]]),
        1.0,
        strikes,
        expiry,
        0.95,
        v0=v0,
        kappa=kappa,
        theta=theta,
        sigma=sigma,
        rho=rho,
    )
    call, put = prices
    assert call - put == pytest.approx(0.95 * (1 - strikes), abs=1e-13)
    assert (call >= 0.95 * np.maximum(1 - strikes, 0) - 1e-12).all()
    assert (call <= 0.95 + 1e-12).all()
    assert (np.diff(call) <= 1e-10).all()
    assert (np.diff(call, 2) >= -1e-9).all()


@pytest.mark.parametrize("sigma", [1e-7, 1e-100, 5e-324])
def test_without_vol_of_vol_it_is_black(sigma: float) -> None:
    strikes = np.linspace(0.6, 1.6, 11)
    prices = heston.price(True, 1.0, strikes, 0.7, 1.0, v0=0.04, kappa=1.0, theta=0.04, sigma=sigma, rho=0.0)
    assert prices == pytest.approx(black.price(True, 1.0, strikes, 0.7, 1.0, 0.2), abs=1e-12)


def test_bad_elements_are_nan_and_expired_ones_intrinsic() -> None:
    prices = heston.price(
        *(True, [100.0, np.nan, 100.0, 100.0, 100.0], [90.0, 90.0, -1.0, 90.0, 90.0]),
        *([1.0, 1.0, 1.0, 0.0, -1.0], 0.9),
        **model((0.04, 1.0, 0.04, 0.5, -0.5)),
    )
    assert np.isnan(prices).tolist() == [False, True, True, False, True]
    assert prices[3] == pytest.approx(9.0)


@pytest.mark.parametrize(
    ("name", "value"), [("v0", -1.0), ("kappa", np.nan), ("theta", -0.1), ("sigma", 0.0), ("rho", 1.0)]
)
def test_a_model_that_is_none_is_refused_by_name(name: str, value: float) -> None:
    parameters = model((0.04, 1.0, 0.04, 0.5, -0.5))
    parameters[name] = value  # type: ignore[literal-required]
    with pytest.raises(ValueError, match=name):
        heston.price(True, 1.0, 1.0, 1.0, 1.0, **parameters)
    parameters[name] = str(value)  # type: ignore[literal-required]
    with pytest.raises(TypeError, match=name):
        heston.price(True, 1.0, 1.0, 1.0, 1.0, **parameters)


def test_threads_and_order_do_not_matter() -> None:
    rng = np.random.default_rng(4)
    expiry = rng.choice([1 / 365, 0.1, 1.0, 2.7], 500)
    strike = rng.uniform(0.5, 1.5, 500)
    p = model((0.03, 2.0, 0.05, 0.8, -0.6))
    one = heston.price(strike > 1, 1.0, strike, expiry, 1.0, **p)
    assert np.array_equal(one, heston.price(strike > 1, 1.0, strike, expiry, 1.0, threads=2, **p))
    order = rng.permutation(500)
    assert np.array_equal(
        one[order], heston.price(strike[order] > 1, 1.0, strike[order], expiry[order], 1.0, **p)
    )


def test_a_price_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(12)
    expiry = rng.choice([1 / 365, 0.02, 0.5, 3.0], 200)
    strike = np.exp(rng.uniform(-1.5, 1.0, 200) * rng.choice([0.05, 1.0], 200))
    p = model((0.02, 5.0, 0.03, 1.2, -0.75))
    together = heston.price(strike > 1, 1.0, strike, expiry, 1.0, **p)
    alone = [heston.price(k > 1, 1.0, k, t, 1.0, **p) for k, t in zip(strike, expiry, strict=True)]
    assert together.tolist() == [float(one) for one in alone]
    spoiled = strike.copy()
    spoiled[::3] = rng.choice([np.nan, -1.0, 1e-9, 1e9], spoiled[::3].size)
    among_bad = heston.price(strike > 1, 1.0, spoiled, expiry, 1.0, **p)
    kept = np.arange(200) % 3 != 0
    assert among_bad[kept].tolist() == together[kept].tolist()
