"""Messages by number that come between the quotes: what follows from each for the lines and for the feed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from skewline.servers.marketdata.live.ibkr.bars import UnderlyingBars
from skewline.servers.marketdata.live.ibkr.codes import Code, Kind, code_of
from skewline.servers.marketdata.live.ibkr.connectivity import Connectivity
from skewline.servers.marketdata.live.ibkr.gateway import Gateway
from skewline.servers.marketdata.live.ibkr.lines import Lines
from skewline.servers.marketdata.live.ibkr.quote import (
    DELAYED,
    DELAYED_FROZEN,
    FROZEN,
    LIVE,
    MARKET_DATA_TYPES,
)
from skewline.servers.marketdata.live.ibkr.replies import Note
from skewline.servers.marketdata.live.ibkr.underlying import UnderlyingLine
from skewline.servers.marketdata.live.source import Missed, SourceFault, Stalled
from skewline.servers.runtime.settings.live import IbkrSettings

_SUBSTITUTES: Final = {LIVE: DELAYED, FROZEN: DELAYED_FROZEN}
_DISPLAYING_DELAYED: Final = 10167
_NO_PERMISSION_RETRY_S: Final = 300.0
_LOST: Final = "the gateway says that its servers are back without having said that they were away"


class Messages:
    """Takes the messages of one connection."""

    def __init__(
        self,
        gateway: Gateway,
        underlying: UnderlyingLine,
        lines: Lines,
        bars: UnderlyingBars | None,
        settings: IbkrSettings,
    ) -> None:
        self.connectivity = Connectivity(bars=settings.bars)
        self.market_data_type = MARKET_DATA_TYPES[settings.market_data]
        """What is asked for."""
        self.told: Stalled | None = None
        """What is away, as it was told last."""
        self._gateway = gateway
        self._underlying = underlying
        self._lines = lines
        self._bars = bars
        self._allow_delayed = settings.allow_delayed or self.delayed
        self._refused: list[str] = []
        self._notices: list[Missed] = []

    @property
    def delayed(self) -> bool:
        """Whether delayed data are asked for."""
        return self.market_data_type in (DELAYED, DELAYED_FROZEN)

    def take(self, notes: Iterable[Note]) -> None:
        """Do what follows from them. Raises SourceFault for what makes the feed useless."""
        for note in notes:
            code = code_of(note.number)
            if code is None:
                continue
            match code.kind:
                case Kind.PERMISSION:
                    self._on_permission(note, code)
                case Kind.LINES:
                    self._on_lines(note, code)
                case Kind.BARS_REFUSED:
                    self._on_bars(note, code)
                case Kind.REFUSED:
                    self._on_refusal(note, code)
                case _:
                    self.connectivity.take(code, note.message)

    def news_of_stall(self) -> Stalled | None:
        """What is away, unless it was told already; it counts as told then."""
        stalled = self.connectivity.stalled
        if stalled is None and self.told is None and (self.connectivity.restart or self.connectivity.verify):
            stalled = Stalled("CONNECTIVITY_LOST", _LOST)
        if stalled is None or stalled == self.told:
            return None
        self.told = stalled
        return stalled

    def missed(self) -> list[Missed]:
        """What did not get through since this was last asked; nobody shall flood the log."""
        missed, self._notices = self._notices, []
        count, first = self._gateway.unread()
        if count:
            missed.append(Missed("UNREADABLE", f"{count} messages cannot be read: {first}"))
        if self._refused:
            detail = f"{len(self._refused)} contracts were refused: {self._refused[0]}"
            missed.append(Missed("CONTRACTS_REFUSED", detail))
        self._refused = []
        return missed

    def _on_bars(self, note: Note, code: Code) -> None:
        if self._bars is not None and self._bars.is_line(note.request_id):
            self._bars.refused(code.reason, f"the underlying's bars: {_said(note, code)}")

    def _on_refusal(self, note: Note, code: Code) -> None:
        if self._underlying.is_line(note.request_id):
            raise SourceFault(code.reason, f"the underlying: {_said(note, code)}")
        if self._bars is not None and self._bars.is_line(note.request_id):
            self._on_bars(note, code)
            return
        option = self._lines.refuse(note.request_id)
        if option is not None:
            self._refused.append(f"{option.contract.localSymbol}: {_said(note, code)}")
        elif note.request_id < 0:
            self._notices.append(Missed(code.reason, _said(note, code)))

    def _on_lines(self, note: Note, code: Code) -> None:
        self._on_bars(note, code)
        most = self._lines.lack(note.request_id)
        if most is not None:
            detail = f"{_said(note, code)}; all feeds use {most} lines from now on"
            self._notices = [each for each in self._notices if each.reason != code.reason]
            self._notices.append(Missed(code.reason, detail))
        elif self._underlying.is_line(note.request_id):
            raise SourceFault(code.reason, _said(note, code))

    def _on_permission(self, note: Note, code: Code) -> None:
        self._on_bars(note, code)
        if self._underlying.is_line(note.request_id):
            if not self.delayed:
                detail = f"the underlying: {_said(note, code)}; its price is that of the options' model"
                self._notices.append(Missed(code.reason, detail))
            return
        if not self._lines.is_line(note.request_id):
            return
        if not self._allow_delayed:
            raise SourceFault(code.reason, _said(note, code), _NO_PERMISSION_RETRY_S)
        if self.delayed:
            if note.number != _DISPLAYING_DELAYED:
                self._on_refusal(note, code)
            return
        self.market_data_type = _SUBSTITUTES[self.market_data_type]
        self._gateway.use(self.market_data_type)
        self._lines.restart()
        self._notices.append(Missed(code.reason, f"{_said(note, code)}; delayed data from now on"))


def _said(note: Note, code: Code) -> str:
    return f"{note.number}: {note.message}; {code.fix}"
