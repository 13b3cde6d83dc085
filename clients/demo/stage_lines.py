"""The figures of a run as lines, stage by stage, in the order of the data's way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from skewline.clients.demo import wording
from skewline.clients.demo.summary import Risk, RunSummary

Line: TypeAlias = tuple[str, str]
"""A heading (empty where the line goes on with the last) and a text."""


def stage_lines(summary: RunSummary) -> Iterator[Line]:
    """Every line."""
    yield from _market_data(summary)
    yield from _signals(summary)
    yield from _orders(summary)
    if summary.risk is not None:
        yield from _risk(summary.risk)


def _market_data(summary: RunSummary) -> Iterator[Line]:
    accepted, rejected = f"{summary.chains_accepted:,} accepted", f"{summary.chains_rejected:,} rejected"
    yield "chains", f"{summary.chains_seen:,} seen, {accepted}, {rejected}"
    for chain in summary.rejected_chains:
        yield "", f"{chain.underlying} {chain.time}: {chain.detail or chain.reason}"
    yield "quotes", f"{summary.quotes_seen:,} seen, {summary.quotes_rejected:,} set aside"
    if summary.reasons:
        yield "", _counts(summary.reasons)


def _signals(summary: RunSummary) -> Iterator[Line]:
    yield "signals", f"{summary.signals:,}"
    for line in summary.strategies:
        edge = f"median edge {wording.money(line.edge_median)} a unit"
        yield "", f"{line.strategy} {line.signals:,}: {edge}, confidence {line.confidence_median:.2f}"


def _orders(summary: RunSummary) -> Iterator[Line]:
    states = f": {_counts(summary.orders_by_status)}" if summary.orders else ""
    yield "orders", f"{summary.orders:,}{states}"
    if summary.denials:
        yield "", f"risk checks failed: {_counts(summary.denials)}"
    yield "fills", f"{summary.fills:,}, {summary.contracts:,f} contracts"
    yield "positions", f"{summary.open_positions:,} open"
    for pnl in summary.pnl:
        parts = (("realised", pnl.realised), ("unrealised", pnl.unrealised), ("fees", pnl.fees))
        split = ", ".join(f"{name} {wording.money(amount)}" for name, amount in parts)
        yield "P&L", f"{wording.money(pnl.net)} {pnl.currency} net: {split} ({pnl.provenance})"


def _risk(risk: Risk) -> Iterator[Line]:
    greeks = (("delta", risk.delta), ("gamma", risk.gamma), ("vega", risk.vega), ("theta", risk.theta))
    yield "Greeks", ", ".join(f"{name} {wording.number(value)}" for name, value in greeks)
    if risk.unpriced_positions:
        yield "", f"{risk.unpriced_positions} positions that no surface prices are not in the Greeks"
    for measure in risk.value_at_risk:
        loss, shortfall = wording.money(measure.value_at_risk), wording.money(measure.expected_shortfall)
        yield "VaR", f"{measure.confidence:.0%} one day: {loss}, expected shortfall {shortfall}"
    yield "equity", f"{wording.money(risk.equity)} at model value, trading {risk.trading}"


def _counts(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in items)
