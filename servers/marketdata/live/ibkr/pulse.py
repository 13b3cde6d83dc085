"""Whether a connection on which nothing comes is still one."""

from __future__ import annotations

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.ibkr.gateway import Gateway
from skewline.servers.marketdata.live.source import SourceFault


class Pulse:
    """Asks a silent gateway for the time, and gives it up when it says nothing for `timeout_s`."""

    def __init__(self, gateway: Gateway, timeout_s: float, clock: Clock) -> None:
        self._gateway = gateway
        self._timeout_s = timeout_s
        self._clock = clock
        self._messages = -1
        self._asked_at: float | None = None

    def beat(self) -> bool:
        """Whether anything came since the last beat. Raises SourceFault when nothing came for too long."""
        now = self._clock.monotonic()
        if self._gateway.messages != self._messages:
            self._messages = self._gateway.messages
            self._asked_at = None
            return True
        if self._asked_at is None:
            self._asked_at = now
            self._gateway.prove()
        elif now - self._asked_at >= self._timeout_s:
            raise SourceFault("SILENT", f"the gateway did not tell the time within {self._timeout_s:g} s")
        return False
