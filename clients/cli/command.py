"""What all commands share: where the stack is, JSON or text, and how errors end."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, NoReturn, ParamSpec

import typer

from skewline.clients.cli.terminal import Terminal

P = ParamSpec("P")

REFUSED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the running stack.", show_default="SKEWLINE_HOME, or ~/.skewline"),
]
Addresses = Annotated[
    list[str] | None,
    typer.Option("--address", metavar="SERVICE=HOST:PORT", help="Where a service is; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


@dataclass(frozen=True, slots=True)
class Shared:
    """The shared options as given so far, from left to right."""

    home: Path | None = None
    addresses: tuple[str, ...] = ()
    json: bool = False


def shared_options(
    context: typer.Context, home: Home = None, address: Addresses = None, json: Json = False
) -> None:
    """Take the shared options where they stand before a subcommand."""
    _keep(context, home, address, json)


def stack_command(function: Callable[Concatenate[Terminal, P], None]) -> Callable[..., None]:
    """A command that talks to a running stack: adds --home, --address and --json, and ends errors properly.

    `function` gets a Terminal in place of them. Put it under `@app.command(…)` or `@app.callback(…)`.
    """
    shared = list(inspect.signature(shared_options, eval_str=True).parameters.values())
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*shared[:1], *own, *shared[1:])]

    @wraps(function)
    def command(context: typer.Context, **given: Any) -> None:
        options = _keep(context, given.pop("home"), given.pop("address"), given.pop("json"))
        if context.invoked_subcommand is None:
            _run(function, options, given)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    del command.__wrapped__  # its signature is not this one's
    return command


def _keep(context: typer.Context, home: Path | None, address: list[str] | None, json: bool) -> Shared:
    before = context.find_object(Shared) or Shared()
    shared = Shared(home or before.home, (*before.addresses, *(address or ())), json or before.json)
    context.obj = shared
    return shared


def _run(function: Callable[..., None], options: Shared, given: dict[str, Any]) -> None:
    # Loads gRPC; only a command that runs pays for it.
    from skewline.clients.errors import SkewlineError, Unreachable

    try:
        with Terminal(options.home, options.addresses, options.json) as terminal:
            function(terminal, **given)
    except Unreachable as error:
        fail(str(error), UNREACHABLE)
    except SkewlineError as error:
        fail(str(error), REFUSED if error.service else USAGE)


def fail(message: str, status: int = REFUSED) -> NoReturn:
    """Print one line to standard error and end with `status`."""
    print(f"skewline: {message.replace(chr(10), ' ')}", file=sys.stderr)
    raise typer.Exit(status)
