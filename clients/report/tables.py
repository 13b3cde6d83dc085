"""Tables of the report. The page escapes every cell; no cell is HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from skewline.clients.demo import wording
from skewline.clients.demo.summary import RunSummary
from skewline.clients.values import decimal_of
from skewline.v1 import order_pb2, signal_pb2

MOST_ROWS: Final = 60


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings; `figures` are the columns that align right."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    figures: frozenset[int] = frozenset()
    note: str = ""


def fits(summary: RunSummary) -> Table:
    """Fit quality by underlying."""
    return Table(
        (
            "underlying",
            "data",
            "surfaces",
            "good",
            "poor",
            "failed",
            "quotes fitted",
            "fit error, median",
            "fit error, largest",
            "30-day vol, last",
        ),
        [
            (
                f.underlying,
                f.provenance,
                str(f.surfaces),
                str(f.good),
                str(f.poor),
                str(f.failed),
                f"{f.quotes:,}",
                wording.vol(f.rmse_median),
                wording.vol(f.rmse_max),
                wording.vol(f.atm_vol_30d),
            )
            for f in summary.fits
        ],
        frozenset(range(2, 10)),
        "Fit error: SABR's root mean square error in vol points.",
    )


def rejected_chains(summary: RunSummary) -> Table:
    """Snapshots that were flagged and not traded."""
    return Table(
        ("underlying", "data time, UTC", "reason", "in words"),
        [(c.underlying, c.time, c.reason, c.detail) for c in summary.rejected_chains[:MOST_ROWS]],
        note=_cut(len(summary.rejected_chains), "snapshots"),
    )


def signals(found: Sequence[signal_pb2.Signal]) -> Table:
    """The most confident signals."""
    best = sorted(found, key=lambda s: (-s.confidence, s.time_ns, s.signal_id))[:MOST_ROWS]
    return Table(
        (
            "data time, UTC",
            "underlying",
            "strategy",
            "structure",
            "edge a unit",
            "edge, vol",
            "confidence",
            "why",
        ),
        [
            (
                wording.clock(s.time_ns),
                s.underlying,
                wording.strategy(s.strategy),
                structure(s.legs),
                wording.money(s.edge),
                wording.vol(s.edge_vol),
                f"{s.confidence:.2f}",
                s.explanation,
            )
            for s in best
        ],
        frozenset({4, 5, 6}),
        _cut(len(found), "signals", "the most confident"),
    )


def orders(placed: Sequence[order_pb2.Order]) -> Table:
    """The newest orders, filled ones first."""
    ranked = sorted(placed, key=lambda o: (not o.filled_quantity.units, -o.updated_ns, o.order_id))[
        :MOST_ROWS
    ]
    return Table(
        (
            "created, UTC",
            "underlying",
            "structure",
            "quantity",
            "filled",
            "limit",
            "average",
            "state",
            "reason",
        ),
        [
            (
                wording.clock(o.created_ns),
                o.underlying,
                structure(o.legs),
                wording.count(o.quantity),
                wording.count(o.filled_quantity),
                wording.price(o.limit_price),
                wording.price(o.average_price) if o.filled_quantity.units else "–",
                wording.order_status(o.status),
                o.reason,
            )
            for o in ranked
        ],
        frozenset({3, 4, 5, 6}),
        _cut(len(placed), "orders", "filled ones first"),
    )


def fills(executed: Sequence[order_pb2.Fill]) -> Table:
    """The newest fills."""
    newest = sorted(executed, key=lambda f: (-f.time_ns, f.fill_id))[:MOST_ROWS]
    return Table(
        ("data time, UTC", "instrument", "side", "contracts", "price", "fee", "data", "fill id"),
        [
            (
                wording.clock(f.time_ns),
                name(f.instrument_id),
                wording.side(f.side),
                wording.count(f.quantity),
                wording.price(f.price),
                wording.money(f.fee),
                wording.provenance(f.provenance),
                f.fill_id,
            )
            for f in newest
        ],
        frozenset({3, 4, 5}),
        _cut(len(executed), "fills", "the newest"),
    )


def positions(held: Sequence[order_pb2.Position]) -> Table:
    """Open positions, largest market value first."""
    opened = [p for p in held if decimal_of(p.quantity)]
    ranked = sorted(opened, key=lambda p: (-abs(decimal_of(p.market_value)), p.instrument_id))[:MOST_ROWS]
    return Table(
        (
            "instrument",
            "contracts",
            "average price",
            "mark",
            "market value",
            "unrealised",
            "realised",
            "fees",
        ),
        [
            (
                name(p.instrument_id),
                wording.count(p.quantity),
                wording.price(p.average_price),
                wording.price(p.mark),
                wording.money(p.market_value),
                wording.money(p.unrealised_pnl),
                wording.money(p.realised_pnl),
                wording.money(p.fees),
            )
            for p in ranked
        ],
        frozenset(range(1, 8)),
        _cut(len(opened), "open positions", "the largest"),
    )


def name(instrument_id: str) -> str:
    """An OSI symbol without its padding."""
    return " ".join(instrument_id.split())


def structure(legs: Sequence[signal_pb2.SignalLeg] | Sequence[order_pb2.OrderLeg]) -> str:
    """Legs in a line, such as "+1 SPXW 190426C02900000 -1 …"."""
    signs = {"buy": "+", "sell": "−"}
    return "  ".join(f"{signs.get(wording.side(g.side), '?')}{g.ratio} {name(g.instrument_id)}" for g in legs)


def _cut(total: int, what: str, which: str = "the first") -> str:
    return f"Shown: {which} {MOST_ROWS} of {total:,} {what}." if total > MOST_ROWS else ""
