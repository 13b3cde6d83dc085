"""The surface of record: the market's own smiles, one an expiry, inside the quotes and free of arbitrage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.cyext import variance_smile
from skewline.cyext.essvi import EssviFits
from skewline.cyext.status import Status
from skewline.cyext.variance_smile import VarianceSmile, VarianceSmiles
from skewline.servers.calibration.contracts import Doubles
from skewline.servers.calibration.forwards import Forward
from skewline.servers.calibration.published import CALENDAR_ROUNDING, published
from skewline.servers.calibration.smiles import Smiles
from skewline.servers.calibration.verdict import FAILED, GOOD, POOR, at_least, at_most, failed
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2

RECORD: Final = surface_pb2.VOL_MODEL_RECORD

# Total variance may not rise faster than twice the log-moneyness: R. Lee, The moment formula (2004).
STEEPEST_WING: Final = 2.0


@dataclass(frozen=True, slots=True)
class RecordFit:
    """One expiry: the smile and what was checked of it."""

    smile: surface_pb2.RecordSmile
    checks: tuple[surface_pb2.FitCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordSurface:
    """All expiries, and the vol of each quote of the columns (NaN where there is no smile)."""

    fits: tuple[RecordFit, ...]
    vols: Doubles

    @property
    def good(self) -> int:
        """Expiries whose smile may be traded on."""
        return sum(each.smile.status == GOOD for each in self.fits)


def fit_record(
    whole: Smiles,
    shown: Smiles,
    years: Doubles,
    forwards: Sequence[Forward],
    settings: CalibrationSettings,
    starts: EssviFits | None = None,
) -> RecordSurface:
    """Fit to `whole`, every quote that has a vol, from `starts`; the vols are at the quotes `shown`.

    An expiry whose forward is its neighbours' has no smile: all later ones would have to lie above it.
    """
    quotes = np.diff(whole.offsets)
    reasons = [_unfit(forward, int(count), settings) for forward, count in zip(forwards, quotes, strict=True)]
    level = np.array(
        [each.forward if not why else math.nan for each, why in zip(forwards, reasons, strict=True)]
    )
    found = variance_smile.calibrate_many(
        *(level, years, whole.strike, whole.bid_iv, whole.ask_iv, whole.offsets),
        mid_vols=whole.mid_iv,
        starts=starts,
    )
    free = published(found)
    vols = np.full(shown.strike.size, np.nan)
    fits = []
    for index, why in enumerate(reasons):
        if why or found.offsets[index] == found.offsets[index + 1]:
            why = why or Status(int(found.status[index])).name
            fits.append(RecordFit(surface_pb2.RecordSmile(status=FAILED, reasons=[why])))
            continue
        rows = slice(int(shown.offsets[index]), int(shown.offsets[index + 1]))
        smile = found.smile(index)
        vols[rows] = smile.vol(np.log(shown.strike[rows] / level[index]))
        fits.append(_fit(found, smile, index, int(quotes[index]), free[index], settings))
    return RecordSurface(tuple(fits), vols)


def smile_of(fitted: surface_pb2.VolSlice) -> VarianceSmile:
    """The smile of a slice that has one, to be evaluated."""
    record = fitted.record
    knot, variance, curvature = (np.array(each) for each in (record.knot, record.variance, record.curvature))
    return VarianceSmile(fitted.years, knot, variance, curvature)


def _unfit(forward: Forward, quotes: int, settings: CalibrationSettings) -> str:
    if not forward.known:
        return "NO_FORWARD"
    if "FORWARD_INTERPOLATED" in forward.reasons:
        return "FORWARD_INTERPOLATED"
    return "TOO_FEW_STRIKES" if quotes < settings.min_strikes else ""


def _fit(
    found: VarianceSmiles,
    smile: VarianceSmile,
    index: int,
    quotes: int,
    free: bool,
    settings: CalibrationSettings,
) -> RecordFit:
    wings = smile.derivatives(smile.knot[[0, -1]])[1]
    checks = [
        at_least("BUTTERFLY", RECORD, float(found.least_g[index]), 0.0),
        at_most("LEE", RECORD, float(np.abs(wings).max()), STEEPEST_WING),
        at_least("INSIDE_BAND", RECORD, float(found.inside[index]), settings.min_record_inside),
    ]
    # The first expiry has none before it.
    if math.isfinite(found.calendar[index]):
        checks.append(at_least("CALENDAR", RECORD, float(found.calendar[index]), CALENDAR_ROUNDING))
    # Quotes that contradict one another are no fault of the smile between them, and may be what is traded.
    reasons = [name for name in failed(checks) if name != "INSIDE_BAND"]
    if not free and not reasons:
        reasons.append(Status(int(found.status[index])).name)
    w, slope, bend = (float(each) for each in smile.derivatives(0.0))
    vol = math.sqrt(w / smile.expiry)
    skew = slope / (2.0 * vol * smile.expiry)
    message = surface_pb2.RecordSmile(
        knot=smile.knot.tolist(),
        variance=smile.variance.tolist(),
        curvature=smile.curvature.tolist(),
        atm_vol=vol,
        atm_skew=skew,
        atm_curvature=(bend / (2.0 * smile.expiry) - skew * skew) / vol,
        quotes=quotes,
        inside_band=float(found.inside[index]),
        rmse=float(found.rmse[index]),
        iterations=int(found.iterations[index]),
        converged=bool(found.status[index] == Status.OK),
        status=POOR if reasons else GOOD,
        reasons=reasons,
    )
    return RecordFit(message, tuple(checks))
