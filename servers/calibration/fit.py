"""From a chain to its surface: each step in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from skewline.servers.calibration.contracts import Contracts, Doubles, contracts_of
from skewline.servers.calibration.forwards import Forward, forwards_of, spot_known
from skewline.servers.calibration.heston_surface import HestonSurface, fit_heston
from skewline.servers.calibration.level import THIRTY_DAYS, atm_vol_at, fit_level
from skewline.servers.calibration.memory import Memory
from skewline.servers.calibration.sabr_smiles import FAILED, GOOD, POOR, SabrSmile, SabrSurface, fit_sabr
from skewline.servers.calibration.smiles import Smiles, smiles_of
from skewline.servers.calibration.steps import Steps, unobserved
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2, surface_pb2


def fit_surface(
    chain: chain_pb2.OptionChain,
    settings: CalibrationSettings,
    memory: Memory = Memory(),  # noqa: B008 - it is immutable
    steps: Steps = unobserved,
) -> surface_pb2.VolSurface:
    """Fit `chain`, whose columns are of one length; whatever comes of it, the surface's status says so."""
    # What overflows or has no value ends in a reason, not in a warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _fitted(chain, settings, memory, steps)


def _fitted(
    chain: chain_pb2.OptionChain, settings: CalibrationSettings, memory: Memory, steps: Steps
) -> surface_pb2.VolSurface:
    american = chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
    contracts = contracts_of(chain, settings)
    with steps("calibration.forward") as note:
        forwards = forwards_of(contracts, chain.spot, american, settings)
        note("expiries", len(forwards))
        note("forwards", sum(each.known for each in forwards))
    with steps("calibration.implied_vol") as note:
        smiles, left_out = smiles_of(
            contracts, forwards, settings, chain.spot if american and spot_known(chain.spot) else None
        )
        note("quotes", smiles.strike.size)
    with steps("calibration.sabr") as note:
        sabr = fit_sabr(smiles, forwards, settings)
        note("rmse", sabr.rmse)
        note("good", sum(each.status == GOOD for each in sabr.smiles))
    with steps("calibration.heston") as note:
        heston = fit_heston(smiles, sabr, memory.heston, settings)
        note("rmse", heston.fit.rmse)
        note("quotes", heston.fit.quotes)
        note("iterations", heston.fit.iterations)
    slices = _slices(chain, contracts, forwards, smiles, sabr, heston)
    level = atm_vol_at(THIRTY_DAYS, slices)
    with steps("calibration.ou") as note:
        ou = fit_level(memory.with_level(chain.time_ns, level, settings.ou_max_points), settings)
        note("observations", ou.observations)
    status, reasons = _verdict(slices, sabr.rmse, level, settings)
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
        atm_vol_30d=level,
        rmse=sabr.rmse,
        status=status,
        reasons=reasons,
        excluded=_excluded(contracts, left_out),
        quotes=smiles.strike.size,
        multiplier=chain.multiplier,
        currency=chain.currency,
    )


def _slices(
    chain: chain_pb2.OptionChain,
    contracts: Contracts,
    forwards: Sequence[Forward],
    smiles: Smiles,
    sabr: SabrSurface,
    heston: HestonSurface,
) -> list[surface_pb2.VolSlice]:
    """One slice an expiry that has usable quotes."""
    present = np.unique(contracts.expiry[contracts.usable])
    slices = []
    for index in present.tolist():
        listed, forward, smile = chain.expiries[index], forwards[index], sabr.smiles[index]
        rows = slice(int(smiles.offsets[index]), int(smiles.offsets[index + 1]))
        row = smiles.row[rows]
        heston_iv = heston.vols[rows]
        slices.append(
            surface_pb2.VolSlice(
                root=listed.root,
                expiry_date=listed.expiry_date,
                expiry_ns=listed.expiry_ns,
                settlement=listed.settlement,
                years=contracts.years[index],
                forward=forward.forward,
                forward_stderr=forward.stderr,
                discount=forward.discount,
                atm_vol=smile.atm_vol,
                sabr=smile.fit,
                status=smile.status,
                reasons=_slice_reasons(chain, smile, forward),
                strike=smiles.strike[rows].tolist(),
                is_call=smiles.is_call[rows].tolist(),
                bid=contracts.bid[row].tolist(),
                ask=contracts.ask[row].tolist(),
                bid_iv=smiles.bid_iv[rows].tolist(),
                ask_iv=smiles.ask_iv[rows].tolist(),
                mid_iv=smiles.mid_iv[rows].tolist(),
                model_iv=sabr.model_iv[rows].tolist(),
                heston_iv=heston_iv.tolist() if _any_finite(heston_iv) else [],
                open_interest=_taken(contracts.open_interest, row),
                inside_band=smile.inside_band,
                bid_size=_taken(contracts.bid_size, row),
                ask_size=_taken(contracts.ask_size, row),
                instrument_id=[chain.symbol[at] for at in contracts.position[row].tolist()]
                if chain.symbol
                else [],
            )
        )
    return slices


def _slice_reasons(chain: chain_pb2.OptionChain, smile: SabrSmile, forward: Forward) -> list[str]:
    american = chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
    # The vol of an American price needs the spot.
    style = ("AMERICAN_AS_EUROPEAN",) if american and not spot_known(chain.spot) else ()
    return list(dict.fromkeys((*smile.reasons, *forward.reasons, *style)))


def _any_finite(column: Doubles) -> bool:
    return bool(np.isfinite(column).any())


def _taken(column: Doubles, row: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[float]:
    return column[row].tolist() if column.size else []


def _verdict(
    slices: Sequence[surface_pb2.VolSlice], rmse: float, level: float, settings: CalibrationSettings
) -> tuple[surface_pb2.FitStatus.ValueType, list[str]]:
    good = sum(each.status == GOOD for each in slices)
    if not slices:
        return FAILED, ["NO_USABLE_QUOTES"]
    if not good:
        return FAILED, ["NO_GOOD_SLICE"]
    checks = {
        "TOO_FEW_GOOD_SLICES": good < settings.min_good_share * len(slices),
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
