"""What a fit takes from the fits before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skewline.servers.calibration.heston_surface import Start
from skewline.servers.calibration.last_smiles import LastSmiles
from skewline.servers.calibration.verdict import FAILED, GOOD
from skewline.v1 import surface_pb2


@dataclass(frozen=True, slots=True)
class Point:
    """The factors of one surface by name, "LEVEL" always among them."""

    time_ns: int
    values: Mapping[str, float]

    @property
    def level(self) -> float:
        """Vol at the money at 30 days."""
        return self.values["LEVEL"]


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one underlying: where Heston starts, its factors oldest first, the last good smiles."""

    heston: Start | None = None
    factors: tuple[Point, ...] = ()
    smiles: LastSmiles | None = None

    def after(self, surface: surface_pb2.VolSurface, most: int) -> Memory:
        """The memory once `surface` was fitted; it keeps the factors of the newest `most` with a level.

        Smiles are taken from good surfaces only, and must come with their columns from the newest such.
        """
        fit = surface.heston
        start = self.heston if fit.status == FAILED else (fit.v0, fit.kappa, fit.theta, fit.sigma, fit.rho)
        smiles = (LastSmiles.of(surface) if surface.status == GOOD else None) or self.smiles
        values = {each.name: each.value for each in surface.factors}
        if surface.atm_vol_30d > 0.0:
            # A surface that was stored before there were other factors has its level only.
            values.setdefault("LEVEL", surface.atm_vol_30d)
        return Memory(start, self.with_factors(surface.time_ns, values, most), smiles)

    def with_factors(self, time_ns: int, values: Mapping[str, float], most: int) -> tuple[Point, ...]:
        """The factors with one more point, unless its level is unknown or it is not newer than the last."""
        if "LEVEL" not in values or (self.factors and time_ns <= self.factors[-1].time_ns):
            return self.factors
        return (*self.factors, Point(time_ns, values))[-most:]
