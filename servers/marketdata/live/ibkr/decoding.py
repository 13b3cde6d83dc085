"""ib_insync's decoder, which only logs what it cannot read; here it is told, so that it can be counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, cast

from ib_insync.decoder import Decoder
from ib_insync.wrapper import Wrapper

_READ: Final[dict[type, Callable[[str], Any]]] = {
    str: str,
    int: lambda text: int(text or 0),
    float: lambda text: float(text or 0),
    bool: lambda text: bool(int(text or 0)),
}
_SHOWN: Final = 120


class Receiver(Protocol):
    """Who is called by the name of each message, and told of what cannot be read."""

    def came(self) -> None:
        """A whole message."""

    def unreadable(self, what: str) -> None:
        """A message that is not what the protocol says."""


class CheckedDecoder(Decoder):
    """Calls the receiver for each message, and tells it of those that cannot be read."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(cast("Wrapper", receiver), 0)
        self._receiver = receiver

    def wrap(self, methodName: str, types: Sequence[type], skip: int = 2) -> Callable[[Sequence[str]], None]:
        """A handler that reads the fields after the first `skip` as `types`, and raises what goes wrong."""

        def handler(fields: Sequence[str]) -> None:
            method = getattr(self.wrapper, methodName, None)
            if method is not None:
                method(*(_READ[kind](field) for kind, field in zip(types, fields[skip:], strict=False)))

        return handler

    def interpret(self, fields: list[str]) -> None:
        """Read one message."""
        self._receiver.came()
        try:
            self.handlers[int(fields[0])](fields)
        except Exception as error:  # noqa: BLE001 - whatever is in it, the next message is another
            shown = ",".join(fields)[:_SHOWN]
            self._receiver.unreadable(f"{shown!r}: {type(error).__name__} {error}")
