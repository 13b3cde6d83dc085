"""What a quote's vol should be, by its neighbours: the fit, corrected by where they lie around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_FEWEST_A_SIDE: Final = 3
_OUTLIER: Final = 3.0


@dataclass(frozen=True, slots=True)
class FairVols:
    """Fair vol of each quote, the error of that vol, and whether there were neighbours enough to say it."""

    vol: Doubles
    error: Doubles
    known: Flags


def fair_vols(
    log_moneyness: Doubles, market: Doubles, model: Doubles, *, a_side: int, least_error: float
) -> FairVols:
    """A quadratic in log-moneyness through the residuals market - model of `a_side` neighbours on each side.

    The quote itself is left out, so that it cannot vouch for itself; an outlier among the neighbours counts
    little. Three parameters do not follow a whole smile: what is common to neighbours is the model's error,
    not a mispricing. `error` is the neighbours' own scatter about the quadratic, that of the prediction, and
    half of its distance from the straight line between the two nearest, which strikes far apart make large.
    """
    count = log_moneyness.size
    offsets = np.concatenate((np.arange(-a_side, 0), np.arange(1, a_side + 1)))
    index = np.arange(count)[:, np.newaxis] + offsets
    there = (index >= 0) & (index < count)
    index = np.clip(index, 0, max(count - 1, 0))
    known = (there[:, :a_side].sum(axis=1) >= _FEWEST_A_SIDE) & (
        there[:, a_side:].sum(axis=1) >= _FEWEST_A_SIDE
    )
    if not known.any():
        return FairVols(model.copy(), np.full(count, np.inf), known)
    residual = (market - model)[index]
    distance = np.where(there, log_moneyness[index] - log_moneyness[:, np.newaxis], 0.0)
    distance /= np.maximum(np.abs(distance).max(axis=1, keepdims=True), 1e-12)
    powers = distance[..., np.newaxis] ** np.arange(3.0)
    weight = there.astype(np.float64)
    value, inverse, misfit = _solve(powers, weight, residual)
    typical = np.maximum(np.median(np.where(there, np.abs(misfit), 0.0), axis=1, keepdims=True), 1e-9)
    weight = there / (1.0 + (misfit / (_OUTLIER * typical)) ** 2)
    value, inverse, misfit = _solve(powers, weight, residual)
    free = np.maximum(there.sum(axis=1) - 3, 1)
    variance = np.where(there, misfit * misfit, 0.0).sum(axis=1) / free
    between = _between(distance[:, a_side - 1 : a_side + 1], residual[:, a_side - 1 : a_side + 1])
    error = np.sqrt(
        variance * (1.0 + np.clip(inverse[:, 0, 0], 0.0, 10.0)) + (0.5 * (value[:, 0] - between)) ** 2
    )
    return FairVols(model + value[:, 0], np.maximum(error, least_error), known)


def _between(distance: Doubles, residual: Doubles) -> Doubles:
    """The residual that the straight line between the two nearest neighbours says."""
    left, right = -distance[:, 0], distance[:, 1]
    total = np.maximum(left + right, 1e-12)
    line: Doubles = (right * residual[:, 0] + left * residual[:, 1]) / total
    return line


def _solve(powers: Doubles, weight: Doubles, residual: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    normal = np.einsum("nid,ni,nie->nde", powers, weight, powers) + 1e-10 * np.eye(3)
    inverse = np.linalg.inv(normal)
    value = np.einsum("nde,nie,ni,ni->nd", inverse, powers, weight, residual)
    return value, inverse, residual - np.einsum("nid,nd->ni", powers, value)
