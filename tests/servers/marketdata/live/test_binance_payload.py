"""Binance's messages: recorded ones are read, and rubbish is refused by field."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from binance_venue import minutes

from skewline.servers.marketdata.live.binance_payload import (
    BestPrices,
    Malformed,
    Trade,
    read_aggregate,
    read_best,
    read_depth,
    read_past,
    read_past_trade,
    read_snapshot,
    read_trade,
)
from skewline.servers.marketdata.live.source import SourceFault

SPOT_DEPTH = {"e": "depthUpdate", "E": 1723161255208, "s": "BTCUSDT", "U": 10, "u": 12, "b": [], "a": []}
FUTURE_DEPTH = {**SPOT_DEPTH, "T": 1723161255200, "pu": 7}
BEST = {"u": 12, "s": "BTCUSDT", "b": "61837.63000000", "B": "3.78", "a": "61837.64000000", "A": "1.5"}
TRADE = {
    "e": "trade",
    "E": 1723161255343,
    "t": 37,
    "p": "61837.63",
    "q": "0.02",
    "T": 1723161255342,
    "m": True,
}
AGGREGATE = {
    "e": "aggTrade",
    "a": 5,
    "p": "61837.63",
    "q": "0.02",
    "f": 1,
    "l": 3,
    "T": 1723161255342,
    "m": False,
}
PAST = {"id": 37, "price": "61837.63", "qty": "0.02", "time": 1723161255342, "isBuyerMaker": True}
READERS: list[tuple[Callable[[dict[str, Any]], object], dict[str, Any]]] = [
    (read_depth, SPOT_DEPTH),
    (read_depth, FUTURE_DEPTH),
    (read_best, BEST),
    (read_trade, TRADE),
    (read_aggregate, AGGREGATE),
    (read_past_trade, PAST),
]
USED = [(read, good, name) for read, good in READERS for name in good if name not in "eEsfl"]
RUBBISH: list[Any] = [
    None,
    -1,
    1.5,
    True,
    "",
    "x",
    "-1",
    "1e5",
    "1_0",
    "１",
    "NaN",
    "inf",
    [],
    {},
    2**63,
    "9" * 40,
]


def test_they_are_read() -> None:
    depth = read_depth(SPOT_DEPTH)
    assert (depth.time_ns, depth.after, depth.final) == (1723161255208_000_000, 9, 12)
    depth = read_depth(FUTURE_DEPTH)
    assert (depth.time_ns, depth.after, depth.final) == (1723161255200_000_000, 7, 12)
    assert read_best(BEST) == BestPrices(12, (61837.63, 3.78), (61837.64, 1.5))
    sold = Trade(37, 1723161255342_000_000, 61837.63, 0.02, is_buy=False)
    assert read_trade(TRADE) == read_past_trade(PAST) == sold
    assert read_aggregate(AGGREGATE) == Trade(5, 1723161255342_000_000, 61837.63, 0.02, is_buy=True)


@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_all_that_was_recorded_is_read(market_data: Path, market: str) -> None:
    readers = {"depth": read_depth, "bookTicker": read_best}
    readers["trade"] = read_trade if market == "spot" else read_aggregate
    for each in minutes(market_data, market).sent:
        readers[each.kind](each.data)


@pytest.mark.parametrize(("read", "good", "field"), USED)
@pytest.mark.parametrize("value", RUBBISH, ids=repr)
def test_rubbish_in_a_field_is_refused_by_its_name(
    read: Callable[[dict[str, Any]], object], good: dict[str, Any], field: str, value: Any
) -> None:
    bent = {**good, field: value}
    if isinstance(value, type(good[field])) and not isinstance(value, str | int):
        return  # an empty list of levels is fine
    if isinstance(good[field], bool) and isinstance(value, bool):
        return
    with pytest.raises(Malformed, match=rf"\b{field}\b"):
        read(bent)


@pytest.mark.parametrize(("read", "good", "field"), USED)
def test_a_missing_field_is_named(
    read: Callable[[dict[str, Any]], object], good: dict[str, Any], field: str
) -> None:
    if field in ("pu", "T") and read is read_depth:
        return  # a spot message
    with pytest.raises(Malformed, match=rf"\b{field}\b"):
        read({name: value for name, value in good.items() if name != field})


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({**SPOT_DEPTH, "U": 13}, "U is 13, behind u, 12"),
        ({**FUTURE_DEPTH, "pu": 12}, "pu is 12, not before u, 12"),
        ({**SPOT_DEPTH, "E": 1723161255}, "E is 1723161255, no time in ms"),
        ({**SPOT_DEPTH, "E": 1723161255208000}, "no time in ms"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(message: dict[str, Any], says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read_depth(message)


@pytest.mark.parametrize("field", ["p", "q"])
def test_a_trade_of_nothing_or_for_nothing_is_none(field: str) -> None:
    with pytest.raises(Malformed, match="must be above 0"):
        read_trade({**TRADE, field: "0.000"})


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"lastUpdateId": "7"}', b'{"lastUpdateId": 7}', b"[" * 9999],
)
def test_a_snapshot_that_is_none_is_a_fault(body: bytes) -> None:
    with pytest.raises(SourceFault, match="UNREADABLE: the snapshot of the book cannot be read") as fault:
        read_snapshot(body)
    assert fault.value.reason == "UNREADABLE"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b"[{}]", json.dumps([PAST, {**PAST, "qty": 1}]).encode()]
)
def test_a_list_of_trades_that_is_none_is_a_fault(body: bytes) -> None:
    with pytest.raises(SourceFault, match="UNREADABLE: the list of trades cannot be read"):
        read_past(body, read_past_trade)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_but_malformed_is_ever_raised(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(300):
        read, good = draw.choice(READERS)
        bent = dict(good)
        for name in draw.sample(list(good), 2):
            bent[name] = draw.choice(RUBBISH)
        try:
            read(bent)
        except Malformed:
            continue
