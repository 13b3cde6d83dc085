"""LEAN's US option data: minute and hour quotes of whole chains, and the underlying's price.

Each contract's newest quote of the day stands until the next one (its bar's close, known at the bar's end);
one snapshot is made a minute, or an hour where there are no minutes. Expired contracts are dropped.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from skewline.servers.marketdata.action_master import RECENT_NS
from skewline.servers.marketdata.chain_columns import Columns, Doubles, Heading, build_chain, listed_expiry
from skewline.servers.marketdata.sources.lean_actions import factor_actions, map_actions
from skewline.servers.marketdata.sources.lean_quotes import (
    HOUR_NS,
    MINUTE_NS,
    PRICE_SCALE,
    Bars,
    Contract,
    Longs,
    read_bars,
)
from skewline.servers.marketdata.sources.lean_spot import EquityPrices, day_start
from skewline.servers.marketdata.sources.source import (
    Selection,
    SnapshotRef,
    SourceError,
    in_order,
    require_folder,
)
from skewline.servers.runtime import new_york
from skewline.servers.runtime.corporate_actions import CASH_DIVIDEND
from skewline.v1 import chain_pb2, common_pb2, corporate_action_pb2, instrument_pb2

_QUOTE_WIDTH: Final = 10
_OPEN_INTEREST_WIDTH: Final = 1
_BID, _BID_SIZE, _ASK, _ASK_SIZE = 3, 4, 8, 9
_MINUTE_NAME: Final = re.compile(r"(\d{8})_quote_(american|european)\.zip")
_HOUR_NAME: Final = re.compile(r"([a-z0-9.]+)_\d{4}_quote_(american|european)\.zip")
_EXERCISE: Final = {
    "american": instrument_pb2.EXERCISE_STYLE_AMERICAN,
    "european": instrument_pb2.EXERCISE_STYLE_EUROPEAN,
}


class LeanSource:
    """The chains under `folder`, which has option/usa/minute or option/usa/hour, and equity/usa for spots."""

    def __init__(self, folder: Path, selection: Selection = Selection()) -> None:  # noqa: B008
        self._folder = folder
        self._selection = selection
        self._equities = EquityPrices(folder / "equity" / "usa")
        self._actions = lru_cache(maxsize=64)(self._read_actions)
        # Two: the day in hand, and the next, which is read ahead.
        self._bars = lru_cache(maxsize=2)(self._read_quotes)
        self._interest = lru_cache(maxsize=2)(self._read_interest)

    def plan(self) -> list[SnapshotRef]:
        """A snapshot for each end of a bar that any contract has. Raises SourceError."""
        options = self._folder / "option" / "usa"
        require_folder(
            options, "LEAN's minute/SYMBOL/DATE_quote_american.zip or hour/SYMBOL_YEAR_quote_american.zip"
        )
        refs, days = [], set()
        for file in sorted(options.glob("minute/*/*_quote_*.zip")):
            found = _named(file, _MINUTE_NAME, "20151224_quote_american.zip")
            underlying = file.parent.name.upper()
            if not self._selection.wants_symbol(underlying):
                continue
            day = _date(file, found[1])
            if self._selection.wants_day(day):
                days.add((underlying, day))
                refs += self._refs(file, underlying)
        for file in sorted(options.glob("hour/*_quote_*.zip")):
            found = _named(file, _HOUR_NAME, "aapl_2014_quote_american.zip")
            if not self._selection.wants_symbol(found[1].upper()):
                continue
            for ref in self._refs(file, found[1].upper()):
                day = new_york.date_of(ref.time_ns)
                if self._selection.wants_day(day) and (ref.underlying, day) not in days:
                    refs.append(ref)
        return in_order(refs)

    def load(self, ref: SnapshotRef) -> chain_pb2.OptionChain:
        """One snapshot. Raises SourceError."""
        file = self._folder / ref.key
        bars = self._bars(file)
        day = new_york.date_of(ref.time_ns)
        midnight = day_start(day)
        quoted, lines = bars.last_before(midnight, ref.time_ns)
        contracts = [bars.contracts[place] for place in quoted.tolist()]
        root = ref.underlying
        places: dict[date, int] = {}
        for contract in contracts:
            places.setdefault(contract.listed, len(places))
        expiries = [listed_expiry(root, listed) for listed in places]
        live = np.array([expiry.expiry_ns > ref.time_ns for expiry in expiries], dtype=np.bool_)
        index = np.array([places[contract.listed] for contract in contracts], dtype=np.int64)
        alive = live[index] if index.size else np.zeros(0, np.bool_)
        number = np.cumsum(live) - 1
        contracts = [
            contract for contract, is_alive in zip(contracts, alive.tolist(), strict=True) if is_alive
        ]
        values = np.nan_to_num(bars.values[:, lines[alive]])
        more = {"bid_size": values[_BID_SIZE], "ask_size": values[_ASK_SIZE]}
        interest = self._interest(_interest_file(file))
        if interest:
            more["open_interest"] = np.array([interest.get(contract, 0.0) for contract in contracts])
        chain = build_chain(
            Heading(
                underlying=ref.underlying,
                time_ns=ref.time_ns,
                source=f"lean:{ref.key}",
                provenance=common_pb2.PROVENANCE_RECORDED,
                spot=self._equities.spot(ref.underlying, day, midnight, ref.time_ns),
                exercise=_EXERCISE[_style(file)],
            ),
            [expiry for expiry, is_live in zip(expiries, live.tolist(), strict=True) if is_live],
            Columns(
                expiry_index=number[index[alive]],
                strike=np.array([contract.strike for contract in contracts], dtype=np.float64),
                is_call=np.array([contract.is_call for contract in contracts], dtype=np.bool_),
                bid=values[_BID] / PRICE_SCALE,
                ask=values[_ASK] / PRICE_SCALE,
                more=more,
            ),
        )
        # Only what is past: nobody knew of the rest yet. What adjusts contracts also after a long pause.
        recent_ns = ref.time_ns - RECENT_NS
        chain.corporate_actions.extend(
            action
            for action in self._actions(ref.underlying)
            if action.effective_ns <= ref.time_ns
            and (action.kind != CASH_DIVIDEND or recent_ns < action.effective_ns)
        )
        return chain

    def _read_actions(self, symbol: str) -> list[corporate_action_pb2.CorporateAction]:
        folder = self._folder / "equity" / "usa"
        factors, maps = (folder / name / f"{symbol.lower()}.csv" for name in ("factor_files", "map_files"))
        return [
            *(factor_actions(factors, symbol) if factors.is_file() else ()),
            *(map_actions(maps) if maps.is_file() else ()),
        ]

    def _refs(self, file: Path, underlying: str) -> list[SnapshotRef]:
        key = file.relative_to(self._folder).as_posix()
        return [
            SnapshotRef(underlying, known, key) for known in np.unique(self._bars(file).known_ns).tolist()
        ]

    def _read_quotes(self, file: Path) -> Bars:
        found = _MINUTE_NAME.fullmatch(file.name)
        if found is not None:
            return read_bars(file, _date(file, found[1]), MINUTE_NS, _QUOTE_WIDTH)
        return read_bars(file, None, HOUR_NS, _QUOTE_WIDTH)

    def _read_interest(self, file: Path) -> dict[Contract, float]:
        found = re.match(r"\d{8}", file.name)
        if not file.is_file() or found is None:
            return {}
        bars = read_bars(file, _date(file, found[0]), MINUTE_NS, _OPEN_INTEREST_WIDTH)
        newest: Longs
        quoted, newest = bars.last_before(0, int(bars.known_ns.max(initial=0)))
        interest: Doubles = bars.values[0, newest]
        return {
            bars.contracts[place]: value
            for place, value in zip(quoted.tolist(), np.nan_to_num(interest).tolist(), strict=True)
        }


def _interest_file(quotes: Path) -> Path:
    return quotes.with_name(quotes.name.replace("_quote_", "_openinterest_"))


def _style(quotes: Path) -> str:
    return quotes.stem.rpartition("_")[2]


def _date(file: Path, text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise SourceError(f"{file}: its name has no date such as 20151224; correct the name") from error


def _named(file: Path, pattern: re.Pattern[str], example: str) -> re.Match[str]:
    found = pattern.fullmatch(file.name)
    if found is None:
        raise SourceError(f"{file}: is not named like {example}; correct the name")
    return found
