"""Messages of Alpaca's stream of options: MessagePack, each a list of quotes or one control message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from skewline.servers.marketdata.live.alpaca_payload import Quote, read_quote, time_ns
from skewline.servers.marketdata.live.members import Malformed, shown, text
from skewline.servers.marketdata.live.source import SourceFault

_LATEST_NS: Final = 7_258_118_400_000_000_000  # the year 2200
_CONTROLS: Final = ("success", "subscription", "error")
_SETTINGS: Final = "marketdata.live.alpaca"

REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("BAD_REQUEST", "it takes a symbol for none; see that the underlying is one"),
    401: ("NOT_AUTHENTICATED", "a subscription came before the key; it is tried again"),
    402: ("AUTH_FAILED", f"set {_SETTINGS}.key and {_SETTINGS}.secret to a key that is valid"),
    403: ("ALREADY_AUTHENTICATED", "the key was sent twice; it is tried again"),
    404: ("AUTH_TIMEOUT", "the key came too late; it is tried again"),
    405: ("SYMBOL_LIMIT", f"lower {_SETTINGS}.stream_contracts: the plan limits their sum over all feeds"),
    406: ("CONNECTION_LIMIT", "the account's one stream is in use: end the other program that has it"),
    407: ("SLOW_CLIENT", "quotes came faster than they were taken; it is tried again"),
    409: ("PLAN", f"the plan does not have this feed: set {_SETTINGS}.feed=indicative, or get the plan"),
    410: ("BAD_REQUEST", "the stream does not know the channel"),
    412: ("BAD_REQUEST", "the stream speaks MessagePack only"),
    413: ("BAD_REQUEST", "the stream wants the symbols named"),
    429: ("RATE_LIMITED", "too many attempts; it is tried again"),
}
"""The venue's code of an error → reason, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Control:
    """What the venue says about the connection: `kind` is success, subscription or error."""

    kind: str
    message: str
    code: int
    subscribed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Frame:
    """What one message holds; of `quotes`, in order, the last of a symbol is not always the newest."""

    quotes: Sequence[tuple[str, Quote]]
    controls: Sequence[Control]
    unreadable: Sequence[str]


def packed(message: Mapping[str, Any]) -> bytes:
    """A message to the venue."""
    data: bytes = msgpack.packb(dict(message))
    return data


def read_frame(data: str | bytes) -> Frame:
    """Read one message; parts of it that cannot be read are told. Raises SourceFault for what is none."""
    if isinstance(data, str):
        raise _unreadable(f"is the text {shown(data)}, where MessagePack was asked for")
    try:
        rows = msgpack.unpackb(data, strict_map_key=False)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise _unreadable(f"is no MessagePack ({type(error).__name__}: {error})") from error
    if not isinstance(rows, list):
        raise _unreadable(f"is {shown(rows)}, which is no list")
    quotes: list[tuple[str, Quote]] = []
    controls: list[Control] = []
    faults: list[str] = []
    for row in rows:
        try:
            if not isinstance(row, dict):
                raise Malformed(f"{shown(row)} is no object")
            kind = row.get("T")
            if kind == "q":
                quotes.append((text(row, "S"), read_quote(row, _time_ns(row))))
            elif kind in _CONTROLS:
                controls.append(_control(row, kind))
            else:
                raise Malformed(f"T {shown(kind)} is of no kind that was asked for")
        except Malformed as error:
            faults.append(str(error))
    return Frame(quotes, controls, faults)


def refusal(control: Control) -> SourceFault:
    """The fault of an error, with what to do about it."""
    reason, advice = REFUSALS.get(control.code, ("VENUE_ERROR", "it is tried again"))
    return SourceFault(reason, f"the stream refused: {control.message} ({control.code}); {advice}")


def _control(row: Mapping[str, Any], kind: str) -> Control:
    message, code, quotes = row.get("msg"), row.get("code"), row.get("quotes")
    return Control(
        kind=kind,
        message=shown(message) if message is not None else "",
        code=code if isinstance(code, int) else 0,
        subscribed=frozenset(each for each in quotes if isinstance(each, str))
        if isinstance(quotes, list)
        else frozenset(),
    )


def _time_ns(row: Mapping[str, Any]) -> int:
    at = row.get("t")
    if not isinstance(at, msgpack.Timestamp):
        return time_ns(row)
    nanos: int = at.to_unix_nano()
    if not 0 < nanos < _LATEST_NS:
        raise Malformed(f"t {shown(at)} is no time")
    return nanos


def _unreadable(what: str) -> SourceFault:
    return SourceFault("UNREADABLE", f"a message of the stream {what}")
