"""Smiles of total variance: inside the band where they can be, free of arbitrage always."""

from dataclasses import fields

import numpy as np
import pytest
from made_chains import MadeChain, made_chain

from skewline.cyext import essvi, variance_smile
from skewline.cyext.arguments import Doubles
from skewline.cyext.status import Status
from skewline.cyext.variance_smile import VarianceSmile, VarianceSmiles


def fitted(
    chain: MadeChain, bid_vols: Doubles | None = None, ask_vols: Doubles | None = None
) -> VarianceSmiles:
    return variance_smile.calibrate_many(
        chain.forwards,
        chain.expiries,
        chain.strikes,
        chain.bid_vols if bid_vols is None else bid_vols,
        chain.ask_vols if ask_vols is None else ask_vols,
        chain.offsets,
    )


def reach(smile: VarianceSmile) -> Doubles:
    """A grid finer than that of the fit, four standard deviations beyond the knots."""
    deviation = float(np.sqrt(np.interp(0.0, smile.knot, smile.variance)))
    return np.linspace(smile.knot[0] - 4 * deviation, smile.knot[-1] + 4 * deviation, 8001)


def assert_free_of_arbitrage(fits: VarianceSmiles) -> None:
    before: VarianceSmile | None = None
    for index in np.argsort(fits.expiry).tolist():
        if fits.status[index] != Status.OK:
            continue
        smile = fits.smile(index)
        k = reach(smile)
        w, slope, _ = smile.derivatives(k)
        assert smile.butterfly(k).min() >= 0.0
        assert np.abs(slope[[0, -1]]).max() < 2.0
        assert slope[0] <= 0.0 <= slope[-1]
        if before is not None:
            assert np.all(w >= before.derivatives(k)[0])
        before = smile


def test_noisy_quotes_of_a_clean_surface_are_met_inside_their_bands() -> None:
    chain = made_chain(seed=3)
    fits = fitted(chain)
    assert fits.status.tolist() == [Status.OK] * chain.expiries.size
    assert np.all(fits.inside == 1.0)
    assert np.all(fits.violation <= 1e-6)
    assert_free_of_arbitrage(fits)
    for index, expiry in enumerate(chain.expiries):
        rows = slice(chain.offsets[index], chain.offsets[index + 1])
        k = np.log(chain.strikes[rows] / chain.forwards[index])
        vol = fits.smile(index).vol(k)
        assert np.all(vol >= chain.bid_vols[rows] * (1 - 1e-7))
        assert np.all(vol <= chain.ask_vols[rows] * (1 + 1e-7))
        assert vol == pytest.approx(np.sqrt(chain.variance(index, k) / expiry), abs=0.01)


def test_the_spline_is_its_own_derivatives_and_linear_beyond_its_ends() -> None:
    smile = fitted(made_chain(seed=3)).smile(2)
    k = np.linspace(smile.knot[0] + 1e-3, smile.knot[-1] - 1e-3, 501)
    w, slope, bend = smile.derivatives(k)
    up, down = smile.derivatives(k + 1e-6), smile.derivatives(k - 1e-6)
    assert (up[0] - down[0]) / 2e-6 == pytest.approx(slope, abs=1e-7)
    assert (up[1] - down[1]) / 2e-6 == pytest.approx(bend, abs=1e-4)
    assert smile.derivatives(smile.knot)[0] == pytest.approx(smile.variance, rel=1e-13)
    out = smile.knot[-1] + np.array([0.1, 0.2, 0.3, np.nan])
    w, slope, bend = smile.derivatives(out)
    assert np.diff(w[:3], 2) == pytest.approx(0.0, abs=1e-14)
    assert bend[:3].tolist() == [0.0] * 3
    assert np.isnan([w[3], slope[3], bend[3]]).all()


def test_the_density_has_mass_one_and_the_forward_as_its_mean() -> None:
    fits = fitted(made_chain(seed=4))
    for index in range(fits.expiry.size):
        smile = fits.smile(index)
        deviation = float(np.sqrt(np.interp(0.0, smile.knot, smile.variance)))
        k = np.linspace(-25 * deviation, 25 * deviation, 40_001)
        density = smile.density(k)
        assert density.min() >= 0.0
        assert np.trapezoid(density, k) == pytest.approx(1.0, abs=2e-5)
        assert np.trapezoid(density * np.exp(k), k) == pytest.approx(1.0, abs=2e-5)


def test_the_order_in_which_expiries_are_given_changes_nothing() -> None:
    chain = made_chain(seed=5)
    fits, turned = fitted(chain), fitted(chain.reversed())
    for index in range(chain.expiries.size):
        here, there = fits.smile(index), turned.smile(chain.expiries.size - 1 - index)
        assert np.array_equal(here.variance, there.variance)
    assert np.array_equal(fits.inside, turned.inside[::-1])


