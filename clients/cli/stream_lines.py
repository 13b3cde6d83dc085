"""Items of live streams, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.text import Text

from skewline.clients.cli.book_words import book_line, trades_line
from skewline.clients.cli.feed_words import notice_text
from skewline.clients.cli.risk_tables import state_text
from skewline.clients.cli.wording import money, number, percent, provenance, time_text, word
from skewline.clients.questions import Gap, Update
from skewline.v1 import chain_pb2, feed_pb2, order_book_pb2, order_pb2, risk_pb2, signal_pb2, surface_pb2


def json_of(item: Update[Any] | Gap) -> Mapping[str, Any]:
    """`sequence`, and either `snapshot`, `update` or `gap`."""
    if isinstance(item, Gap):
        return {"sequence": item.sequence, "gap": asdict(item)}
    return {"sequence": item.sequence, "snapshot" if item.is_snapshot else "update": item.content}


def line_of(item: Update[Any] | Gap) -> Text:
    """The item in words."""
    if isinstance(item, Gap):
        counted = f"{item.skipped} updates, " if item.skipped else ""
        text = f"gap: {item.from_sequence} to {item.to_sequence} left out ({counted}{item.reason.lower()})"
        return Text(f"{item.sequence:>7}  {text}", style="yellow")
    line = Text(f"{item.sequence:>7}  ")
    match item.content:
        case risk_pb2.RiskState() as state:
            return line + state_text(state)
        case feed_pb2.FeedNotice() as notice:
            return line + notice_text(notice)
        case order_book_pb2.OrderBook() as book:
            return line + book_line(book)
        case order_book_pb2.TradeBatch() as batch:
            return line + trades_line(batch)
        case content:
            line.append(f"{time_text(content.time_ns)}  {content.underlying}  ")
            line.append_text(provenance(content.provenance))
            line.append(f"  {_words(content)}")
            if item.is_snapshot:
                line.append("  (current)", "dim")
    return line


def _words(content: Any) -> str:
    match content:
        case chain_pb2.OptionChain():
            spot = number(content.spot)
            return f"spot {spot}, {len(content.strike)} contracts, {len(content.expiries)} expiries"
        case surface_pb2.VolSurface():
            status = word(surface_pb2.FitStatus, content.status)
            vol, rmse = percent(content.atm_vol_30d), percent(content.rmse, 3)
            return f"{status} fit, {len(content.slices)} expiries, 30-day ATM vol {vol}, rmse {rmse}"
        case signal_pb2.SignalSet():
            strategies = ", ".join(
                f"{word(signal_pb2.Strategy, s.strategy)} {number(s.confidence)}" for s in content.signals
            )
            return f"{len(content.signals)} signals {strategies}".rstrip()
        case order_pb2.OrderBatch():
            pnl = ", ".join(f"net {money(p.net, p.currency)}" for p in content.pnl)
            return f"{len(content.orders)} orders changed, {len(content.fills)} fills; {pnl}".rstrip("; ")
        case risk_pb2.PortfolioSnapshot():
            greeks = content.greeks
            shown = ", ".join(
                f"{name} {number(getattr(greeks, name))}" for name in ("delta", "gamma", "vega")
            )
            return f"equity at model value {number(content.equity)}, {content.positions} positions, {shown}"
    raise TypeError(f"no words for a {type(content).__name__}")
