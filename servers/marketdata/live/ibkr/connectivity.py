"""What the gateway says of its own connections: what is away, and what follows when it is back."""

from __future__ import annotations

import re
from typing import Final

from skewline.servers.marketdata.live.ibkr.codes import Code, Kind
from skewline.servers.marketdata.live.source import Stalled

_LONGEST_FARM: Final = 40


class Connectivity:
    """Whether the brokers' servers can be reached, as the gateway's messages have it."""

    def __init__(self, *, bars: bool) -> None:
        self._bars = bars
        self._lost: Stalled | None = None
        self._farms: dict[str, Stalled] = {}
        self._bar_farms: dict[str, Stalled] = {}
        self.restart = False
        """Every subscription is to be made again."""
        self.verify = False
        """Every subscription is to be verified."""
        self.bars_missed = False
        """Bars are to be asked for again."""

    def take(self, code: Code, message: str) -> None:
        """A message of a kind that is about connections; others are let pass."""
        said = Stalled(code.reason, f"{code.number}: {message}; {code.fix}")
        farm = _farm(message)
        match code.kind:
            case Kind.LOST:
                self._lost = said
            case Kind.LOST_DATA | Kind.KEPT_DATA:
                self._lost = None
                self.bars_missed = True
                if code.kind is Kind.LOST_DATA:
                    self.restart = True
                self.verify = True
            case Kind.FARM_BROKEN:
                self._farms[farm] = said
            case Kind.FARM_OK if self._farms.pop(farm, None) is not None:
                self.verify = True
            case Kind.BARS_BROKEN if self._bars:
                self._bar_farms[farm] = said
            case Kind.BARS_OK if self._bar_farms.pop(farm, None) is not None:
                self.bars_missed = True
            case _:
                pass

    @property
    def lost(self) -> Stalled | None:
        """That the brokers' servers are away altogether, if they are: nothing is answered then."""
        return self._lost

    @property
    def stalled(self) -> Stalled | None:
        """What is away, if anything is; the gravest first."""
        away = (self._lost, *self._farms.values(), *self._bar_farms.values())
        return next((each for each in away if each is not None), None)

    @property
    def quotes_stalled(self) -> bool:
        """Whether quotes cannot be trusted to be those of now."""
        return self._lost is not None or bool(self._farms)

    def done(self) -> None:
        """What was to be done about it is done."""
        self.restart = self.verify = self.bars_missed = False


def _farm(message: str) -> str:
    """The name of a farm, which a message ends with: "… is broken:usfarm.nj", "… upon demand.usfarm.nj"."""
    return re.split(r":|demand\.", message)[-1].strip()[:_LONGEST_FARM]