def test_an_expiry_alone_is_the_expiry_in_the_first_place_of_a_chain() -> None:
    chain = made_chain(seed=6)
    first = slice(0, int(chain.offsets[1]))
    alone = variance_smile.calibrate_many(
        chain.forwards[:1], chain.expiries[:1], chain.strikes[first], chain.bid_vols[first],
        chain.ask_vols[first], chain.offsets[:2],
    )  # fmt: skip
    assert np.array_equal(alone.smile(0).variance, fitted(chain).smile(0).variance)


def test_a_bad_expiry_leaves_its_neighbours_as_they_are() -> None:
    chain = made_chain(seed=7)
    without = np.r_[0:1, 2 : chain.expiries.size]
    spoiled = chain.bid_vols.copy(), chain.ask_vols.copy()
    rows = slice(chain.offsets[1], chain.offsets[2])
    spoiled[1][rows] = np.nan
    fits = fitted(chain, bid_vols=spoiled[0], ask_vols=spoiled[1])
    rest = fitted(chain.of(without))
    assert fits.status[1] == Status.TOO_FEW
    with pytest.raises(ValueError, match="expiry 1 has no smile: TOO_FEW"):
        fits.smile(1)
    for at, index in enumerate(without.tolist()):
        assert np.array_equal(fits.smile(index).variance, rest.smile(at).variance)


def test_two_expiries_of_almost_one_time_do_not_cross() -> None:
    chain = made_chain(seed=8, expiries=(0.25, 0.25 + 6.5 / 24 / 365), shifts=(0.0, 0.013))
    fits = fitted(chain)
    assert fits.status.tolist() == [Status.OK] * 2
    assert_free_of_arbitrage(fits)


def test_quotes_with_a_butterfly_in_them_are_left_outside() -> None:
    chain = made_chain(seed=9)
    bid, ask = chain.bid_vols.copy(), chain.ask_vols.copy()
    peak = (chain.offsets[2] + chain.offsets[3]) // 2
    bid[peak] *= 1.6
    ask[peak] *= 1.6
    fits = fitted(chain, bid_vols=bid, ask_vols=ask)
    assert fits.inside[2] < 1.0
    assert fits.violation[2] > 1.0
    assert_free_of_arbitrage(fits)


def test_variance_that_falls_in_expiry_is_left_outside() -> None:
    chain = made_chain(seed=10)
    bid, ask = chain.bid_vols.copy(), chain.ask_vols.copy()
    rows = slice(chain.offsets[2], chain.offsets[3])
    bid[rows] *= 0.5
    ask[rows] *= 0.5
    fits = fitted(chain, bid_vols=bid, ask_vols=ask)
    assert fits.inside[2] < 0.5
    assert_free_of_arbitrage(fits)


def test_sides_without_quotes_and_missing_bids_are_no_obstacle() -> None:
    chain = made_chain(seed=11)
    k = np.log(chain.strikes / np.repeat(chain.forwards, np.diff(chain.offsets)))
    ask = np.where(k < 0, chain.ask_vols, np.nan)
    fits = fitted(chain, ask_vols=ask)
    assert np.all(fits.status == Status.OK)
    assert_free_of_arbitrage(fits)
    bids = np.where(np.abs(k) < 0.1, chain.bid_vols, np.nan)
    mids = 0.5 * (chain.bid_vols + chain.ask_vols)
    fits = variance_smile.calibrate_many(
        chain.forwards, chain.expiries, chain.strikes, bids, chain.ask_vols, chain.offsets, mid_vols=mids
    )
    assert np.all(fits.inside == 1.0)
    assert_free_of_arbitrage(fits)


