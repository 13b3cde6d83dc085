"""Surfaces as calibration fits them to made-up chains, with one thing about them out of place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from smile_chains import DAY_NS, THURSDAY_NS, Quoting, Smile, smile_chain

from skewline.servers.calibration.fit import fit_surface
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, instrument_pb2, surface_pb2

# Fridays, so that weekends weigh the same between all of them.
FRIDAYS = (
    (22, "2019-05-17"),
    (29, "2019-05-24"),
    (36, "2019-05-31"),
    (43, "2019-06-07"),
    (50, "2019-06-14"),
    (57, "2019-06-21"),
    (64, "2019-06-28"),
    (71, "2019-07-05"),
)
STRIKES = np.arange(80.0, 121.0, 1.0)


def weekly_smiles(level: float = 0.2) -> tuple[Smile, ...]:
    """Eight weekly expiries of one level."""
    return tuple(
        Smile(days=days, date=date, forward=100.0 + days / 500, alpha=level, nu=1.0) for days, date in FRIDAYS
    )


def surface(
    *,
    smiles: tuple[Smile, ...] | None = None,
    day: int = 0,
    spot: float = 100.0,
    half_spread: float = 0.01,
    native_ids: bool = False,
    exercise: instrument_pb2.ExerciseStyle.ValueType = instrument_pb2.EXERCISE_STYLE_EUROPEAN,
    spoil: Callable[[chain_pb2.OptionChain], None] | None = None,
    settings: CalibrationSettings | None = None,
) -> surface_pb2.VolSurface:
    """The surface of day `day`; `spoil` changes the chain before it is fitted."""
    scaled = tuple(replace(each, forward=each.forward * spot / 100.0) for each in smiles or weekly_smiles())
    quoting = Quoting(
        strikes=STRIKES,
        half_spread=half_spread,
        spot=spot,
        exercise=exercise,
        native_ids=native_ids,
        noise_seed=day,
    )
    chain = smile_chain(scaled, quoting, time_ns=THURSDAY_NS + day * DAY_NS, snapshot_id=f"snapshot-{day}")
    if spoil is not None:
        spoil(chain)
    return fit_surface(chain, settings or CalibrationSettings())


def shift_quote(
    chain: chain_pb2.OptionChain, *, expiry: int, strike: float, is_call: bool, by: float
) -> None:
    """Move bid and ask of one contract."""
    for at, index in enumerate(chain.expiry_index):
        if index == expiry and chain.strike[at] == strike and chain.is_call[at] == is_call:
            chain.bid[at] += by
            chain.ask[at] += by
