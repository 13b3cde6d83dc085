"""Every layout in which NumPy may hand an array over means the same numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from skewline.cyext import american, black, heston, ou, sabr
from skewline.cyext.status import Status

N = 150
#: What float32 holds exactly, as it does what the calls below make of it.
RNG = np.random.default_rng(8)
STRIKE = np.exp(RNG.uniform(4.4, 4.8, N)).astype(np.float32).astype(np.float64)
EXPIRY = RNG.choice(np.array([0.0625, 0.25, 0.5]), N)
CALL = STRIKE > 100
VOL = RNG.integers(7, 32, N) / 64
MODEL: Any = {"v0": 0.04, "kappa": 2.0, "theta": 0.05, "sigma": 0.7, "rho": -0.6}
OFFSETS = np.arange(0, N + 1, 15)

Kernel = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]

#: Each of call flags, strikes, expiries and vols.
KERNELS: dict[str, Kernel] = {
    "black.price": lambda c, k, t, v: black.price(c, 100.0, k, t, 0.99, v),
    "black.greeks": lambda c, k, t, v: black.greeks(c, 100.0, k, t, 0.99, v).charm,
    "black.implied_vol": lambda c, k, t, v: black.implied_vol(c, v * 20, 100.0, k, t, 0.99),
    "sabr.implied_vol": lambda c, k, t, v: sabr.implied_vol(100.0, k, t, v * 10, 0.5, -0.3, 0.8),
    "heston.price": lambda c, k, t, v: heston.price(c, 100.0, k, t, 0.99, **MODEL),
    "heston.calibrate": lambda c, k, t, v: heston.calibrate(100.0, k, t, 0.25 + v / 128).model_vols,
    "american.price": lambda c, k, t, v: american.price(c, 100.0, k, t, 0.03, 0.02, v),
    "american.greeks": lambda c, k, t, v: (
        american.greeks(*(c[:20], 100.0, k[:20], t[:20], 0.03, 0.02, v[:20]), accuracy="fast").vega
    ),
    "american.implied_vol": lambda c, k, t, v: american.implied_vol(c, v * 20, 100.0, k, t, 0.03, 0.02),
}
VECTORS: dict[str, Kernel] = {
    "sabr.calibrate": lambda c, k, t, v: np.array(sabr.calibrate(100.0, 0.5, k, v).rmse),
    "sabr.calibrate_many": lambda c, k, t, v: (
        sabr.calibrate_many(t[:10] * 0 + 100.0, t[:10] + 0.125, k, v, OFFSETS).alpha
    ),
    "ou.fit": lambda c, k, t, v: np.array(ou.fit(k, 1 / 252).sigma),
}


def read_only(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def misaligned(array: np.ndarray) -> np.ndarray:
    """At an odd address."""
    bytes_ = np.zeros(array.nbytes + 1, dtype=np.uint8)
    view = bytes_[1:].view(array.dtype)
    view[:] = array
    return view


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "read-only": read_only,
    "every second": lambda a: np.repeat(a, 2)[::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
    "misaligned": misaligned,
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "float32": lambda a: a if a.dtype == bool else a.astype(np.float32),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [*KERNELS, *VECTORS])
def test_a_layout_changes_nothing(name: str, layout: str) -> None:
    kernel, lay = {**KERNELS, **VECTORS}[name], LAYOUTS[layout]
    expected = kernel(CALL, STRIKE, EXPIRY, VOL)
    assert np.array_equal(kernel(lay(CALL), lay(STRIKE), lay(EXPIRY), lay(VOL)), expected, equal_nan=True)


@pytest.mark.parametrize("name", [name for name in KERNELS if name != "american.greeks"])
def test_columns_first_means_the_same(name: str) -> None:
    kernel, arrays = KERNELS[name], (CALL, STRIKE, EXPIRY, VOL)
    expected = kernel(*(array.reshape(10, 15) for array in arrays))
    found = kernel(*(np.asfortranarray(array.reshape(10, 15)) for array in arrays))
    assert found.shape == (10, 15)
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
@pytest.mark.parametrize("name", KERNELS)
def test_nothing_in_nothing_out(name: str, shape: tuple[int, ...]) -> None:
    empty = np.empty(shape)
    assert KERNELS[name](empty.astype(bool), empty, empty, empty).shape[:1] == shape[:1]


def test_no_smile_and_no_series_is_an_empty_answer() -> None:
    assert sabr.calibrate_many([], [], [], [], [0]).alpha.shape == (0,)
    assert sabr.calibrate(100.0, 0.5, [], []).status == Status.TOO_FEW
    assert ou.fit_many(np.empty((0, 5)), 1.0).kappa.shape == (0,)
    assert ou.fit_many(np.empty((2, 0)), 1.0).status.tolist() == [Status.TOO_FEW] * 2
    assert ou.fit([], 1.0).status == Status.TOO_FEW


@pytest.mark.parametrize("name", ["black.price", "sabr.implied_vol", "heston.price", "american.price"])
def test_a_single_option_has_no_dimension(name: str) -> None:
    kernel = KERNELS[name]
    one = kernel(np.array(True), np.array(100.0), np.array(0.5), np.array(0.2))
    assert one.shape == ()
    many = kernel(*(np.full(7, value) for value in (True, 100.0, 0.5, 0.2)))
    assert np.array_equal(many, np.full(7, float(one)))


def test_out_may_be_an_argument() -> None:
    """Bad and extreme elements too, which go through other code than their neighbours."""
    vol, strike = VOL.copy(), STRIKE.copy()
    vol[3::10], strike[5::10], vol[7::10] = np.nan, 1e-200, 0.0
    arguments: dict[str, Any] = {
        "forward": np.full(N, 100.0),
        "strike": strike,
        "expiry": EXPIRY,
        "discount": EXPIRY,
        "vol": vol,
    }
    expected = black.price(CALL, **arguments)
    for name, array in arguments.items():
        out = array.copy()
        assert black.price(CALL, **{**arguments, name: out}, out=out) is out
        assert np.array_equal(out, expected, equal_nan=True), name
    prices = black.price(CALL, 100.0, STRIKE, EXPIRY, 0.99, VOL)
    vols = black.implied_vol(CALL, prices, 100.0, STRIKE, EXPIRY, 0.99)
    assert np.array_equal(black.implied_vol(CALL, prices, 100.0, STRIKE, EXPIRY, 0.99, out=prices), vols)
    strikes = STRIKE.copy()
    smile = sabr.implied_vol(100.0, STRIKE, EXPIRY, VOL * 10, 0.5, -0.3, 0.8)
    assert sabr.implied_vol(100.0, strikes, EXPIRY, VOL * 10, 0.5, -0.3, 0.8, out=strikes) is strikes
    assert np.array_equal(strikes, smile)


@pytest.mark.parametrize("name", ["black.price", "heston.price", "american.price"])
def test_any_byte_but_zero_is_true(name: str) -> None:
    """What NumPy itself takes it for, where a buffer is looked at as booleans."""
    flags = (CALL * np.arange(1, N + 1)).astype(np.uint8).view(np.bool_)
    kernel = KERNELS[name]
    assert np.array_equal(kernel(flags, STRIKE, EXPIRY, VOL), kernel(CALL, STRIKE, EXPIRY, VOL))


def test_out_may_overlap_an_argument() -> None:
    memory = np.empty(N + 1)
    for strikes, out in (
        (memory[:-1], memory[1:]),
        (memory[1:], memory[:-1]),
        (memory[:-1][::-1], memory[1:]),
    ):
        strikes[:] = STRIKE
        black.price(CALL, 100.0, strikes, EXPIRY, 0.99, VOL, out=out, threads=2)
        assert np.array_equal(out, black.price(CALL, 100.0, STRIKE, EXPIRY, 0.99, VOL))
    one = np.full(N, 100.0)
    black.price(CALL, one[:1], STRIKE, EXPIRY, 0.99, VOL, out=one)
    assert np.array_equal(one, black.price(CALL, 100.0, STRIKE, EXPIRY, 0.99, VOL))


def test_rows_of_greeks_may_hold_an_argument() -> None:
    rows = np.empty((9, N))
    rows[4] = VOL
    black.greeks(CALL, 100.0, STRIKE, EXPIRY, 0.99, rows[4], out=rows)
    assert np.array_equal(rows[8], black.greeks(CALL, 100.0, STRIKE, EXPIRY, 0.99, VOL).charm)


@pytest.mark.parametrize("exponents", [(20, 20), (31, 31), (32, 32), (40, 40), (59, 3)])
@pytest.mark.parametrize("name", ["black.price", "sabr.implied_vol", "heston.price", "american.price"])
def test_more_elements_than_memory_are_refused(name: str, exponents: tuple[int, int]) -> None:
    strike = np.broadcast_to(np.float64(100.0), (2 ** exponents[0],))[:, np.newaxis]
    expiry = np.broadcast_to(np.float64(0.5), (2 ** exponents[1],))
    with pytest.raises((ValueError, MemoryError)):
        KERNELS[name](np.array(True), strike, expiry, np.array(0.2))
