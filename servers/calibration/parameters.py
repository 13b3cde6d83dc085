"""Factors and parameters of a fitted surface by name, as their history lists them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from skewline.servers.calibration.level import THIRTY_DAYS
from skewline.servers.calibration.verdict import GOOD, POOR
from skewline.servers.runtime.validation import Validation
from skewline.v1 import calibration_service_pb2 as pb
from skewline.v1 import surface_pb2

_USABLE: Final = (GOOD, POOR)
_FACTORS: Final = ("LEVEL", "SKEW", "CURVATURE", "TERM_SLOPE")

# The fit in its message; None where there is none.
_OF_SURFACE: Final[Mapping[str, tuple[Callable[[surface_pb2.VolSurface], Any], tuple[str, ...]]]] = {
    "ou": (lambda s: s.ou if s.ou.status in _USABLE else None, ("kappa", "mean", "sigma", "half_life")),
    "heston": (
        lambda s: s.heston if s.heston.status in _USABLE else None,
        ("v0", "kappa", "theta", "sigma", "rho", "rmse"),
    ),
}
_OF_SLICE: Final[Mapping[str, tuple[Callable[[surface_pb2.VolSlice], Any], tuple[str, ...]]]] = {
    "record": (
        lambda s: s.record if s.record.quotes else None,
        ("atm_vol", "atm_skew", "atm_curvature", "rmse", "inside_band"),
    ),
    "sabr": (lambda s: s.sabr if s.status in _USABLE else None, ("alpha", "rho", "nu", "rmse")),
    "essvi": (lambda s: s.essvi if s.essvi.status in _USABLE else None, ("theta", "rho", "psi", "rmse")),
    "svi": (lambda s: s.svi if s.svi.status in _USABLE else None, ("a", "b", "rho", "m", "sigma", "rmse")),
    "parity": (lambda s: s if s.forward > 0.0 else None, ("forward", "forward_stderr", "discount")),
}

NAMES: Final = (
    *(f"factor.{name}" for name in _FACTORS),
    *(
        f"{model}.{field}"
        for table in (_OF_SURFACE, _OF_SLICE)
        for model in table
        for field in table[model][1]
    ),
)
"""Every name that may be asked for."""


def check_names(validation: Validation, names: Collection[str]) -> None:
    """Record which of `names` there is no parameter of."""
    validation.max_length("names", names, len(NAMES))
    for at, name in enumerate(names):
        validation.check(name in NAMES, f"names[{at}]", f"must be one of {', '.join(NAMES)}; not {name!r}")


def point_of(surface: surface_pb2.VolSurface, names: Collection[str], years: float) -> pb.ParameterPoint:
    """What is known of `names` (none: all) at `surface`; columns of its slices are not needed.

    What belongs to one expiry is of that nearest to `years` (0: 30 days) in the logarithm of time.
    """
    wanted, values = frozenset(names or NAMES), {f"factor.{f.name}": f.value for f in surface.factors}
    if surface.atm_vol_30d > 0.0:
        values.setdefault("factor.LEVEL", surface.atm_vol_30d)
    values |= _read(surface, _OF_SURFACE)
    at = years or THIRTY_DAYS
    ahead = [each for each in surface.slices if each.years > 0.0]
    nearest = min(ahead, key=lambda each: abs(math.log(each.years / at)), default=None)
    if nearest is not None:
        values |= _read(nearest, _OF_SLICE)
    return pb.ParameterPoint(
        time_ns=surface.time_ns,
        surface_id=surface.surface_id,
        status=surface.status,
        expiry_date=nearest.expiry_date if nearest is not None else "",
        years=nearest.years if nearest is not None else 0.0,
        values={name: value for name, value in values.items() if name in wanted and math.isfinite(value)},
    )


def _read(
    message: Any, table: Mapping[str, tuple[Callable[[Any], Any], tuple[str, ...]]]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for model, (fit_of, fields) in table.items():
        fit = fit_of(message)
        if fit is not None:
            found |= {f"{model}.{field}": getattr(fit, field) for field in fields}
    return found
