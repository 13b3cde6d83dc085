"""The engines in this process over a source, and the record of what they did."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

import numpy as np

from skewline.clients.demo.collecting import first_and_last
from skewline.clients.demo.record import RunRecord
from skewline.clients.demo.replay_choice import ReplayChoice
from skewline.clients.demo.run_home import sample_folder
from skewline.clients.demo.watching import Tally
from skewline.clients.values import decimal_of
from skewline.servers.backtest.pipeline import Consequences, Pipeline
from skewline.servers.marketdata.sample.fetch import fetch_sample
from skewline.servers.marketdata.sources.opening import SourceOptions, open_source
from skewline.servers.marketdata.sources.source import Selection, SourceError
from skewline.servers.runtime.settings import Settings
from skewline.v1 import (
    chain_pb2,
    common_pb2,
    market_data_service_pb2,
    order_pb2,
    risk_pb2,
    signal_pb2,
    surface_pb2,
)


class InProcessRun:
    """One run over `choice`. Raises SourceError when the data cannot be read or nothing matches."""

    def __init__(self, choice: ReplayChoice, settings: Settings, say: Callable[[str], None]) -> None:
        folder = sample_folder(settings.home)
        if choice.source == "sample":
            fetch_sample(folder, say)
        days = [date.fromisoformat(day) if day else None for day in (choice.from_date, choice.to_date)]
        options = SourceOptions(
            selection=Selection(choice.symbols, *days),
            sample_folder=folder,
            cboe_time=settings.marketdata.cboe_snapshot_time,
            seed=choice.seed,
            steps=choice.steps,
        )
        self._source = open_source(choice.source, options)
        refs = self._source.plan()
        if not refs:
            raise SourceError("has no snapshot of these symbols and dates; see what it holds")
        self._refs = refs[: choice.limit] if choice.limit else refs
        self._pipeline = Pipeline(settings)
        self._reasons: Counter[str] = Counter()
        self._took_ms: list[float] = []
        self._chains: list[chain_pb2.ChainSummary] = []
        self._surfaces: list[surface_pb2.VolSurface] = []
        self._signals: list[signal_pb2.Signal] = []
        self._orders: dict[str, order_pb2.Order] = {}
        self._events: list[order_pb2.OrderEvent] = []
        self._fills: list[order_pb2.Fill] = []
        self._pnl: list[order_pb2.Pnl] = []
        self._portfolios: list[risk_pb2.PortfolioSnapshot] = []
        self._decisions: list[risk_pb2.RiskDecision] = []
        self.replay = market_data_service_pb2.Replay(
            source=choice.source,
            status=market_data_service_pb2.REPLAY_STATUS_RUNNING,
            total=len(self._refs),
        )
        self.tally = Tally()

    def steps(self) -> Iterator[None]:
        """Feed one snapshot a step, to the end."""
        began = time.monotonic()
        for ref in self._refs:
            self._feed(self._source.load(ref))
            self.replay.elapsed_seconds = time.monotonic() - began
            if self.replay.fed == self.replay.total:
                self.replay.status = market_data_service_pb2.REPLAY_STATUS_COMPLETED
            yield

    def record(self) -> RunRecord:
        """All of it."""
        return RunRecord(
            replay=self.replay,
            chains=tuple(self._chains),
            surfaces=tuple(self._surfaces),
            whole_surfaces=tuple(first_and_last(self._surfaces)),
            signals=tuple(self._signals),
            orders=tuple(self._orders.values()),
            order_events=tuple(self._events),
            fills=tuple(self._fills),
            positions=tuple(holding.message() for holding in self._pipeline.order.ledger.open()),
            pnl=tuple(self._pnl),
            portfolios=tuple(self._portfolios),
            decisions=tuple(self._decisions),
        )

    def _feed(self, chain: chain_pb2.OptionChain) -> None:
        quotes = len(chain.strike) + sum(unread.count for unread in chain.rejected)
        began = time.monotonic()
        step = self._pipeline.feed(chain)
        if step.consequences is not None:
            self._took_ms.append(1000 * (time.monotonic() - began))
            self._keep(step.consequences)
        self._chains.append(step.summary)
        self._count(step.summary, quotes)

    def _count(self, summary: chain_pb2.ChainSummary, quotes: int) -> None:
        accepted = summary.status == chain_pb2.CHAIN_STATUS_ACCEPTED
        reasons = summary.rejected if accepted else [common_pb2.ReasonCount(reason=summary.reason, count=1)]
        self._reasons.update({reason.reason: reason.count for reason in reasons})
        replay = self.replay
        replay.fed += 1
        replay.accepted += accepted
        replay.rejected += not accepted
        replay.quotes_seen += quotes
        replay.quotes_rejected += quotes - summary.quotes if accepted else quotes
        replay.data_time_ns = summary.time_ns
        del replay.reasons[:], replay.latencies[:]
        replay.reasons.extend(
            common_pb2.ReasonCount(reason=reason, count=count)
            for reason, count in sorted(self._reasons.items())
        )
        if self._took_ms:
            middle, high = np.percentile(self._took_ms, (50, 99))
            replay.latencies.add(
                hop="total", p50_ms=middle, p99_ms=high, max_ms=max(self._took_ms), count=len(self._took_ms)
            )

    def _keep(self, made: Consequences) -> None:
        batch = made.order_batch
        self._surfaces.append(made.surface)
        self._signals.extend(made.signal_set.signals)
        self._orders.update((order.order_id, order) for order in batch.orders)
        self._events.extend(batch.events)
        self._fills.extend(batch.fills)
        self._pnl.extend(batch.pnl)
        self._portfolios.append(made.portfolio)
        self._decisions.extend(made.decisions)
        self.tally.signals += len(made.signal_set.signals)
        self.tally.orders.update(order.order_id for order in batch.orders)
        self.tally.fills += len(batch.fills)
        self.tally.net.update((point.currency, decimal_of(point.net)) for point in batch.pnl)
