"""An underlying and its options as Interactive Brokers lists them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ib_insync.contract import Contract, Index, Option, Stock

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.live.ibkr.codes import code_of
from skewline.servers.marketdata.live.ibkr.gateway import Gateway
from skewline.servers.marketdata.live.ibkr.replies import Refused
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime.instruments import osi_symbol, parse_osi

_AT_ONCE: Final = 4
_EXCHANGE: Final = "SMART"
_INDEX_EXCHANGES: Final = {"MRUT": "RUSSELL", "NDX": "NASDAQ", "RUT": "RUSSELL"}
_INDEX_EXCHANGE: Final = "CBOE"
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Listed:
    """An option as it is listed. Root and expiry are those of the OSI symbol.

    The venue's own expiry is the last day of trading, which for AM-settled options is the day before.
    """

    con_id: int
    root: str
    expiry_date: date
    strike: Decimal
    is_call: bool
    multiplier: Decimal
    contract: Contract


@dataclass(frozen=True, slots=True)
class Class:
    """The options of one trading class of an underlying, by expiry as the venue names it (YYYYMMDD)."""

    name: str
    multiplier: str
    expiries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The options to follow, and what of them could not be had, in words."""

    options: tuple[Listed, ...]
    troubles: tuple[str, ...]


async def list_underlying(gateway: Gateway, symbol: str) -> Contract:
    """The contract of `symbol`. Raises SourceFault if there is none, or more than one."""
    # A share of class B is BRK-B here and BRK B there.
    name = symbol.replace("-", " ")
    if contract_terms.is_index(symbol):
        asked: Contract = Index(name, _INDEX_EXCHANGES.get(symbol, _INDEX_EXCHANGE), contract_terms.CURRENCY)
    else:
        asked = Stock(name, _EXCHANGE, contract_terms.CURRENCY)
    try:
        rows = await gateway.ask(lambda client, identity: client.reqContractDetails(identity, asked))
    except Refused as refused:
        raise _fault(refused, symbol) from refused
    if len(rows) != 1:
        found = ", ".join(f"{row.contract.localSymbol} ({row.contract.primaryExchange})" for row in rows)
        raise SourceFault("NO_SUCH_CONTRACT", f"{symbol} is not one contract: {found or 'none'}"[:_SHOWN])
    contract: Contract = rows[0].contract
    if asked.exchange == _EXCHANGE:
        # Smart routing, and not the one exchange that the answer may name.
        contract.exchange = _EXCHANGE
    return contract


async def list_options(gateway: Gateway, underlying: Contract, *, today: date, expiries: int) -> Listing:
    """The options of the `expiries` nearest expiries (0: all). Raises SourceFault if there are none.

    One question an expiry and trading class brings all of its contracts; what is refused or cannot be read is
    told among the troubles.
    """
    classes = await _classes(gateway, underlying)
    listed = [(day, each) for each in classes for day in each.expiries if day >= f"{today:%Y%m%d}"]
    listed.sort(key=lambda pair: (pair[0], pair[1].name))
    if expiries:
        listed = listed[:expiries]
    options: list[Listed] = []
    troubles: list[str] = []
    asking = asyncio.Semaphore(_AT_ONCE)

    async def expiry(day: str, each: Class) -> None:
        asked = Option(
            underlying.symbol,
            day,
            exchange=_EXCHANGE,
            multiplier=each.multiplier,
            currency=contract_terms.CURRENCY,
            tradingClass=each.name,
        )
        try:
            async with asking:
                rows = await gateway.ask(lambda client, identity: client.reqContractDetails(identity, asked))
        except (Refused, SourceFault) as failed:
            troubles.append(f"{each.name} {day}: {failed}")
            return
        for row in rows:
            try:
                options.append(read_option(row))
            except ValueError as error:
                troubles.append(f"{each.name} {day}: {error}")

    async with asyncio.TaskGroup() as group:
        for day, each in listed:
            group.create_task(expiry(day, each))
    gateway.check()
    known = {option.con_id: option for option in options}
    if not known:
        why = f": {troubles[0]}" if troubles else ""
        raise SourceFault("NO_INSTRUMENTS", f"no option of {underlying.symbol} is listed{why}")
    # A chain has one multiplier.
    multiplier, _ = Counter(option.multiplier for option in known.values()).most_common(1)[0]
    kept = tuple(option for option in known.values() if option.multiplier == multiplier)
    if others := len(known) - len(kept):
        troubles.append(f"{others} options have another multiplier than {multiplier}")
    return Listing(kept, tuple(troubles))


def read_option(details: Any) -> Listed:
    """An option from its details. Raises ValueError that says what is wrong."""
    contract = details.contract
    symbol = str(contract.localSymbol)
    is_call = _is_call(contract.right)
    strike = _decimal("strike", contract.strike)
    if contract.conId <= 0:
        raise ValueError(f"{symbol!r} has the id {contract.conId}, which is none")
    try:
        osi = parse_osi(symbol)
    except ValueError:
        # Not an exchange's symbol: what the fields say must make one.
        day = _day(details.realExpirationDate or contract.lastTradeDateOrContractMonth)
        osi = parse_osi(osi_symbol(str(contract.tradingClass), day, is_call, strike))
    if (osi.is_call, osi.strike) != (is_call, strike):
        raise ValueError(f"{symbol!r} is not the {contract.right} at {contract.strike} that it is said to be")
    contract.exchange = _EXCHANGE
    return Listed(
        con_id=contract.conId,
        root=osi.root,
        expiry_date=date.fromisoformat(osi.expiry_date),
        strike=strike,
        is_call=is_call,
        multiplier=_decimal("multiplier", contract.multiplier),
        contract=contract,
    )


async def _classes(gateway: Gateway, underlying: Contract) -> Sequence[Class]:
    """The trading classes whose options deliver the underlying itself."""
    try:
        rows = await gateway.ask(
            lambda client, identity: client.reqSecDefOptParams(
                identity, underlying.symbol, "", underlying.secType, underlying.conId
            )
        )
    except Refused as refused:
        raise _fault(refused, underlying.symbol) from refused
    exchange = _EXCHANGE if any(row[0] == _EXCHANGE for row in rows) else _INDEX_EXCHANGE
    # Options on shares of another class than the share's deliver what a corporate action made of it.
    share = underlying.secType == "STK"
    classes = [
        Class(name, multiplier, tuple(sorted(expiries)))
        for place, name, multiplier, expiries, _ in rows
        if place == exchange and (not share or name == underlying.symbol.replace(" ", ""))
    ]
    if not classes:
        raise SourceFault("NO_INSTRUMENTS", f"no option of {underlying.symbol} is listed")
    return classes


def _fault(refused: Refused, symbol: str) -> SourceFault:
    code = code_of(refused.number)
    reason, fix = (code.reason, code.fix) if code is not None else ("REQUEST_REFUSED", "see the message")
    return SourceFault(reason, f"{symbol}: {refused}; {fix}")


def _is_call(right: object) -> bool:
    if right not in ("C", "CALL", "P", "PUT"):
        raise ValueError(f"right {right!r} is neither call nor put")
    return right in ("C", "CALL")


def _day(text: str) -> date:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007 - a date without a time
    except ValueError as error:
        raise ValueError(f"expiry {text[:_SHOWN]!r} is no date") from error


def _decimal(name: str, value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{name} {value!r} is no number") from error
    if not number.is_finite() or not 0 < number < 10**9:
        raise ValueError(f"{name} {value!r} is no positive number")
    return number
