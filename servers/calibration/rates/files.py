"""Curves out of CSV files: those of the US Treasury as it publishes them, and a plain list.

* Par yields: Date, "1 Mo", …, "30 Yr"; bills: Date, "4 WEEKS BANK DISCOUNT", …; in per cent. They are made at
  the end of their day, and so known from the next on.
* Any other: date, tenor (13D, 4W, 3M, 10Y), and rate (continuous, ACT/365F, as a fraction), rate_percent or
  discount; a row a point, known from the beginning of its date on.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from skewline.servers.calibration.rates.curve import (
    HIGHEST_RATE,
    LOWEST_RATE,
    Curve,
    bill_curve,
    par_curve,
    zero_curve,
)

_PAR: Final = re.compile(r"(\d+(?:\.\d+)?) (Mo|Month|Yr|Year)s?")
_BILL: Final = re.compile(r"(\d+) WEEKS BANK DISCOUNT")
_TENOR: Final = re.compile(r"(\d+(?:\.\d+)?)([DWMY])")
_YEARS: Final = {"D": 1 / 365, "W": 7 / 365, "M": 1 / 12, "Y": 1.0}
_KINDS: Final = ("rate", "rate_percent", "discount")
_ABSENT: Final = ("", "N/A", "n/a")
_MOST_YEARS: Final = 100.0
_FORMS: Final = (
    "name its columns date, tenor and rate, rate_percent or discount, or take a file of the US Treasury"
    ' (with Date and "1 Mo", "2 Yr", … or "4 WEEKS BANK DISCOUNT", …)'
)

Curves = dict[date, Callable[[], Curve]]


class RatesFault(ValueError):
    """A file of rates cannot be used; the message names line, column and fix."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the file, by column."""

    number: int
    values: dict[str, str]

    def number_in(self, column: str) -> float:
        text = self.values[column]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise RatesFault(f"line {self.number}, column {column}: {text!r} is not a number; correct it")
        return value

    def rate_in(self, column: str, *, percent: bool) -> float:
        rate = self.number_in(column) / (100.0 if percent else 1.0)
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            fix = "correct it" if percent else "write a fraction, or name the column rate_percent"
            raise RatesFault(f"line {self.number}, column {column}: {rate:g} is no rate; {fix}")
        return rate

    def day_in(self, column: str) -> date:
        text = self.values[column]
        for form in ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"):
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007
            except ValueError:
                continue
        raise RatesFault(f"line {self.number}, column {column}: {text!r} is no date such as 2019-04-25")


def read_curves(file: Path) -> Curves:
    """The curves of a file by the day on which each became known, made when asked for. Raises RatesFault."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return _curves(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RatesFault(f"cannot be read ({error}); name a CSV file") from error


def _curves(lines: Iterator[list[str]]) -> Curves:
    names = [name.strip() for name in next(lines, [])]
    rows = [_row(number, names, line) for number, line in enumerate(lines, start=2) if any(line)]
    if not rows:
        raise RatesFault(f"line 1: no rows of rates follow; {_FORMS}")
    if "Date" in names and any(_PAR.fullmatch(name) for name in names):
        return _treasury(rows, [name for name in names if _PAR.fullmatch(name)], _par)
    if "Date" in names and any(_BILL.fullmatch(name) for name in names):
        return _treasury(rows, [name for name in names if _BILL.fullmatch(name)], _bills)
    kinds = [name for name in _KINDS if name in names]
    if "date" not in names or "tenor" not in names or len(kinds) != 1:
        raise RatesFault(f"line 1: has the columns {', '.join(names)[:200]}; {_FORMS}")
    return _plain(rows, kinds[0])


def _row(number: int, names: Sequence[str], line: Sequence[str]) -> _Row:
    if len(line) != len(names):
        raise RatesFault(f"line {number}: has {len(line)} fields of {len(names)}; correct or remove the line")
    return _Row(number, dict(zip(names, (text.strip() for text in line), strict=True)))


def _treasury(
    rows: Sequence[_Row], columns: Sequence[str], make: Callable[[dict[str, float]], Curve]
) -> Curves:
    curves: Curves = {}
    for row in rows:
        given = [column for column in columns if row.values[column] not in _ABSENT]
        rates = {column: row.rate_in(column, percent=True) for column in given}
        if rates:  # some holidays have a line without any
            curves[row.day_in("Date") + timedelta(days=1)] = partial(make, rates)
    if not curves:
        raise RatesFault(f"line {rows[0].number}: no line has a rate; fetch the file again")
    return curves


def _par(rates: dict[str, float]) -> Curve:
    yields = {}
    for column, rate in rates.items():
        count, unit = re.findall(_PAR, column)[0]
        yields[float(count) / (12.0 if unit.startswith("Mo") else 1.0)] = rate
    return par_curve(yields)


def _bills(rates: dict[str, float]) -> Curve:
    return bill_curve((7 * int(re.findall(_BILL, column)[0]), rate) for column, rate in rates.items())


def _plain(rows: Sequence[_Row], kind: str) -> Curves:
    points: dict[date, dict[float, float]] = {}
    for row in rows:
        years = _tenor(row)
        on_day = points.setdefault(row.day_in("date"), {})
        if years in on_day:
            raise RatesFault(f"line {row.number}: has the date and tenor of a line before; keep one")
        if kind == "discount":
            factor = row.number_in(kind)
            if not 0.0 < factor <= math.exp(-LOWEST_RATE * years):
                raise RatesFault(f"line {row.number}, column discount: {factor:g} is no discount factor")
            on_day[years] = -math.log(factor) / years
        else:
            on_day[years] = row.rate_in(kind, percent=kind == "rate_percent")
    return {day: partial(zero_curve, rates) for day, rates in points.items()}


def _tenor(row: _Row) -> float:
    text = row.values["tenor"]
    found = _TENOR.fullmatch(text.upper())
    years = float(found[1]) * _YEARS[found[2]] if found else 0.0
    if not 0.0 < years <= _MOST_YEARS:
        raise RatesFault(f"line {row.number}, column tenor: {text!r} is none such as 13D, 4W, 3M or 10Y")
    return years
