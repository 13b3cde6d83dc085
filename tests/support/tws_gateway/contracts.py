"""Contracts that the gateway lists: underlyings, and their options by expiry and trading class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from tws_gateway.gateway import Connection, TwsGateway
from tws_gateway.wire import Fields

CONTRACT_DETAILS, OPTION_PARAMETERS = "9", "78"


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract in the gateway's words; `traded_until` is its last day of trading, YYYYMMDD."""

    con_id: int
    symbol: str
    kind: str
    exchange: str
    traded_until: str = ""
    strike: float = 0.0
    right: str = ""
    multiplier: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    expires: str = ""

    def details(self, request_id: str, under: int = 0) -> tuple[object, ...]:
        """Its description: the fields of message 10, of version 176."""
        strike = self.strike or "0"
        head = (10, request_id, self.symbol, self.kind, self.traded_until, strike, self.right, "SMART")
        name = (self.local_symbol or self.symbol, self.trading_class, self.trading_class, self.con_id)
        terms = (0.05, self.multiplier, "LMT,MKT", "SMART,CBOE", 1, under, "Long name", self.exchange)
        rest = ("", "", "", "", "US/Central", "", "", "", 0, 0)
        tail = (1, self.symbol, "IND", "32", self.expires, "", 1, 1, 1)
        return (*head, "USD", *name, *terms, *rest, *tail)


@dataclass(slots=True)
class Listings:
    """What is listed. Requests that name no listed contract are refused with 200."""

    underlyings: dict[str, Contract] = field(default_factory=dict)
    options: dict[int, Contract] = field(default_factory=dict)
    extra_rows: list[tuple[object, ...]] = field(default_factory=list)
    """Rows that are told with the details of any options; the request's id is put in."""

    def add(self, *contracts: Contract) -> None:
        """List them."""
        for contract in contracts:
            if contract.kind == "OPT":
                self.options[contract.con_id] = contract
            else:
                self.underlyings[contract.symbol] = contract

    def serve(self, gateway: TwsGateway) -> None:
        """Answer for them."""
        gateway.handlers[CONTRACT_DETAILS] = self._tell_details
        gateway.handlers[OPTION_PARAMETERS] = self._tell_parameters

    def _tell_details(self, connection: Connection, fields: Fields) -> None:
        request_id, _, symbol, kind, day = fields[2:7]
        trading_class = fields[14]
        found: Iterable[Contract]
        if kind == "OPT":
            found = [
                each
                for each in self.options.values()
                if (each.symbol, each.traded_until, each.trading_class) == (symbol, day, trading_class)
            ]
        else:
            found = [each for each in self.underlyings.values() if (each.symbol, each.kind) == (symbol, kind)]
        if not found:
            message = "No security definition has been found for the request"
            connection.error(int(request_id), 200, message)
            return
        for contract in found:
            connection.send(*contract.details(request_id))
        for row in self.extra_rows if kind == "OPT" else ():
            connection.send(row[0], request_id, *row[2:])
        connection.send(52, 1, request_id)

    def _tell_parameters(self, connection: Connection, fields: Fields) -> None:
        request_id, symbol = fields[1:3]
        under = self.underlyings[symbol].con_id
        classes = dict.fromkeys((o.trading_class, o.multiplier) for o in self._of(symbol))
        for exchange in ("CBOE", "SMART"):
            for name, multiplier in classes:
                mine = [each for each in self._of(symbol) if each.trading_class == name]
                days = sorted({each.traded_until for each in mine})
                strikes = sorted({each.strike for each in mine})
                head = (75, request_id, exchange, under, name, multiplier)
                connection.send(*head, len(days), *days, len(strikes), *strikes)
        connection.send(76, request_id)

    def _of(self, symbol: str) -> Iterator[Contract]:
        return (each for each in self.options.values() if each.symbol == symbol)


def options_of(
    symbol: str,
    trading_class: str,
    expires: date,
    strikes: Iterable[float],
    *,
    first_id: int,
    traded_until: date | None = None,
    multiplier: str = "100",
) -> list[Contract]:
    """Calls and puts of one expiry; `traded_until` is the day before for those settled in the morning."""
    listed: list[Contract] = []
    for strike in strikes:
        for right in "CP":
            mills = round(strike * 1000)
            listed.append(
                Contract(
                    con_id=first_id + len(listed),
                    symbol=symbol,
                    kind="OPT",
                    exchange="CBOE",
                    traded_until=f"{traded_until or expires:%Y%m%d}",
                    strike=strike,
                    right=right,
                    multiplier=multiplier,
                    local_symbol=f"{trading_class:<6}{expires:%y%m%d}{right}{mills:08d}",
                    trading_class=trading_class,
                    expires=f"{expires:%Y%m%d}",
                )
            )
    return listed
