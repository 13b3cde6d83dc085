"""From a chain to its surface: each step in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from skewline.servers.calibration.beside import beside
from skewline.servers.calibration.contracts import Contracts, contracts_of
from skewline.servers.calibration.essvi_slices import fit_essvi
from skewline.servers.calibration.exercise import exercise_of
from skewline.servers.calibration.factors import LEVEL, factor_values, factors_of
from skewline.servers.calibration.forwards import Forward, forwards_of, spot_known
from skewline.servers.calibration.heston_surface import fit_heston
from skewline.servers.calibration.level import THIRTY_DAYS, atm_vol_at, fit_level
from skewline.servers.calibration.memory import Memory
from skewline.servers.calibration.outliers import outliers_of
from skewline.servers.calibration.quality import qualities
from skewline.servers.calibration.rates.curve import Curve
from skewline.servers.calibration.record import RecordSurface, fit_record
from skewline.servers.calibration.sabr_smiles import fit_sabr
from skewline.servers.calibration.slices import Models, add_record, present, slices_of
from skewline.servers.calibration.smile_checks import add_checks
from skewline.servers.calibration.smiles import near_the_money, smiles_of
from skewline.servers.calibration.steps import Steps, unobserved
from skewline.servers.calibration.surface_checks import surface_checks
from skewline.servers.calibration.svi_slices import fit_svi
from skewline.servers.calibration.verdict import FAILED, GOOD, POOR, failed
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2, surface_pb2

# Checks of the whole that a surface must pass to be good, and the reason it gives where it does not.
_REFUSING: Final = {"GOOD_EXPIRIES": "TOO_FEW_GOOD_RECORDS", "STABILITY": "STABILITY"}


def fit_surface(
    chain: chain_pb2.OptionChain,
    settings: CalibrationSettings,
    memory: Memory = Memory(),  # noqa: B008 - it is immutable
    steps: Steps = unobserved,
    curve: Curve | None = None,
) -> surface_pb2.VolSurface:
    """Fit `chain`, whose columns are of one length; whatever comes of it, the surface's status says so.

    `curve` gives the rates that the quotes do not say.
    """
    # What overflows or has no value ends in a reason, not in a warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _fitted(chain, settings, memory, steps, curve)


def _fitted(
    chain: chain_pb2.OptionChain,
    settings: CalibrationSettings,
    memory: Memory,
    steps: Steps,
    curve: Curve | None,
) -> surface_pb2.VolSurface:
    american = chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
    contracts = contracts_of(chain, settings)
    with steps("calibration.forward") as note:
        spots, dividends = exercise_of(chain)
        forwards = forwards_of(contracts, chain.spot, american, settings, chain.expiries, curve, dividends)
        note("expiries", len(forwards))
        note("forwards", sum(each.known for each in forwards))
    with steps("calibration.implied_vol") as note:
        whole, left_out = smiles_of(contracts, forwards, settings, spots, dividends)
        outliers = outliers_of(whole, chain.expiries, chain.time_ns, memory.smiles, settings)
        left_out["OUTLIER"] = int(np.count_nonzero(outliers.flags))
        priced, whole = whole, whole.kept(~outliers.flags)
        smiles = near_the_money(whole, settings)
        left_out["FAR_FROM_THE_MONEY"] = whole.strike.size - smiles.strike.size
        note("quotes", smiles.strike.size)
        note("outliers", left_out["OUTLIER"])
    with steps("calibration.essvi"):
        essvi = fit_essvi(smiles, contracts.years, forwards, settings)

    def fit_of_record() -> RecordSurface:
        with steps("calibration.record") as note:
            found = fit_record(whole, smiles, contracts.years, forwards, settings, essvi.slices)
            note("good", found.good)
            return found

    # It takes as long as all that follow, and they do not need it.
    coming = beside(fit_of_record, settings.threads)
    with steps("calibration.sabr") as note:
        sabr = fit_sabr(smiles, forwards, settings)
        note("rmse", sabr.rmse)
        note("good", sum(each.status == GOOD for each in sabr.smiles))
    with steps("calibration.svi"):
        svi = fit_svi(smiles, contracts.years, forwards, settings)
    with steps("calibration.heston") as note:
        heston = fit_heston(smiles, sabr, memory.heston, settings)
        note("rmse", heston.fit.rmse)
        note("quotes", heston.fit.quotes)
        note("iterations", heston.fit.iterations)
    models = Models(sabr, essvi, svi, heston)
    slices = slices_of(chain, contracts, forwards, smiles, models, dividends)
    for index, fitted in zip(present(contracts), slices, strict=True):
        fitted.outliers.extend(outliers.of_expiry(index, priced, contracts))
    with steps("calibration.checks"):
        add_checks(slices)
    record = coming()
    add_record(slices, contracts, smiles, record)
    level = atm_vol_at(THIRTY_DAYS, slices)
    with steps("calibration.ou") as note:
        values = factor_values(level, slices)
        history = memory.with_factors(chain.time_ns, values, settings.ou_max_points)
        factors = factors_of(history, values, settings)
        ou = next((each.ou for each in factors if each.name == LEVEL), None) or fit_level(
            [(point.time_ns, point.level) for point in history], settings
        )
        note("observations", ou.observations)
    checks = surface_checks(chain.time_ns, level, slices, heston.fit, memory, settings)
    status, reasons = _verdict(slices, checks, sabr.rmse, level, settings)
    return surface_pb2.VolSurface(
        surface_id=derive_id("surface", chain.snapshot_id),
        snapshot_id=chain.snapshot_id,
        underlying=chain.underlying,
        time_ns=chain.time_ns,
        provenance=chain.provenance,
        spot=_spot(chain.spot, forwards),
        exercise=chain.exercise,
        slices=slices,
        heston=heston.fit,
        ou=ou,
        factors=factors,
        atm_vol_30d=level,
        rmse=sabr.rmse,
        status=status,
        reasons=reasons,
        excluded=_excluded(contracts, left_out),
        quotes=smiles.strike.size,
        multiplier=chain.multiplier,
        currency=chain.currency,
        checks=checks,
        models=qualities(smiles, record, models),
        corporate_actions=chain.corporate_actions,
    )


def _verdict(
    slices: Sequence[surface_pb2.VolSlice],
    found: Sequence[surface_pb2.FitCheck],
    rmse: float,
    level: float,
    settings: CalibrationSettings,
) -> tuple[surface_pb2.FitStatus.ValueType, list[str]]:
    good = sum(each.status == GOOD for each in slices)
    if not slices:
        return FAILED, ["NO_USABLE_QUOTES"]
    if not good:
        return FAILED, ["NO_GOOD_SLICE"]
    checks = {
        "TOO_FEW_GOOD_SLICES": good < settings.min_good_share * len(slices),
        **{_REFUSING[name]: True for name in failed(found) if name in _REFUSING},
        "RMSE": rmse > max(settings.max_surface_rmse, settings.max_relative_rmse * level),
    }
    reasons = [reason for reason, true in checks.items() if true]
    return (POOR if reasons else GOOD), reasons


def _spot(spot: float, forwards: Sequence[Forward]) -> float:
    if spot_known(spot):
        return spot
    return next((each.forward for each in forwards if each.known), 0.0)


def _excluded(contracts: Contracts, left_out: Mapping[str, int]) -> list[common_pb2.ReasonCount]:
    reasons, counts = np.unique(contracts.reason[~contracts.usable], return_counts=True)
    together = dict(zip(reasons.tolist(), counts.tolist(), strict=True))
    for reason, count in left_out.items():
        together[reason] = together.get(reason, 0) + count
    return [
        common_pb2.ReasonCount(reason=reason, count=count)
        for reason, count in sorted(together.items())
        if count
    ]
