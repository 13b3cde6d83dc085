"""`skewline volatility`: realised volatility of an underlying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.v1 import market_data_service_pb2 as rpc


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(volatility)


@stack_command
def volatility(
    terminal: Terminal,
    underlying: Annotated[str, typer.Argument(help="Such as SPX.")],
    window: Annotated[list[int] | None, typer.Option(help="Bars in a window; may be repeated.")] = None,
    estimator: Annotated[
        list[str] | None, typer.Option(help="Such as yang-zhang or garch; may be repeated.")
    ] = None,
    minutes: Annotated[
        int, typer.Option(min=0, max=525_600, help="Length of a bar in minutes.", show_default="a day")
    ] = 0,
    bars_a_year: Annotated[
        float, typer.Option(help="To annualise bars of another length.", show_default="252 days")
    ] = 0.0,
) -> None:
    """Realised volatility by estimator and window, and the models' forecasts; a dash where there is none."""
    from datetime import timedelta

    from skewline.clients.cli.choices import value_of
    from skewline.v1 import market_data_service_pb2 as rpc

    found = terminal.client.market_data.get_realised_volatility(
        underlying,
        windows=window or (),
        estimators=[value_of(rpc.VolatilityEstimator, "--estimator", name) for name in estimator or ()],
        interval=timedelta(minutes=minutes),
        bars_a_year=bars_a_year,
    )
    if terminal.as_json:
        terminal.json(found)
        return
    _show(terminal, underlying, found)


def _show(terminal: Terminal, underlying: str, found: rpc.GetRealisedVolatilityResponse) -> None:
    from skewline.clients.cli.tables import facts, table
    from skewline.clients.cli.wording import percent, provenance, time_text, word
    from skewline.v1 import chain_pb2
    from skewline.v1 import market_data_service_pb2 as rpc

    terminal.show(
        facts(
            f"{underlying} realised volatility",
            [
                ("prices", f"{time_text(found.from_ns)} to {time_text(found.to_ns)}"),
                ("bars", f"{found.bars} of {word(chain_pb2.BarOrigin, found.origin)}"),
                ("provenance", provenance(found.provenance)),
            ],
        )
    )
    terminal.show(
        table(
            "",
            ["estimator", ">bars", ">a year", "why not"],
            [
                [word(rpc.VolatilityEstimator, one.estimator), str(one.bars), percent(one.vol), one.reason]
                for one in found.vols
            ],
        )
    )
