"""`skewline trace`: from the quote to the fill."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from skewline.clients.client import Client
    from skewline.v1 import order_service_pb2

_TRACE_ID: Final = re.compile(r"[0-9a-fA-F]{32}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trace)


@stack_command
def trace(
    terminal: Terminal,
    of: Annotated[str, typer.Argument(metavar="ID", help="A fill, order, signal or trace id.")],
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="With each span's attributes.")] = False,
) -> None:
    """The spans behind a fill, order or signal, as a tree from the quote on."""
    response = _trace(terminal.client, of)
    if terminal.as_json:
        terminal.json(response)
        return
    from skewline.clients.cli.span_tree import span_tree

    terminal.show(span_tree(response, verbose))


def _trace(client: Client, of: str) -> order_service_pb2.GetTraceResponse:
    import grpc

    from skewline.clients.errors import SkewlineError

    order = client.order
    if _TRACE_ID.fullmatch(of):
        return order.get_trace(trace_id=of.lower())
    look_ups: tuple[Callable[[], order_service_pb2.GetTraceResponse], ...] = (
        lambda: order.get_trace(fill_id=of),
        lambda: order.get_trace(order_id=of),
        lambda: order.get_trace(trace_id=client.signal.get_signal(of).trace_id),
    )
    for look_up in look_ups:
        try:
            return look_up()
        except SkewlineError as error:
            if error.code is not grpc.StatusCode.NOT_FOUND:
                raise
    message = f"there is no fill, order or signal {of!r}"
    raise SkewlineError(grpc.StatusCode.NOT_FOUND, message, service="order")
