"""The smiles of a surface as functions: total variance and its derivatives by log-moneyness, by model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from skewline.cyext import sabr
from skewline.servers.calibration.contracts import Doubles, Flags, Indices
from skewline.servers.calibration.differences import STEP, differentiated
from skewline.servers.calibration.record import smile_of
from skewline.servers.calibration.verdict import FAILED
from skewline.v1 import surface_pb2

Derivatives = tuple[Doubles, Doubles, Doubles]

Slices = Sequence[surface_pb2.VolSlice]


class Curves(Protocol):
    """Smiles of one model, one a slice; NaN where `usable` says that the slice has none."""

    @property
    def usable(self) -> Flags:
        """Which slices have a smile."""

    def derivatives(self, which: Indices, k: Doubles) -> Derivatives:
        """w, dw/dk and d²w/dk² of slice which[i] at log-moneyness k[i, :]; shapes (m,) and (m, n)."""


@dataclass(frozen=True, slots=True)
class RecordCurves:
    """The smiles of record."""

    slices: Slices

    @property
    def usable(self) -> Flags:
        """Those with knots and no fault: what may be arbitraged is no surface."""
        return np.array([each.record.status == surface_pb2.FIT_STATUS_GOOD for each in self.slices], np.bool_)

    def derivatives(self, which: Indices, k: Doubles) -> Derivatives:
        """By the spline's own coefficients."""
        usable = self.usable
        out = np.full((3, *k.shape), np.nan)
        for index in np.unique(which).tolist():
            if usable[index]:
                rows = which == index
                out[:, rows] = smile_of(self.slices[index]).derivatives(k[rows])
        return out[0], out[1], out[2]


@dataclass(frozen=True, slots=True)
class SabrCurves:
    """Hagan's vols."""

    forward: Doubles
    years: Doubles
    alpha: Doubles
    beta: Doubles
    rho: Doubles
    nu: Doubles

    @property
    def usable(self) -> Flags:
        """Those with a fit."""
        usable: Flags = np.isfinite(self.alpha)
        return usable

    def derivatives(self, which: Indices, k: Doubles) -> Derivatives:
        """By differences."""
        deviation = np.sqrt(self._variance(which, np.zeros((which.size, 1))))
        return differentiated(lambda at: self._variance(which, at), k, STEP * deviation)

    def _variance(self, which: Indices, k: Doubles) -> Doubles:
        forward, years, alpha, beta, rho, nu = (
            each[which][:, np.newaxis]
            for each in (self.forward, self.years, self.alpha, self.beta, self.rho, self.nu)
        )
        variance: Doubles = (
            sabr.implied_vol(forward, forward * np.exp(k), years, alpha, beta, rho, nu) ** 2 * years
        )
        return variance


@dataclass(frozen=True, slots=True)
class SviCurves:
    """Raw SVI, w = a + b (ρ(k - m) + √((k - m)² + σ²)): J. Gatheral & A. Jacquier (2014); eSSVI is one."""

    a: Doubles
    b: Doubles
    rho: Doubles
    m: Doubles
    sigma: Doubles

    @property
    def usable(self) -> Flags:
        """Those with a fit."""
        usable: Flags = np.isfinite(self.a)
        return usable

    def derivatives(self, which: Indices, k: Doubles) -> Derivatives:
        """By the formula."""
        a, b, rho, m, sigma = (
            each[which][:, np.newaxis] for each in (self.a, self.b, self.rho, self.m, self.sigma)
        )
        distance = k - m
        root = np.hypot(distance, sigma)
        w = a + b * (rho * distance + root)
        slope = b * (rho + distance / root)
        bend = b * np.square(sigma) / root**3
        return w, slope, bend


def curves_of(slices: Slices, model: surface_pb2.VolModel.ValueType) -> Curves:
    """The smiles of `model`, which must have one an expiry: Heston has not."""
    match model:
        case surface_pb2.VOL_MODEL_RECORD:
            return RecordCurves(slices)
        case surface_pb2.VOL_MODEL_SABR:
            return _sabr(slices)
        case surface_pb2.VOL_MODEL_ESSVI:
            return _essvi(slices)
        case surface_pb2.VOL_MODEL_SVI:
            return _svi(slices)
    raise ValueError(f"{surface_pb2.VolModel.Name(model)} is not fitted an expiry at a time")


def _sabr(slices: Slices) -> SabrCurves:
    rows = [(s.sabr.alpha, s.sabr.beta, s.sabr.rho, s.sabr.nu) for s in slices]
    failed = np.array([s.status == FAILED or not s.sabr.alpha > 0.0 for s in slices], np.bool_)
    fits = np.array(rows).reshape(-1, 4).T
    fits[:, failed] = np.nan
    forward, years = np.array([s.forward for s in slices]), np.array([s.years for s in slices])
    return SabrCurves(forward, years, *fits)


def _essvi(slices: Slices) -> SviCurves:
    fits = np.array([(s.essvi.theta, s.essvi.rho, s.essvi.psi) for s in slices]).reshape(-1, 3).T
    fits[:, [s.essvi.status == FAILED for s in slices]] = np.nan
    theta, rho, psi = fits
    rest = np.sqrt(1.0 - np.square(rho))
    return SviCurves(0.5 * theta * np.square(rest), 0.5 * psi, rho, -rho * theta / psi, theta * rest / psi)


def _svi(slices: Slices) -> SviCurves:
    fits = np.array([(s.svi.a, s.svi.b, s.svi.rho, s.svi.m, s.svi.sigma) for s in slices]).reshape(-1, 5).T
    fits[:, [not s.svi.sigma > 0.0 for s in slices]] = np.nan
    return SviCurves(*fits)
