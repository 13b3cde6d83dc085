"""What a fit takes from the fits before it."""

from __future__ import annotations

from dataclasses import dataclass

from skewline.servers.calibration.heston_surface import Start
from skewline.servers.calibration.last_smiles import LastSmiles
from skewline.servers.calibration.verdict import FAILED, GOOD
from skewline.v1 import surface_pb2


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one underlying: where Heston starts, (data time, vol at 30 days) oldest first, the last smiles."""

    heston: Start | None = None
    level: tuple[tuple[int, float], ...] = ()
    smiles: LastSmiles | None = None

    def after(self, surface: surface_pb2.VolSurface, most: int) -> Memory:
        """The memory once `surface` was fitted; it keeps the newest `most` vols.

        Smiles are taken from good surfaces only, and must come with their columns from the newest such.
        """
        fit = surface.heston
        start = self.heston if fit.status == FAILED else (fit.v0, fit.kappa, fit.theta, fit.sigma, fit.rho)
        smiles = (LastSmiles.of(surface) if surface.status == GOOD else None) or self.smiles
        return Memory(start, self.with_level(surface.time_ns, surface.atm_vol_30d, most), smiles)

    def with_level(self, time_ns: int, vol: float, most: int) -> tuple[tuple[int, float], ...]:
        """The vols with one more, unless it is unknown or not newer than the last."""
        if not vol > 0.0 or (self.level and time_ns <= self.level[-1][0]):
            return self.level
        return (*self.level, (time_ns, vol))[-most:]
