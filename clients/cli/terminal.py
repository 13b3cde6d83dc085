"""Where a command's answer goes, and the client that it asks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from rich.console import Console, RenderableType

    from skewline.clients.client import Client
    from skewline.clients.endpoints import Endpoints

_PIPE_WIDTH: Final = 220


class Terminal:
    """Prints for people or as JSON lines; its client is opened on first use and closed at the block's end."""

    def __init__(self, home: Path | None, addresses: Sequence[str], as_json: bool) -> None:
        self.home = home
        self.as_json = as_json
        self._addresses = tuple(addresses)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "client" in self.__dict__:
            self.client.close()

    @cached_property
    def explicit(self) -> Mapping[str, str]:
        """Addresses given as SERVICE=HOST:PORT. Raises SkewlineError for other text."""
        from skewline.clients.endpoints import Endpoints
        from skewline.clients.errors import bad_input

        pairs = [text.partition("=") for text in self._addresses]
        for service, equals, address in pairs:
            if not (service and equals and address):
                raise bad_input("--address", f"must be SERVICE=HOST:PORT, not {service + equals!r}")
        given = {service: address for service, _, address in pairs}
        Endpoints().at(given)
        return given

    @cached_property
    def endpoints(self) -> Endpoints:
        """Those of the running stack, with the explicit ones over them."""
        from skewline.clients.endpoints import Endpoints
        from skewline.clients.errors import NoStack

        explicit = Endpoints().at(self.explicit)
        try:
            return Endpoints.of_running_stack(self.home).at(self.explicit)
        except NoStack:
            if not self.explicit:
                raise
            return explicit

    @cached_property
    def client(self) -> Client:
        """The client of the stack."""
        from skewline.clients.client import Client

        return Client(self.endpoints)

    @cached_property
    def console(self) -> Console:
        """Where text for people goes; wide enough for a table's rows when it is no terminal."""
        from rich.console import Console

        return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, markup=False)

    def show(self, *parts: RenderableType) -> None:
        """Print for people."""
        for part in parts:
            self.console.print(part)

    def json(self, value: Message | Mapping[str, Any]) -> None:
        """Print one JSON object on a line."""
        print(json.dumps(plain(value), ensure_ascii=False), flush=True)

    def json_lines(self, values: Iterable[Message]) -> None:
        """Print a JSON object a line."""
        for value in values:
            self.json(value)


def plain(value: object) -> Any:
    """A message, or a mapping or list of messages and plain values, in protobuf's JSON mapping."""
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import Message

    if isinstance(value, Message):
        return MessageToDict(
            value, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
