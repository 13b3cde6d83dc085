"""What a fit takes from the fits before it."""

from __future__ import annotations

from dataclasses import dataclass

from skewline.servers.calibration.heston_surface import Start
from skewline.servers.calibration.verdict import FAILED
from skewline.v1 import surface_pb2


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one underlying: where Heston starts, and (data time, vol at 30 days) oldest first."""

    heston: Start | None = None
    level: tuple[tuple[int, float], ...] = ()

    def after(self, surface: surface_pb2.VolSurface, most: int) -> Memory:
        """The memory once `surface` was fitted; it keeps the newest `most` vols."""
        fit = surface.heston
        start = self.heston if fit.status == FAILED else (fit.v0, fit.kappa, fit.theta, fit.sigma, fit.rho)
        return Memory(start, self.with_level(surface.time_ns, surface.atm_vol_30d, most))

    def with_level(self, time_ns: int, vol: float, most: int) -> tuple[tuple[int, float], ...]:
        """The vols with one more, unless it is unknown or not newer than the last."""
        if not vol > 0.0 or (self.level and time_ns <= self.level[-1][0]):
            return self.level
        return (*self.level, (time_ns, vol))[-most:]
