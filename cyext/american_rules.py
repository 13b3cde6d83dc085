"""What the American kernel knows of its meshes before it sees an option: points, rules, interpolation.

A mesh in x = √(τ/T) has its points at x = ((1 - cos(iπ/n))/2)^γ; with γ = 1.5 they crowd at τ = 0, where the
exercise boundary has a logarithmic singularity. The boundary's ln² is a polynomial in x^{1/γ}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from skewline.cyext import _american_scheme
from skewline.cyext.arguments import Doubles

_CROWDING = 1.5


def _points(size: int) -> Doubles:
    """Chebyshev points on [-1, 1], from the left."""
    points: Doubles = -np.cos(np.pi * np.arange(size + 1) / size)
    return points


def _shares(size: int) -> Doubles:
    """The mesh in √(τ/T) without its first point, 0."""
    shares: Doubles = (0.5 * (1.0 + _points(size)[1:])) ** _CROWDING
    return shares


def _rows(size: int, shares: Doubles) -> Doubles:
    """Rows that take values at a mesh's points 1, 2, … (at 0 it is zero) to those at `shares`."""
    points = _points(size)
    weights = np.where(np.arange(size + 1) % 2 == 0, 1.0, -1.0)
    weights[[0, -1]] *= 0.5
    apart = (2.0 * shares ** (1.0 / _CROWDING) - 1.0)[:, None] - points
    # on a point of the mesh its term stands alone
    terms = weights / np.where(np.abs(apart) < 1e-14, 1e-200, apart)
    return np.ascontiguousarray((terms / terms.sum(axis=1)[:, None])[:, 1:])


def _unit_rule(size: int) -> tuple[Doubles, Doubles]:
    """Gauss–Legendre on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(size)
    return 0.5 * (nodes + 1.0), 0.5 * weights


def _quarter_turn(size: int) -> Doubles:
    """A rule on (0, π/2): rows of sines, cosines and weights."""
    y, weights = _unit_rule(size)
    angles = 0.5 * np.pi * y
    return np.stack((np.sin(angles), np.cos(angles), 0.5 * np.pi * weights))


def _crowded_quarter_turn(size: int) -> Doubles:
    """The same for θ = (π/2) y²: a spot near the boundary makes a steep step close to θ = 0."""
    y, weights = _unit_rule(size)
    angles = 0.5 * np.pi * y * y
    return np.stack((np.sin(angles), np.cos(angles), np.pi * y * weights))


def _quadrature(
    size: int, points: int, seen_from: Doubles, turn: Callable[[int], Doubles]
) -> _american_scheme.Rule:
    rule = turn(size)
    return _american_scheme.Rule(rule, _rows(points, np.outer(seen_from, rule[1]).ravel()))


def scheme(stages: Sequence[tuple[int, int, int]], premium: int, tolerance: float) -> _american_scheme.Scheme:
    """From (mesh points, rule size, sweeps) of each stage, the size of the premium's rule, and the tolerance.

    `tolerance` bounds the last relative change of the boundary; an option beyond it is not settled.
    """
    made = []
    before = stages[0][0]
    for points, size, sweeps in stages:
        shares = _shares(points)
        rule = _quadrature(size, points, shares, _quarter_turn)
        made.append(_american_scheme.Stage(points, sweeps, shares, _rows(before, shares), rule))
        before = points
    return _american_scheme.Scheme(
        made, _quadrature(premium, before, np.ones(1), _crowded_quarter_turn), tolerance
    )
