"""Every published number that concerns a kernel, read from the file of reference values, a test a row."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from heston_parameters import model
from published_surfaces import dax_2002
from reference_values import PUBLISHED, Entry, one_test_each

from skewline.cyext import american, black, heston, ou, sabr


class HestonRow(NamedTuple):
    is_call: bool
    spot: float
    strike: float
    expiry: float
    rate: float
    carry_yield: float
    parameters: tuple[float, float, float, float, float]
    price: float
    tolerance: float


def parameters_of(entry: Entry) -> tuple[float, float, float, float, float]:
    return (entry["v0"], entry["kappa"], entry["theta"], entry["sigma"], entry["rho"])


def lewis_rows() -> Iterator[tuple[str, HestonRow]]:
    """Fifty digits, and a short expiry whose wing is 1e-13: held to the last digits of the price."""
    for name, tolerance in (("heston_lewis", 2e-13), ("heston_lewis_short", 5e-14)):
        entry = PUBLISHED.get(name, {"rows": ()})
        for row in entry["rows"]:
            p = entry["params"]
            for side in ("call", "put"):
                if side in row:
                    yield (
                        f"{name}-{row['K']}-{side}",
                        HestonRow(
                            *(side == "call", p["S"], row["K"], p["T"], p["r"], p["q"]),
                            *(parameters_of(p), float(row[side]), tolerance),
                        ),
                    )


def literature_rows() -> Iterator[tuple[str, HestonRow]]:
    """Recomputed to 1e-11, and as printed: within a unit of the last digit."""
    for row in PUBLISHED.get("heston_literature", {"rows": ()})["rows"]:
        columns = zip(row["K"], row["call"], row["published"], strict=True)
        for strike, call, printed in columns:
            digits = len(str(printed).partition(".")[2])
            for price, tolerance in ((call, 1e-11 * row["S"]), (printed, 1.01 * 10.0**-digits)):
                yield (
                    f"{row['name']}-{strike}-{tolerance:.0e}",
                    HestonRow(
                        *(True, row["S"], strike, row["T"], row["r"], 0.0),
                        *(parameters_of(row), price, tolerance),
                    ),
                )
    cosine = PUBLISHED.get("heston_fang_oosterlee_2008", {"rows": ()})
    for row in cosine["rows"]:
        p = cosine["params"]
        for price, tolerance in ((row["ours_two_methods"], 1e-9), (row["published"], 5e-8)):
            yield (
                f"Fang-Oosterlee-{row['T']}y-{tolerance:.0e}",
                HestonRow(
                    *(True, p["S"], p["K"], row["T"], p["r"], p["q"]), *(parameters_of(p), price, tolerance)
                ),
            )


@pytest.mark.parametrize("row", one_test_each([*lewis_rows(), *literature_rows()]))
def test_heston_price(row: HestonRow) -> None:
    discount = np.exp(-row.rate * row.expiry)
    forward = row.spot * np.exp((row.rate - row.carry_yield) * row.expiry)
    price = heston.price(row.is_call, forward, row.strike, row.expiry, discount, **model(row.parameters))
    assert float(price) == pytest.approx(row.price, rel=0, abs=row.tolerance)


CUI = PUBLISHED.get("heston_cui_2017_calibration", {"K": (), "T": (), "price": ()})


@pytest.mark.parametrize("row", one_test_each((f"{k}-{t}", (k, t, p))
                         for k, t, p in zip(CUI["K"], CUI["T"], CUI["price"], strict=True)))  # fmt: skip
def test_heston_price_of_cui(row: tuple[float, float, float]) -> None:
    strike, expiry, expected = row
    theirs = CUI["params"]
    growth = np.exp(CUI["r"] * expiry)
    p = (theirs["v0"], theirs["kappa"], theirs["vbar"], theirs["sigma"], theirs["rho"])
    price = heston.price(True, growth, strike, expiry, 1 / growth, **model(p))
    assert float(price) == pytest.approx(expected, rel=0, abs=1e-12)


@pytest.mark.parametrize("entry", one_test_each([("from-its-own-start", CUI)]))
def test_heston_calibration_of_cui(entry: Entry) -> None:
    expiry, strike = np.array(entry["T"]), np.array(entry["K"])
    growth = np.exp(entry["r"] * expiry)
    vols = black.implied_vol(True, entry["price"], growth, strike, expiry, 1 / growth)
    kappa, theta, sigma, rho, v0 = entry["x0"]
    p = entry["params"]
    for initial in ([v0, kappa, theta, sigma, rho], None):
        fit = heston.calibrate(growth, strike, expiry, vols, initial=initial)
        assert fit.converged
        assert fit.parameters == pytest.approx(
            [p["v0"], p["kappa"], p["vbar"], p["sigma"], p["rho"]], rel=1e-6
        )


@pytest.mark.parametrize("entry", one_test_each([("sse", PUBLISHED.get("heston_dax_2002"))]))
def test_heston_calibration_of_the_dax(entry: Entry) -> None:
    surface = dax_2002()
    fit = heston.calibrate(surface.forward, surface.strike, surface.expiry, surface.vols)
    assert fit.sse * 1e4 == pytest.approx(entry["expected_sse_volpoints2"], abs=entry["tolerance"])
    assert fit.sse * 1e4 <= entry["verified"]["sse"] + 0.001


def test_the_dax_surface_is_that_of_the_file(market_data: Path) -> None:
    file = market_data / "dax-2002" / "dax_iv_surface_20020705.csv"
    days, strikes, vols = np.loadtxt(file, delimiter=",", skiprows=1, usecols=(2, 4, 5)).T
    by_strike_and_expiry = np.lexsort((days, strikes))
    assert np.array_equal(dax_2002().vols, vols[by_strike_and_expiry])
    assert np.array_equal(dax_2002().strike, strikes[by_strike_and_expiry])


def american_rows() -> Iterator[tuple[str, tuple[float, ...]]]:
    """(spot, strike, expiry, rate, yield, vol, American, tolerance, European, tolerance)."""
    entry = PUBLISHED.get("american_andersen_lake_offengenden", {"rows": ()})
    for row in entry["rows"]:
        p = entry["params"]
        contract = (p["S"], p["K"], p["T"], row["r"], p["q"], p["sigma"])
        yield (
            f"Andersen-Lake-Offengenden-r{row['r']}",
            (*contract, row["american"], row["tol"], row["european"], 1e-13 * p["S"]),
        )
    for row in PUBLISHED.get("american_longstaff_schwartz_2001", {"rows": ()})["rows"]:
        yield (
            f"Longstaff-Schwartz-{row['S']}-{row['sigma']}-{row['T']}",
            (row["S"], 40.0, row["T"], 0.06, 0.0, row["sigma"], row["american_fd"], 0.01,
             row["european"], 5.01e-4),
        )  # fmt: skip


@pytest.mark.parametrize("row", one_test_each(american_rows()))
def test_american_price(row: tuple[float, ...]) -> None:
    spot, strike, expiry, rate, q, vol, expected, tolerance, european, rounding = row
    contract = (False, spot, strike, expiry, rate, q, vol)
    precise = float(american.price(*contract, accuracy="precise"))
    assert precise == pytest.approx(expected, rel=0, abs=tolerance)
    assert float(american.price(*contract)) == pytest.approx(expected, rel=0, abs=max(tolerance, 1e-6))
    discount = np.exp(-rate * expiry)
    black_price = float(
        black.price(False, spot * np.exp(-q * expiry) / discount, strike, expiry, discount, vol)
    )
    assert black_price == pytest.approx(european, rel=0, abs=rounding)


@pytest.mark.parametrize("row", one_test_each((str(row["K"]), row)
                         for row in PUBLISHED.get("sabr_hagan", {"rows": ()})["rows"]))  # fmt: skip
def test_sabr_vol(row: Entry) -> None:
    # the column `mc_true` is how far Hagan's expansion is from the model itself, not what a formula can meet
    p = PUBLISHED["sabr_hagan"]["params"]
    vol = sabr.implied_vol(p["F"], row["K"], p["T"], p["alpha"], p["beta"], p["rho"], p["nu"])
    assert float(vol) == pytest.approx(row["value"], rel=1e-13)
    assert float(vol) == pytest.approx(row["table"], rel=0, abs=5.01e-5)


@pytest.mark.parametrize("entry", one_test_each([("Sitmo", PUBLISHED.get("ou_sitmo"))]))
def test_ou_fit(entry: Entry) -> None:
    expected = entry["max_likelihood"]
    fit = ou.fit(entry["S"], entry["dt"])
    assert fit.kappa == pytest.approx(expected["lam"], rel=1e-12)
    assert fit.mean == pytest.approx(expected["mu"], rel=1e-12)
    assert fit.sigma == pytest.approx(expected["sigma"], rel=1e-12)
