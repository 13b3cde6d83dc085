import csv
import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from skewline.cyext import black, heston, sabr
from skewline.cyext.arguments import Doubles
from skewline.cyext.status import Status


@pytest.fixture(scope="module")
def smiles(market_data: Path) -> list[tuple[float, float, Doubles, Doubles]]:
    """(forward, expiry, strikes, vols) of each PM-settled SPX expiry, from bid and ask out of the money."""
    path = market_data / "spx-2019" / "SPX_20190425.csv.gz"
    with gzip.open(path, "rt") as lines:
        rows = [row for row in csv.DictReader(lines) if row["optionroot"].startswith("SPXW")]
    today = datetime.strptime(rows[0]["quotedate"], "%m/%d/%Y")  # noqa: DTZ007
    found = []
    for expiration in sorted({row["expiration"] for row in rows}):
        expiry = ((datetime.strptime(expiration, "%m/%d/%Y") - today).days + 0.04) / 365  # noqa: DTZ007
        mids: dict[str, dict[float, float]] = {"call": {}, "put": {}}
        for row in rows:
            if row["expiration"] == expiration and float(row["bid"]) > 0:
                mids[row["type"]][float(row["strike"])] = (float(row["bid"]) + float(row["ask"])) / 2
        both = np.array(sorted(mids["call"].keys() & mids["put"].keys()))
        gap = np.array([mids["call"][k] - mids["put"][k] for k in both])
        near = np.abs(gap) < 100
        if near.sum() < 5:
            continue
        slope, level = np.polyfit(both[near], gap[near], 1)
        forward = float(level / -slope)
        strikes = np.array(sorted(mids["call"].keys() | mids["put"].keys()))
        is_call = strikes >= forward
        price = np.array(
            [mids["call" if c else "put"].get(k, np.nan) for k, c in zip(strikes, is_call, strict=True)]
        )
        vols = black.implied_vol_with_status(is_call, price, forward, strikes, expiry, float(-slope))
        assert set(vols.status[np.isfinite(price)]) == {Status.OK}
        found.append((forward, expiry, strikes, vols.vol))
    return found


def test_every_real_smile_is_fitted(smiles: list[tuple[float, float, Doubles, Doubles]]) -> None:
    offsets = np.concatenate(([0], np.cumsum([len(one[2]) for one in smiles])))
    fits = sabr.calibrate_many(
        [one[0] for one in smiles],
        [one[1] for one in smiles],
        np.concatenate([one[2] for one in smiles]),
        np.concatenate([one[3] for one in smiles]),
        offsets,
    )
    assert len(smiles) > 20
    assert fits.converged.all()
    assert (fits.rmse < 0.02).all()


def test_the_real_surface_is_fitted(smiles: list[tuple[float, float, Doubles, Doubles]]) -> None:
    forward, expiry, strike, vols = (
        np.concatenate(parts)
        for parts in zip(
            *((np.full(k.size, f), np.full(k.size, t), k, v) for f, t, k, v in smiles),
            strict=True,
        )
    )
    near = np.abs(np.log(strike / forward)) < 4 * 0.15 * np.sqrt(expiry)
    fit = heston.calibrate(forward[near][::5], strike[near][::5], expiry[near][::5], vols[near][::5])
    assert fit.converged
    assert fit.agreed
    assert fit.rmse < 0.025
    assert -0.9 < fit.rho < -0.4
