"""What was found at each expiry, as the contract says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skewline.servers.calibration.cash_dividends import NO_DIVIDENDS, CashDividends
from skewline.servers.calibration.contracts import Contracts, Doubles, Indices
from skewline.servers.calibration.essvi_slices import EssviSurface
from skewline.servers.calibration.exercise import exercise_of
from skewline.servers.calibration.forwards import Forward
from skewline.servers.calibration.heston_surface import HestonSurface
from skewline.servers.calibration.record import RecordSurface
from skewline.servers.calibration.sabr_smiles import SabrSmile, SabrSurface
from skewline.servers.calibration.smiles import Smiles
from skewline.servers.calibration.svi_slices import SviSurface
from skewline.servers.runtime.messages import copy_into
from skewline.v1 import chain_pb2, instrument_pb2, surface_pb2


@dataclass(frozen=True, slots=True)
class Models:
    """The models fitted to one chain, beside its record."""

    sabr: SabrSurface
    essvi: EssviSurface
    svi: SviSurface
    heston: HestonSurface


def present(contracts: Contracts) -> list[int]:
    """The expiries that have usable quotes: those of the slices, in their order."""
    return [int(index) for index in np.unique(contracts.expiry[contracts.usable])]


def slices_of(
    chain: chain_pb2.OptionChain,
    contracts: Contracts,
    forwards: Sequence[Forward],
    smiles: Smiles,
    models: Models,
    dividends: CashDividends = NO_DIVIDENDS,
) -> list[surface_pb2.VolSlice]:
    """One slice an expiry that has usable quotes, without its record."""
    slices = []
    for index in present(contracts):
        listed, forward, smile = chain.expiries[index], forwards[index], models.sabr.smiles[index]
        rows = slice(int(smiles.offsets[index]), int(smiles.offsets[index + 1]))
        row = smiles.row[rows]
        heston_iv = models.heston.vols[rows]
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
                reasons=_reasons(chain, smile, forward),
                strike=smiles.strike[rows].tolist(),
                is_call=smiles.is_call[rows].tolist(),
                bid=contracts.bid[row].tolist(),
                ask=contracts.ask[row].tolist(),
                bid_iv=smiles.bid_iv[rows].tolist(),
                ask_iv=smiles.ask_iv[rows].tolist(),
                mid_iv=smiles.mid_iv[rows].tolist(),
                model_iv=models.sabr.model_iv[rows].tolist(),
                heston_iv=heston_iv.tolist() if bool(np.isfinite(heston_iv).any()) else [],
                open_interest=_taken(contracts.open_interest, row),
                inside_band=smile.inside_band,
                bid_size=_taken(contracts.bid_size, row),
                ask_size=_taken(contracts.ask_size, row),
                instrument_id=[chain.symbol[at] for at in contracts.position[row].tolist()]
                if chain.symbol
                else [],
                essvi=models.essvi.fits[index],
                svi=models.svi.fits[index],
                dividends=dividends.until(float(contracts.years[index])),
                on_future=listed.on_future,
            )
        )
    return slices


def add_record(
    slices: Sequence[surface_pb2.VolSlice], contracts: Contracts, smiles: Smiles, record: RecordSurface
) -> None:
    """Add to each slice the smile of record, its vols and, before those of the models, its checks."""
    for index, fitted in zip(present(contracts), slices, strict=True):
        found = record.fits[index]
        copy_into(fitted.record, found.smile)
        fitted.record_iv.extend(record.vols[smiles.offsets[index] : smiles.offsets[index + 1]].tolist())
        of_models = list(fitted.checks)
        del fitted.checks[:]
        fitted.checks.extend([*found.checks, *of_models])


def _reasons(chain: chain_pb2.OptionChain, smile: SabrSmile, forward: Forward) -> list[str]:
    american = chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
    # The vol of an American price needs the price of what is delivered.
    style = ("AMERICAN_AS_EUROPEAN",) if american and exercise_of(chain)[0] is None else ()
    return list(dict.fromkeys((*smile.reasons, *forward.reasons, *style)))


def _taken(column: Doubles, row: Indices) -> list[float]:
    return column[row].tolist() if column.size else []
