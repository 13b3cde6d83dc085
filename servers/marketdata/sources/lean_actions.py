"""Splits, dividends and symbol changes from LEAN's factor files and map files.

A factor file has a line for each last day on which its factors hold: date, price factor, split factor and the
closing price of that day. What takes effect on the session after the date is seen by the next line:

    split        new / old = split factor of the next line / split factor
    dividend     amount = closing price × (1 - price factor / price factor of the next line)

Prices before are multiplied by both factors to compare with the newest. A map file has a line for each last
day on which a symbol held: date, symbol, and maybe the exchange.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

from skewline.servers.marketdata.sources.source import SourceError
from skewline.servers.runtime import new_york
from skewline.servers.runtime.corporate_actions import CASH_DIVIDEND, SPLIT, SYMBOL_CHANGE, completed
from skewline.servers.runtime.decimals import from_decimal
from skewline.v1 import corporate_action_pb2

_CURRENCY: Final = "USD"
# Factors are written with 7 or 8 digits, which a ratio of small whole numbers must agree with.
_SIMPLE: Final = 20
_AGREES: Final = 5e-4
_SAME: Final = 1e-6
_FINEST: Final = 1_000_000
_CENTS_OF_CENTS: Final = Decimal("0.0001")
_LAST: Final = date(2050, 12, 31)
"""The date of a file's last line: no end."""


@dataclass(frozen=True, slots=True)
class _Factors:
    until: date
    price: float
    split: float
    close: float


def factor_actions(file: Path, symbol: str) -> list[corporate_action_pb2.CorporateAction]:
    """The splits and dividends of a factor file, oldest first. Raises SourceError naming line and fix."""
    lines = list(_factors(file))
    actions = []
    for line, after in pairwise(lines):
        if line.until >= after.until:
            raise SourceError(
                f"{file}: {after.until} does not come after {line.until}; sort the lines by date"
            )
        if abs(after.split / line.split - 1) > _SAME:
            split = _told(file, symbol, line.until, SPLIT)
            split.new_units, split.old_units = _units(after.split / line.split)
            actions.append(completed(split))
        if amount := _dividend(line, after):
            dividend = _told(file, symbol, line.until, CASH_DIVIDEND)
            dividend.amount.CopyFrom(from_decimal(amount))
            dividend.currency = _CURRENCY
            actions.append(completed(dividend))
    return actions


def map_actions(file: Path) -> list[corporate_action_pb2.CorporateAction]:
    """The symbol changes of a map file, oldest first. Raises SourceError naming line and fix."""
    held = [(_day(file, number, row[0]), row[1].strip().upper()) for number, row in _rows(file, 2)]
    actions = []
    for (until, symbol), (_, after) in pairwise(held):
        if symbol != after:
            change = _told(file, symbol, until, SYMBOL_CHANGE)
            change.new_symbol = after
            actions.append(completed(change))
    return actions


def _told(
    file: Path, symbol: str, last_day: date, kind: corporate_action_pb2.CorporateActionKind.ValueType
) -> corporate_action_pb2.CorporateAction:
    return corporate_action_pb2.CorporateAction(
        kind=kind,
        underlying=symbol,
        ex_date=_session_after(last_day).isoformat(),
        source=f"lean:{file.parent.name}/{file.name}",
    )


def _factors(file: Path) -> Iterator[_Factors]:
    for number, row in _rows(file, 4):
        day = _day(file, number, row[0])
        values = []
        for name, text in zip(("price factor", "split factor", "closing price"), row[1:4], strict=True):
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            # Without an event the closing price is 0: it is used for dividends only.
            if not (math.isfinite(value) and (value > 0 or (value == 0 and name == "closing price"))):
                raise SourceError(
                    f"{file}, line {number}: the {name} must be a number above zero, not {text!r}; correct it"
                )
            values.append(value)
        yield _Factors(day, *values)


def _dividend(line: _Factors, after: _Factors) -> Decimal:
    share = 1 - line.price / after.price
    if share < _SAME:
        return Decimal(0)
    return Decimal(repr(line.close * share)).quantize(_CENTS_OF_CENTS)


def _units(ratio: float) -> tuple[int, int]:
    simple = Fraction(ratio).limit_denominator(_SIMPLE)
    found = simple if abs(float(simple) / ratio - 1) < _AGREES else Fraction(ratio).limit_denominator(_FINEST)
    return found.numerator, found.denominator


def _session_after(day: date) -> date:
    following = day + timedelta(days=1)
    while not new_york.is_session(following) and following < _LAST:
        following += timedelta(days=1)
    return following


def _rows(file: Path, fewest: int) -> Iterator[tuple[int, list[str]]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file} cannot be read ({error}): fetch it again") from error
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        if not row:
            continue
        if len(row) < fewest:
            raise SourceError(f"{file}, line {number}: has {len(row)} fields of {fewest}; fetch it again")
        yield number, row


def _day(file: Path, number: int, text: str) -> date:
    try:
        return datetime.strptime(text.strip(), "%Y%m%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise SourceError(
            f"{file}, line {number}: {text!r} is no date such as 20140606; correct it"
        ) from error
