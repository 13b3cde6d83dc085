"""Instrument ids: OSI symbols of listed options, exchange-native ids of the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.v1 import chain_pb2

_OSI: Final = re.compile(r"([A-Z0-9.]{1,6}) *(\d{2})(\d{2})(\d{2})([CP])(\d{8})")
_ROOT: Final = re.compile(r"[A-Z0-9.]{1,6}")
_FORM: Final = "ROOT, YYMMDD, C or P, and the strike times 1,000 in 8 digits, such as 'SPXW  190426C02900000'"
_MOST_MILLS: Final = 99_999_999
_MILL: Final = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class OsiSymbol:
    """What an OSI symbol says; `expiry_date` is YYYY-MM-DD, `strike` is currency per unit of underlying."""

    root: str
    expiry_date: str
    is_call: bool
    strike: Decimal

    def __str__(self) -> str:
        return osi_symbol(self.root, self.expiry_date, self.is_call, self.strike)


def osi_symbol(root: str, expiry_date: str | date, is_call: bool, strike: Decimal | float) -> str:
    """The 21-character OSI symbol. Raises ValueError for a root, date or strike that has none."""
    return f"{osi_stem(root, expiry_date)}{'C' if is_call else 'P'}{_mills(strike):08d}"


def parse_osi(text: str) -> OsiSymbol:
    """Read an OSI symbol, padded or not. Raises ValueError that says what is wrong."""
    found = _OSI.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not an OSI symbol: write {_FORM}")
    root, year, month, day, right, mills = found.groups()
    try:
        expiry = date(2000 + int(year), int(month), int(day))
    except ValueError as error:
        raise ValueError(f"{text!r} has an expiry that is no date ({error}): write {_FORM}") from error
    return OsiSymbol(root, expiry.isoformat(), right == "C", Decimal(mills) * _MILL)


def osi_stem(root: str, expiry_date: str | date) -> str:
    """The first 12 characters of the OSI symbols of an expiry. Raises ValueError for what has none."""
    if not _ROOT.fullmatch(root):
        raise ValueError(f"root {root!r} must be 1 to 6 capital letters, digits or dots")
    day = expiry_date if isinstance(expiry_date, date) else _day(expiry_date)
    return f"{root:<6}{day:%y%m%d}"


def mills_of(chain: chain_pb2.OptionChain) -> npt.NDArray[np.int64]:
    """The strike of each contract in thousandths. Raises ValueError for one that has no OSI symbol."""
    strikes = np.asarray(chain.strike, dtype=np.float64)
    mills = np.rint(strikes * 1000.0)
    bad = ~((np.abs(strikes * 1000.0 - mills) <= 1e-6) & (mills >= 0) & (mills <= _MOST_MILLS))
    if bad.any():
        _mills(float(strikes[int(np.argmax(bad))]))
    return mills.astype(np.int64)


def contract_ids(chain: chain_pb2.OptionChain) -> list[str]:
    """The instrument id of each contract of `chain`: its symbol column, or OSI symbols where that is empty.

    Raises ValueError for a contract without an OSI symbol, IndexError for an expiry_index out of range.
    """
    if chain.symbol:
        return list(chain.symbol)
    heads = []
    for expiry in chain.expiries:
        stem = osi_stem(expiry.root, expiry.expiry_date)
        heads.append((stem + "P", stem + "C"))
    return [
        f"{heads[index][is_call]}{mill:08d}"
        for index, is_call, mill in zip(
            chain.expiry_index, chain.is_call, mills_of(chain).tolist(), strict=True
        )
    ]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expiry date {text!r} must be YYYY-MM-DD") from error


def _mills(strike: Decimal | float) -> int:
    exact = strike if isinstance(strike, Decimal) else Decimal(repr(float(strike)))
    if not exact.is_finite() or exact < 0 or exact > _MOST_MILLS * _MILL:
        raise ValueError(f"strike {strike} must lie from 0 to 99,999.999 to have an OSI symbol")
    mills = exact / _MILL
    if mills != mills.to_integral_value():
        raise ValueError(f"strike {strike} has more than 3 decimals, and so no OSI symbol")
    return int(mills)
