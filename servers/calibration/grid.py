"""The values of a surface on a grid of expiries and strikes, and what such a grid must be."""

from __future__ import annotations

from typing import Final

import numpy as np

from skewline.servers.calibration.carry import Carry
from skewline.servers.calibration.contracts import Doubles, Flags
from skewline.servers.calibration.model_surface import ModelSurface, model_surface
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.servers.runtime.errors import Refused
from skewline.servers.runtime.validation import Validation
from skewline.v1 import calibration_service_pb2 as pb
from skewline.v1 import surface_pb2

_MOST_CELLS: Final = 200_000
_LONGEST_YEARS: Final = 100.0
_FARTHEST: Final = 20.0


def check_grid(validation: Validation, request: pb.SurfaceGridRequest) -> None:
    """Record what is wrong with `request`, as far as that can be said without the surface."""
    choices = (("expiry_ns", "years", False), ("strike", "log_moneyness", True))
    for one, other, needed in choices:
        given = [name for name in (one, other) if len(getattr(request, name))]
        validation.check(len(given) < 2, other, f"must be empty where {one} is given; send one of them")
        validation.check(bool(given) or not needed, one, f"is required; give it or {other} a value")
    for name, low, high in (
        ("years", 0.0, _LONGEST_YEARS),
        ("strike", 0.0, np.inf),
        ("log_moneyness", -_FARTHEST, _FARTHEST),
    ):
        column = np.array(getattr(request, name), dtype=np.float64)
        wrong = np.flatnonzero(~(np.isfinite(column) & (column > low) & (column < high)))
        if wrong.size:
            fix = f"must be a number above {low:g} and below {high:g}, not {column[wrong[0]]}"
            validation.check(False, f"{name}[{wrong[0]}]", fix)
    for at, model in enumerate(request.models):
        validation.enum(f"models[{at}]", model, surface_pb2.VolModel)
    validation.check(
        len(set(request.models)) == len(request.models), "models", "has a model twice; name each once"
    )


def grids_of(surface: surface_pb2.VolSurface, request: pb.SurfaceGridRequest) -> list[pb.SurfaceGrid]:
    """One grid a model. Raises InvalidArgument for a grid that is too large or in the past of the surface.

    Raises Refused where a model has no usable fit.
    """
    years = _years(surface, request)
    strikes = len(request.strike) or len(request.log_moneyness)
    models = list(request.models) or [surface_pb2.VOL_MODEL_RECORD]
    validation = Validation().within("grid")
    cells = years.size * strikes * len(models)
    validation.check(
        cells <= _MOST_CELLS,
        "strike" if request.strike else "log_moneyness",
        f"makes {cells} cells with the expiries and models, of at most {_MOST_CELLS}; ask in parts",
    )
    wrong = np.flatnonzero(~((years > 0.0) & (years < _LONGEST_YEARS)))
    if wrong.size:
        fix = (
            f"must be after the surface's time, {surface.time_ns}, and within {_LONGEST_YEARS:g} years of it"
        )
        validation.check(False, f"expiry_ns[{wrong[0]}]", fix)
    validation.raise_if_any()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return [_grid(surface, request, years, model) for model in models]


def _years(surface: surface_pb2.VolSurface, request: pb.SurfaceGridRequest) -> Doubles:
    if request.expiry_ns:
        return np.array([each - surface.time_ns for each in request.expiry_ns], dtype=np.float64) / YEAR_NS
    if request.years:
        return np.array(request.years)
    return np.unique([each.years for each in surface.slices if each.forward > 0.0 and each.years > 0.0])


def _grid(
    surface: surface_pb2.VolSurface,
    request: pb.SurfaceGridRequest,
    years: Doubles,
    model: surface_pb2.VolModel.ValueType,
) -> pb.SurfaceGrid:
    found: ModelSurface | None = model_surface(surface, model)
    if found is None:
        name = surface_pb2.VolModel.Name(model)
        raise Refused(
            "MODEL_HAS_NO_FIT",
            f"grid.models: {name} has no usable fit on surface {surface.surface_id}; ask for another model",
            {"model": name, "surface_id": surface.surface_id},
        )
    carry = Carry(surface.spot, surface.slices)
    forward = carry.forward(years)
    if request.strike:
        k = np.log(np.array(request.strike) / forward[:, np.newaxis])
    else:
        k = np.broadcast_to(np.array(request.log_moneyness), (years.size, len(request.log_moneyness)))
    values = found.at(years, k)
    return pb.SurfaceGrid(
        model=model,
        years=years.tolist(),
        forward=forward.tolist(),
        discount=carry.discount(years).tolist(),
        extrapolated=values.extrapolated.tolist(),
        strike=(forward[:, np.newaxis] * np.exp(k)).ravel().tolist(),
        log_moneyness=k.ravel().tolist(),
        volatility=np.sqrt(values.variance / years[:, np.newaxis]).ravel().tolist(),
        total_variance=values.variance.ravel().tolist(),
        beyond_quotes=_beyond_quotes(surface, years, k).ravel().tolist(),
        density=values.density.ravel().tolist() if request.density else [],
        local_vol=values.local_vol.ravel().tolist() if request.local_vol else [],
    )


def _beyond_quotes(surface: surface_pb2.VolSurface, years: Doubles, k: Doubles) -> Flags:
    """Outside the strikes quoted, whose ends lie on a line in √time between expiries."""
    quoted = [each for each in surface.slices if each.strike and each.forward > 0.0]
    if not quoted:
        return np.ones(k.shape, dtype=np.bool_)
    root = np.sqrt([each.years for each in quoted])
    ends = np.log([(each.strike[0] / each.forward, each.strike[-1] / each.forward) for each in quoted])
    low, high = (np.interp(np.sqrt(years), root, column)[:, np.newaxis] for column in ends.T)
    # A strike that is quoted is not beyond, whatever rounding says.
    outside: Flags = (k < low - 1e-12) | (k > high + 1e-12)
    return outside
