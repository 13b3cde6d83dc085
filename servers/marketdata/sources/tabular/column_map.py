"""Which column of a table is what, as columns.toml or columns.json beside the data says, or headers tell.

[columns]                       # ours = theirs
time = "quotedate"
osi = "optionroot"              # or expiry, strike and right (and root)
bid = "bid"
ask = "ask"

[format]
time = "%m/%d/%Y"               # strptime, iso, or s, ms, us, ns since the epoch; the same for expiry
time_of_day = "15:00"           # where time is a day
zone = "America/New_York"
price_scale = 1.0               # of bid, ask, spot and forward; also strike_scale and iv_scale
underlying = "([A-Z]+)-.*"      # what of the column's text is the underlying

[contract]
underlying = "SPX"              # where no column says it
exercise = "european"           # or american
settlement = "pm"               # or am
multiplier = "100"
currency = "USD"
prices = "coin"                 # bid and ask are in units of the underlying, and forward converts them

[snapshots]
every_s = 60                    # rows are updates: a chain each 60 s of the newest row of each contract
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import time as wall_time
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from skewline.servers.marketdata.sources.source import SourceError

MAP_NAMES: Final = ("columns.toml", "columns.json")
NUMBERS: Final = ("bid_size", "ask_size", "volume", "open_interest", "vendor_iv")
"""Optional columns of a chain."""
FIELDS: Final = (
    *("time", "underlying", "root", "osi", "symbol", "expiry", "strike", "right", "bid", "ask"),
    *("spot", "forward"),
    *NUMBERS,
    *("open", "high", "low", "close"),
)
# Headers in use, without case and punctuation; the first that a table has is taken.
_USUAL: Final[dict[str, tuple[str, ...]]] = {
    "time": ("timens", "quotedatetime", "quotetime", "timestamp", "datetime", "time", "quotedate", "date"),
    "underlying": ("underlying", "underlyingsymbol", "underlyingticker", "rootsymbol", "ticker"),
    "root": ("root", "optionclass"),
    "osi": ("osi", "osisymbol", "occsymbol", "optionsymbol", "contractsymbol", "optionroot", "contract"),
    "symbol": (),
    "expiry": ("expiry", "expiration", "expirydate", "expirationdate", "exdate", "maturity"),
    "strike": ("strike", "strikeprice"),
    "right": ("right", "optiontype", "type", "cpflag", "callput", "putcall", "cp"),
    "bid": ("bid", "bidprice", "bestbid", "bestbidprice"),
    "ask": ("ask", "askprice", "bestask", "bestaskprice", "offer"),
    "bid_size": ("bidsize", "bidamount", "bidqty"),
    "ask_size": ("asksize", "askamount", "askqty", "offersize"),
    "volume": ("volume", "tradevolume", "tradedvolume"),
    "open_interest": ("openinterest", "oi"),
    "vendor_iv": ("vendoriv", "iv", "impliedvolatility", "impliedvol", "impvol", "markiv"),
    "spot": ("spot", "underlyinglast", "underlyingprice", "stockprice"),
    "forward": (),
}


_OF_BARS: Final[dict[str, tuple[str, ...]]] = {
    "time": ("startns", "timens", "starttime", *_USUAL["time"]),
    "underlying": ("underlying", "symbol", "ticker"),
    "open": ("open", "openprice"),
    "high": ("high", "highprice"),
    "low": ("low", "lowprice"),
    "close": ("close", "closeprice", "last"),
    "volume": ("volume", "vol"),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Format(_Part):
    """How the texts of a table are to be read."""

    time: str = ""
    expiry: str = ""
    time_of_day: wall_time = wall_time(16, 0)
    zone: str = "America/New_York"
    underlying: str = ""
    price_scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    strike_scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    iv_scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("must be a time zone such as America/New_York or UTC") from error
        return zone

    @field_validator("underlying")
    @classmethod
    def _is_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"must be a regular expression: {error}") from error
        return pattern


class Contract(_Part):
    """What the table does not say of its contracts; empty takes what is usual for the underlying."""

    underlying: str = ""
    exercise: Literal["", "european", "american"] = ""
    settlement: Literal["", "am", "pm"] = ""
    multiplier: Decimal = Field(default=Decimal(100), gt=0, allow_inf_nan=False)
    currency: str = Field(default="USD", min_length=1, max_length=12)
    prices: Literal["currency", "coin"] = "currency"


class Snapshots(_Part):
    """How rows make chains; 0: rows of one time are one chain."""

    every_s: float = Field(default=0.0, ge=0, le=86_400, allow_inf_nan=False)


class ColumnMap(_Part):
    """A map that can be used on a table that has its columns."""

    columns: dict[str, str]
    format: Format = Format()
    contract: Contract = Contract()
    snapshots: Snapshots = Snapshots()


def map_beside(place: Path) -> Path | None:
    """The map of a folder, or of the folder that a file is in; None if there is none."""
    folder = place if place.is_dir() else place.parent
    found = (folder / name for name in MAP_NAMES)
    return next((file for file in found if file.is_file()), None)


def read_map(file: Path) -> ColumnMap:
    """Read a map. Raises SourceError that names each entry that is wrong, and the fix."""
    try:
        text = file.read_text(encoding="utf-8")
        told = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
        found = ColumnMap.model_validate(told)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SourceError(f"{file}: {faults}; correct it") from error
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(
            f"{file} cannot be read as {file.suffix[1:].upper()} ({error}); correct it"
        ) from error
    if unknown := [name for name in found.columns if name not in FIELDS]:
        raise SourceError(f"{file}: columns.{unknown[0]} is none of {', '.join(FIELDS)}; correct it")
    return found


def map_for(place: Path, names: Sequence[str], told: ColumnMap | None) -> ColumnMap:
    """`told`, or what the headers `names` of `place` say. Raises SourceError for columns that are missing."""
    found = told or ColumnMap(columns=_detected(names, _USUAL))
    columns = found.columns
    needed = ["time", "bid", "ask"]
    if "osi" not in columns:
        needed += ["expiry", "strike", "right"]
        if not ("root" in columns or found.contract.underlying):
            needed.append("underlying")
    if found.contract.prices == "coin":
        needed.append("forward")
    _require(place, names, found, needed)
    return found


def bar_map_for(place: Path, names: Sequence[str], told: ColumnMap | None, underlying: str) -> ColumnMap:
    """The same for a table of bars; with an `underlying` it needs no column of it. Raises SourceError."""
    found = told or ColumnMap(columns=_detected(names, _OF_BARS))
    needed = ["time", "open", "high", "low", "close"]
    if not (underlying or found.contract.underlying):
        needed.append("underlying")
    _require(place, names, found, needed)
    return found


def _require(place: Path, names: Sequence[str], found: ColumnMap, needed: Sequence[str]) -> None:
    columns = found.columns
    if absent := [f"{theirs} ({ours})" for ours, theirs in columns.items() if theirs not in names]:
        raise SourceError(
            f"{place}, line 1: column {', '.join(absent)} of the map is missing; correct the map"
        )
    if missing := [name for name in needed if name not in columns]:
        raise SourceError(
            f"{place}, line 1: no column is known to be {', '.join(missing)} among {', '.join(names)[:300]}; "
            f'say which in {MAP_NAMES[0]} beside it, [columns] {missing[0]} = "…"'
        )


def _detected(names: Sequence[str], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    bare = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(names)}
    found: dict[str, str] = {}
    for ours, usual in known.items():
        theirs = next((bare[each] for each in usual if each in bare), None)
        if theirs is not None:
            found[ours] = theirs
    return found
