"""`skewline signals`: trade ideas and their reasons."""

from __future__ import annotations

from typing import Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(signals)
    group.command()(explain)
    app.add_typer(group, name="signals")


@stack_command
def signals(
    terminal: Terminal,
    underlying: Annotated[str, typer.Option(help="Only of this underlying.")] = "",
    min_confidence: Annotated[float, typer.Option(min=0.0, max=1.0, help="Only from this confidence.")] = 0.0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
) -> None:
    """Signals, newest first; `skewline signals explain ID` says why."""
    found = terminal.client.signal.list_signals(
        underlying=underlying, min_confidence=min_confidence, limit=limit
    )
    if terminal.as_json:
        terminal.json_lines(found)
        return
    from skewline.clients.cli.legs import signal_legs
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import number, percent, provenance, time_text, word
    from skewline.v1 import signal_pb2

    columns = ["signal", "time", "underlying", "strategy", "legs", ">edge", ">± s.d.", ">edge, vol"]
    terminal.show(
        table(
            "Signals",
            [*columns, ">confidence", "provenance"],
            [
                [
                    signal.signal_id,
                    time_text(signal.time_ns),
                    signal.underlying,
                    word(signal_pb2.Strategy, signal.strategy),
                    signal_legs(signal.legs),
                    number(signal.edge),
                    number(signal.edge_stdev),
                    percent(signal.edge_vol),
                    number(signal.confidence, 3),
                    provenance(signal.provenance),
                ]
                for signal in found
            ],
        )
    )


@stack_command
def explain(
    terminal: Terminal, signal_id: Annotated[str, typer.Argument(metavar="ID", help="A signal's id.")]
) -> None:
    """One signal with what it rests on, step by step."""
    response = terminal.client.signal.explain_signal(signal_id)
    if terminal.as_json:
        terminal.json(response)
        return
    from skewline.clients.cli.tables import facts, table
    from skewline.clients.cli.wording import number, provenance, time_text, word
    from skewline.v1 import common_pb2, signal_pb2

    signal = response.signal
    terminal.show(
        facts(
            f"Signal {signal.signal_id}",
            [
                ("strategy", word(signal_pb2.Strategy, signal.strategy)),
                ("underlying", signal.underlying),
                ("time", time_text(signal.time_ns)),
                ("provenance", provenance(signal.provenance)),
                ("confidence", number(signal.confidence, 3)),
                ("trace", signal.trace_id),
            ],
        ),
        *response.lines,
        table(
            "Legs",
            ["side", ">ratio", "instrument", ">bid", ">ask", ">model", ">delta", ">vega"],
            [
                [
                    word(common_pb2.Side, leg.side),
                    str(leg.ratio),
                    leg.instrument_id,
                    number(leg.bid),
                    number(leg.ask),
                    number(leg.model_price, 3),
                    number(leg.delta, 3),
                    number(leg.vega, 2),
                ]
                for leg in signal.legs
            ],
        ),
    )
