"""The service's decisions: what surface each chain has."""

from __future__ import annotations

from collections.abc import Iterable

from skewline.servers.calibration.fit import fit_surface
from skewline.servers.calibration.memory import Memory
from skewline.servers.calibration.rates.source import Parity, RatesSource
from skewline.servers.calibration.steps import Steps, unobserved
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, surface_pb2


class CalibrationEngine:
    """Pure: chains in, surfaces out. It remembers each underlying's last fits and vol level."""

    def __init__(
        self,
        settings: CalibrationSettings,
        steps: Steps = unobserved,
        rates: RatesSource = Parity(),  # noqa: B008
    ) -> None:
        self._settings = settings
        self._rates = rates
        self._steps = steps
        self._memory: dict[str, Memory] = {}

    def restore(self, surfaces: Iterable[surface_pb2.VolSurface]) -> None:
        """Take up after `surfaces`, in the order in which they were fitted.

        The newest `ou_max_points` of each underlying that have a level, the newest with a usable Heston fit,
        and the newest good one are enough. Only of that one the columns of slices are looked at.
        """
        self._memory = {}
        for surface in surfaces:
            self.remember(surface)

    def on_chain(self, chain: chain_pb2.OptionChain) -> surface_pb2.VolSurface:
        """Fit `chain` and remember what the next fit of its underlying takes from it."""
        surface = self.fit(chain)
        self.remember(surface)
        return surface

    def fit(self, chain: chain_pb2.OptionChain) -> surface_pb2.VolSurface:
        """The surface of `chain` after what is remembered; remembers nothing."""
        memory = self._memory_of(chain)
        return fit_surface(chain, self._settings, memory, self._steps, self._rates.on(chain.time_ns))

    def remember(self, surface: surface_pb2.VolSurface) -> None:
        """Take up after `surface`, fitted here or elsewhere. Twice is as once."""
        memory = self._memory_of(surface)
        self._memory[surface.underlying] = memory.after(surface, self._settings.ou_max_points)

    def _memory_of(self, seen: chain_pb2.OptionChain | surface_pb2.VolSurface) -> Memory:
        """What is remembered of the underlying, under its symbol or the one it had before."""
        memory = self._memory.get(seen.underlying)
        if memory is not None:
            return memory
        earlier = [a.underlying for a in seen.corporate_actions if a.new_symbol == seen.underlying]
        return next((self._memory[name] for name in earlier if name in self._memory), Memory())
