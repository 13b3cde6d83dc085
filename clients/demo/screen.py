"""Shows a run while it happens: moving on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table

from skewline.clients.demo import wording
from skewline.clients.demo.watching import Tally
from skewline.v1 import market_data_service_pb2

_BETWEEN_LINES_S: Final = 5.0
_WIDTH: Final = 40


class Screen(Protocol):
    """Where a run is shown; use it as a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """One line that stays."""

    def services(self, phases: Mapping[str, str]) -> None:
        """Where each process stands."""

    def replay(self, replay: market_data_service_pb2.Replay, tally: Tally) -> None:
        """How far the replay is."""


def screen_on(console: Console) -> Screen:
    """The screen that suits `console`."""
    return MovingScreen(console) if console.is_terminal else LineScreen(console)


class MovingScreen:
    """A display that is redrawn in place and vanishes at the end."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._spinners: dict[str, Spinner] = {}

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def say(self, line: str) -> None:
        """One line that stays."""
        self._live.console.print(line, markup=False, highlight=False)

    def services(self, phases: Mapping[str, str]) -> None:
        """A spinner for each process that does not serve yet."""
        rows = Table.grid(padding=(0, 1))
        for name, phase in phases.items():
            spinner: RenderableType = self._spinners.setdefault(name, Spinner("dots"))
            rows.add_row("[green]✓[/]" if phase == "serving" else spinner, name, f"[dim]{phase}[/]")
        self._live.update(rows)

    def replay(self, replay: market_data_service_pb2.Replay, tally: Tally) -> None:
        """Bar and figures."""
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=max(1, replay.total), completed=replay.fed, width=_WIDTH),
            f"{replay.fed}/{replay.total} snapshots",
            f"[dim]{wording.clock(replay.data_time_ns)} UTC[/]",
        )
        figures = Table.grid(padding=(0, 2))
        for name, value in _figures(replay, tally):
            figures.add_row(f"[dim]{name}[/]", value)
        self._live.update(Group(bar, figures))


class LineScreen:
    """A line now and then, without control characters."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phases: dict[str, str] = {}
        self._said_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """One line."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def services(self, phases: Mapping[str, str]) -> None:
        """A line for each process whose phase changed."""
        for name, phase in phases.items():
            if self._phases.get(name) != phase:
                self._phases[name] = phase
                self.say(f"{name}: {phase}")

    def replay(self, replay: market_data_service_pb2.Replay, tally: Tally) -> None:
        """A line every few seconds, and at the end."""
        ended = replay.status != market_data_service_pb2.REPLAY_STATUS_RUNNING
        now = time.monotonic()
        if not ended and now - self._said_at < _BETWEEN_LINES_S:
            return
        self._said_at = now
        figures = "; ".join(f"{name} {value}" for name, value in _figures(replay, tally))
        self.say(
            f"{replay.fed}/{replay.total} snapshots, {wording.clock(replay.data_time_ns)} UTC; {figures}"
        )


def _figures(replay: market_data_service_pb2.Replay, tally: Tally) -> list[tuple[str, str]]:
    figures = [
        ("quotes", f"{replay.quotes_seen:,} ({replay.quotes_rejected:,} set aside)"),
        ("signals", f"{tally.signals:,}"),
        ("orders", f"{len(tally.orders):,}"),
        ("fills", f"{tally.fills:,}"),
    ]
    figures += [(f"net P&L {currency}", wording.money(net)) for currency, net in sorted(tally.net.items())]
    figures += [
        ("quote to portfolio", f"p50 {hop.p50_ms:,.0f} ms, p99 {hop.p99_ms:,.0f} ms")
        for hop in replay.latencies
        if hop.hop == "total"
    ]
    return figures
