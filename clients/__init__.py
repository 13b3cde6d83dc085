"""Typed Python clients of the services, and the `skewline` command.

`AsyncClient` and `Client` have the same services and methods: one for asyncio, one that blocks::

    with Client() as client:  # of the stack that `skewline up` runs; or Client(Endpoints(order="host:port"))
        surface = client.calibration.get_surface("SPX")
        for signal in client.signal.list_signals(min_confidence=0.7, limit=10):
            print(signal.explanation)
        for item in client.market_data.stream_chains(["SPX"]):  # reconnects and resumes by itself
            if isinstance(item, Update):
                print(item.sequence, item.content.spot)

Methods give protobuf messages of `skewline.v1`, and raise SkewlineError.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from skewline.clients.async_client import AsyncClient
    from skewline.clients.client import Client
    from skewline.clients.endpoints import SERVICE_NAMES, Endpoints
    from skewline.clients.errors import ClientClosed, FieldViolation, NoStack, SkewlineError, Unreachable
    from skewline.clients.options import ClientOptions
    from skewline.clients.order_commands import cancel_command, replace_command, submit_command
    from skewline.clients.questions import Gap, Update
    from skewline.clients.stack import Stack, StackProcess, running_stack, usual_home
    from skewline.clients.values import decimal_of

__all__ = [
    "SERVICE_NAMES",
    "AsyncClient",
    "Client",
    "ClientClosed",
    "ClientOptions",
    "Endpoints",
    "FieldViolation",
    "Gap",
    "NoStack",
    "SkewlineError",
    "Stack",
    "StackProcess",
    "Unreachable",
    "Update",
    "cancel_command",
    "decimal_of",
    "replace_command",
    "running_stack",
    "submit_command",
    "usual_home",
]

_HOME_OF: Final = {
    "AsyncClient": "async_client",
    "Client": "client",
    "ClientOptions": "options",
    "Endpoints": "endpoints",
    "SERVICE_NAMES": "endpoints",
    "ClientClosed": "errors",
    "FieldViolation": "errors",
    "NoStack": "errors",
    "SkewlineError": "errors",
    "Unreachable": "errors",
    "cancel_command": "order_commands",
    "replace_command": "order_commands",
    "submit_command": "order_commands",
    "Gap": "questions",
    "Update": "questions",
    "Stack": "stack",
    "StackProcess": "stack",
    "running_stack": "stack",
    "usual_home": "stack",
    "decimal_of": "values",
}


def __getattr__(name: str) -> object:
    """Import on first use: the command line shows its help without loading gRPC."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