@pytest.mark.parametrize(
    ("forward", "expiry", "strikes", "bids", "asks", "status"),
    [
        (100.0, 0.5, [100.0], [0.2], [0.21], Status.TOO_FEW),
        (100.0, 0.5, [], [], [], Status.TOO_FEW),
        (100.0, 0.5, [100.0] * 5, [0.2] * 5, [0.21] * 5, Status.TOO_FEW),
        (100.0, 0.5, [90.0, 100.0, 110.0], [0.3] * 3, [0.2] * 3, Status.TOO_FEW),
        (100.0, 0.5, [90.0, -1.0, np.nan, np.inf], [0.2] * 4, [0.21] * 4, Status.TOO_FEW),
        (100.0, 0.0, [90.0, 100.0, 110.0], [0.2] * 3, [0.21] * 3, Status.EXPIRED),
        (-1.0, 0.5, [90.0, 100.0, 110.0], [0.2] * 3, [0.21] * 3, Status.OUT_OF_DOMAIN),
        (np.nan, 0.5, [90.0, 100.0, 110.0], [0.2] * 3, [0.21] * 3, Status.NON_FINITE),
        (100.0, np.inf, [90.0, 100.0, 110.0], [0.2] * 3, [0.21] * 3, Status.NON_FINITE),
    ],
)
def test_what_cannot_be_fitted_says_why(
    forward: float, expiry: float, strikes: list[float], bids: list[float], asks: list[float], status: Status
) -> None:
    fits = variance_smile.calibrate_many([forward], [expiry], strikes, bids, asks, [0, len(strikes)])
    assert fits.status.tolist() == [status]
    assert fits.knot.size == 0
    assert np.isnan(fits.inside[0])


def test_rubbish_ends_in_a_status() -> None:
    rng = np.random.default_rng(12)
    for _ in range(60):
        count = int(rng.integers(3, 40))
        strikes = 100 * np.exp(rng.normal(0, 10 ** rng.uniform(-3, 0.5), count))
        vols = 10 ** rng.uniform(-3, 0.6, count)
        half = vols * 10 ** rng.uniform(-6, -0.1)
        fits = variance_smile.calibrate_many(
            [100.0], [10 ** rng.uniform(-4, 1)], strikes, vols - half, vols + half, [0, count]
        )
        assert fits.status[0] in (Status.OK, Status.ARBITRAGE, Status.NOT_CONVERGED, Status.TOO_FEW)
        assert_free_of_arbitrage(fits)


def test_flat_vols_of_no_width_give_themselves() -> None:
    strikes = np.linspace(60.0, 160.0, 41)
    vols = np.full(41, 0.2)
    fits = variance_smile.calibrate_many([100.0], [1.0], strikes, vols, vols, [0, 41])
    assert fits.status[0] == Status.OK
    assert fits.smile(0).vol([-0.5, -0.1, 0.0, 0.3]) == pytest.approx(0.2, abs=1e-4)


def test_misuse_is_refused() -> None:
    good = ([100.0], [1.0], [90.0, 100.0, 110.0], [0.2] * 3, [0.21] * 3)
    with pytest.raises(ValueError, match="offsets must rise from 0 to the number of strikes"):
        variance_smile.calibrate_many(*good, [0, 2])
    with pytest.raises(ValueError, match="ask_vols must have 3 elements"):
        variance_smile.calibrate_many(*good[:4], [0.21], [0, 3])
    with pytest.raises(ValueError, match="roughness must be positive"):
        variance_smile.calibrate_many(*good, [0, 3], roughness=0.0)
    with pytest.raises(TypeError, match="offsets must hold integers"):
        variance_smile.calibrate_many(*good, [0.0, 3.0])
    with pytest.raises(IndexError, match="index must be in"):
        variance_smile.calibrate_many(*good, [0, 3]).smile(1)


def test_a_second_run_is_the_same_to_the_bit() -> None:
    chain = made_chain(seed=13)
    one, two = fitted(chain), fitted(chain)
    for field in fields(one):
        assert np.array_equal(getattr(one, field.name), getattr(two, field.name), equal_nan=True)


def test_given_starts_are_as_good_as_own_ones_in_any_order() -> None:
    chain = made_chain(3)
    columns = [getattr(chain, each.name) for each in fields(chain)]
    own = variance_smile.calibrate_many(*columns)
    given = variance_smile.calibrate_many(*columns, starts=essvi.calibrate_many(*columns))
    assert np.array_equal(own.variance, given.variance)
    backwards = chain.reversed()
    columns = [getattr(backwards, each.name) for each in fields(backwards)]
    turned = variance_smile.calibrate_many(*columns, starts=essvi.calibrate_many(*columns))
    assert np.array_equal(turned.smile(0).variance, own.smile(len(chain.expiries) - 1).variance)


def test_a_start_that_is_missing_is_made() -> None:
    chain = made_chain(3)
    columns = [getattr(chain, each.name) for each in fields(chain)]
    starts = essvi.calibrate_many(*columns)
    starts.theta[2] = np.nan
    found = variance_smile.calibrate_many(*columns, starts=starts)
    assert np.array_equal(found.variance, variance_smile.calibrate_many(*columns).variance)
    fewer = essvi.calibrate_many(*[getattr(chain.of(np.arange(2)), each.name) for each in fields(chain)])
    with pytest.raises(ValueError, match="starts"):
        variance_smile.calibrate_many(*columns, starts=fewer)
