"""The messages by number of TWS and IB Gateway: what each means for a feed, and what the user has to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Kind(Enum):
    """What follows from a message."""

    ENDS = auto()
    """The connection is of no use any more."""
    LOST = auto()
    """The gateway lost the brokers' servers, and takes them up again by itself."""
    LOST_DATA = auto()
    """It has them again, without what was subscribed to."""
    KEPT_DATA = auto()
    """It has them again, and with them what was subscribed to."""
    FARM_BROKEN = auto()
    """A farm of servers for quotes or contracts is away."""
    FARM_OK = auto()
    """It is there again."""
    BARS_BROKEN = auto()
    """A farm of servers for bars is away."""
    BARS_OK = auto()
    """It is there again."""
    PERMISSION = auto()
    """The account has no live data of a contract."""
    LINES = auto()
    """More contracts were listened to than the account may."""
    REFUSED = auto()
    """One request was refused, the others go on."""
    BARS_REFUSED = auto()
    """Bars were refused, quotes go on."""


@dataclass(frozen=True, slots=True)
class Code:
    """A message by number, its stable reason, and what the user has to do."""

    number: int
    kind: Kind
    reason: str
    fix: str


_SUBSCRIBE: Final = (
    "subscribe to the data in the Client Portal and agree to its use by API, or set "
    "marketdata.live.ibkr.allow_delayed=true, or market_data=delayed"
)
_ITSELF: Final = "nothing: it is restored by itself, and everything is verified then"
_FARM: Final = "nothing: the brokers' servers come back by themselves; nightly resets look like this"

CODES: Final = (
    Code(100, Kind.ENDS, "RATE_LIMITED", "lower marketdata.live.ibkr.requests_per_s"),
    Code(326, Kind.ENDS, "CLIENT_ID_IN_USE", "set marketdata.live.ibkr.client_id to a free one"),
    Code(502, Kind.ENDS, "NO_GATEWAY", "start TWS or IB Gateway, and enable its API for sockets"),
    Code(503, Kind.ENDS, "OUTDATED_GATEWAY", "install a current TWS or IB Gateway"),
    Code(504, Kind.ENDS, "NO_GATEWAY", "log in to TWS or IB Gateway"),
    Code(507, Kind.ENDS, "CONNECTION_LOST", "see that only API clients use the port"),
    Code(1300, Kind.ENDS, "PORT_CHANGED", "set marketdata.live.ibkr.port to the new one"),
    Code(10197, Kind.ENDS, "COMPETING_SESSION", "log out the other session of this user, which has the data"),
    Code(1100, Kind.LOST, "CONNECTIVITY_LOST", f"see the gateway's network if it lasts; else {_ITSELF}"),
    Code(2110, Kind.LOST, "CONNECTIVITY_LOST", f"see the gateway's network if it lasts; else {_ITSELF}"),
    Code(1101, Kind.LOST_DATA, "CONNECTIVITY_LOST", "nothing: everything is subscribed to again"),
    Code(1102, Kind.KEPT_DATA, "CONNECTIVITY_LOST", "nothing: every subscription is verified"),
    Code(2103, Kind.FARM_BROKEN, "FARM_BROKEN", _FARM),
    Code(2157, Kind.FARM_BROKEN, "FARM_BROKEN", _FARM),
    Code(2104, Kind.FARM_OK, "FARM_OK", "nothing"),
    Code(2108, Kind.FARM_OK, "FARM_OK", "nothing: it is there when it is asked"),
    Code(2158, Kind.FARM_OK, "FARM_OK", "nothing"),
    Code(2105, Kind.BARS_BROKEN, "HISTORICAL_FARM_BROKEN", f"{_FARM}; quotes go on"),
    Code(2106, Kind.BARS_OK, "FARM_OK", "nothing"),
    Code(2107, Kind.BARS_OK, "FARM_OK", "nothing: it is there when it is asked"),
    Code(354, Kind.PERMISSION, "NO_MARKET_DATA_PERMISSION", _SUBSCRIBE),
    Code(10089, Kind.PERMISSION, "NO_MARKET_DATA_PERMISSION", _SUBSCRIBE),
    Code(10090, Kind.PERMISSION, "NO_MARKET_DATA_PERMISSION", _SUBSCRIBE),
    Code(10091, Kind.PERMISSION, "NO_MARKET_DATA_PERMISSION", _SUBSCRIBE),
    Code(10167, Kind.PERMISSION, "NO_MARKET_DATA_PERMISSION", _SUBSCRIBE),
    Code(10168, Kind.PERMISSION, "NO_MARKET_DATA_PERMISSION", _SUBSCRIBE),
    Code(10186, Kind.PERMISSION, "NO_MARKET_DATA_PERMISSION", _SUBSCRIBE),
    Code(101, Kind.LINES, "TOO_MANY_LINES", "set marketdata.live.ibkr.lines to what the account has left"),
    Code(200, Kind.REFUSED, "NO_SUCH_CONTRACT", "see that the symbol is what Interactive Brokers calls it"),
    Code(300, Kind.REFUSED, "REQUEST_REFUSED", "nothing: what was to be ended had ended"),
    Code(321, Kind.REFUSED, "REQUEST_REFUSED", "see the message; a read-only API is no hindrance"),
    Code(322, Kind.REFUSED, "REQUEST_REFUSED", "see the message; it is asked again with the next listing"),
    Code(162, Kind.BARS_REFUSED, "NO_BARS", "subscribe to the underlying's data, or set bars=false"),
    Code(366, Kind.BARS_REFUSED, "NO_BARS", "nothing: what was to be ended had ended"),
    Code(420, Kind.BARS_REFUSED, "BARS_RATE_LIMITED", "nothing: bars are asked for again later"),
    Code(10225, Kind.BARS_REFUSED, "NO_BARS", "nothing: bars are asked for again later"),
)
"""Every number that has a meaning for a feed."""

_BY_NUMBER: Final = {code.number: code for code in CODES}
_NOTES: Final = range(2100, 2170)
_OTHER_NOTES: Final = frozenset({165, 202, 399, 434, 492})


def code_of(number: int) -> Code | None:
    """What `number` means; None for a note that changes nothing. A number not known here is a refusal."""
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    if number in _NOTES or number in _OTHER_NOTES:
        return None
    return Code(number, Kind.REFUSED, "REQUEST_REFUSED", "see the message")
