"""Cboe's delayed-quote files, recorded and malformed."""

from __future__ import annotations

import json
import math
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from cboe_files import delayed_file
from chain_samples import FRIDAY_NS, small_chain

from skewline.servers.marketdata.live.cboe_payload import read_quotes
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime import new_york
from skewline.v1 import common_pb2, instrument_pb2

DELAY_S = 900.0
SECOND = 1_000_000_000


@pytest.fixture
def recorded(market_data: Path) -> bytes:
    return (market_data / "feeds" / "cboe" / "cboe_delayed_quotes_CLX_trimmed.json").read_bytes()


def test_the_recorded_file_is_a_chain(recorded: bytes) -> None:
    quotes = read_quotes(recorded, "CLX", "cboe:CLX", DELAY_S)
    chain = quotes.chain
    assert (chain.underlying, chain.source, chain.spot) == ("CLX", "cboe:CLX", 95.55)
    assert chain.provenance == common_pb2.PROVENANCE_DELAYED
    assert chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
    assert [each.expiry_date for each in chain.expiries] == ["2026-08-21", "2028-01-21"]
    assert len(chain.strike) == 10
    place = next(at for at in range(10) if chain.strike[at] == 95.0 and not chain.is_call[at])
    assert (chain.bid[place], chain.ask[place], chain.vendor_iv[place]) == (4.0, 4.6, 0.3905)
    assert (chain.bid_size[place], chain.open_interest[place]) == (83.0, 1684.0)
    assert 0.0 in chain.vendor_iv
    assert quotes.unreadable == ()
    assert quotes.made_ns == 1_784_940_194 * SECOND


def test_quotes_seen_after_hours_are_those_of_the_close(recorded: bytes) -> None:
    chain = read_quotes(recorded, "CLX", "cboe:CLX", DELAY_S).chain
    assert chain.time_ns == new_york.instant_ns(date(2026, 7, 24), new_york.CLOSE)


@pytest.mark.parametrize(
    ("timestamp", "last_trade", "seen"),
    [
        ("2019-05-24 18:15:00", None, time(14, 0)),
        ("2019-05-24 18:15:00", "2019-05-24T14:03:20", time(14, 3, 20)),
        ("2019-05-24 18:15:00", "2019-05-24T09:31:00", time(14, 0)),
        ("2019-05-24 18:15:00", "2019-05-24T19:00:00", time(14, 0)),
    ],
)
def test_its_time_is_when_the_market_was_so(timestamp: str, last_trade: str | None, seen: time) -> None:
    body = delayed_file(small_chain(), timestamp=timestamp, last_trade_time=last_trade)
    chain = read_quotes(body, "XYZ", "cboe:XYZ", DELAY_S).chain
    assert chain.time_ns == new_york.instant_ns(date(2019, 5, 24), seen)


def test_at_a_weekend_it_is_fridays_close() -> None:
    body = delayed_file(small_chain(), timestamp="2019-05-26 12:00:00")
    chain = read_quotes(body, "XYZ", "cboe:XYZ", DELAY_S).chain
    assert chain.time_ns == new_york.instant_ns(date(2019, 5, 24), new_york.CLOSE)


def test_an_index_is_european_and_its_roots_settle_as_they_do() -> None:
    chain = small_chain(underlying="SPX")
    read = read_quotes(delayed_file(chain, symbol="_SPX"), "_SPX", "cboe:SPX", DELAY_S).chain
    assert read.exercise == instrument_pb2.EXERCISE_STYLE_EUROPEAN
    assert {each.settlement for each in read.expiries} == {instrument_pb2.SETTLEMENT_STYLE_AM}
    assert list(read.bid) == list(chain.bid)


def test_what_is_no_number_is_left_for_validation_to_set_aside() -> None:
    payload = json.loads(delayed_file(small_chain(), current_price=None))
    rows = payload["data"]["options"]
    rubbish: list[Any] = [None, "12", True, {}, 10**400]
    for place, value in enumerate(rubbish):
        rows[place]["bid"] = value
    del rows[5]["ask"]
    chain = read_quotes(json.dumps(payload).encode(), "XYZ", "cboe:XYZ", DELAY_S).chain
    assert math.isnan(chain.spot)
    assert sum(map(math.isnan, chain.bid)) == 5
    assert sum(map(math.isnan, chain.ask)) == 1


def test_a_symbol_that_is_none_is_counted_and_the_others_stay() -> None:
    payload = json.loads(delayed_file(small_chain()))
    payload["data"]["options"][0]["option"] = "XYZ??"
    payload["data"]["options"][1] = None
    payload["data"]["options"][2]["option"] = 7
    quotes = read_quotes(json.dumps(payload).encode(), "XYZ", "cboe:XYZ", DELAY_S)
    assert len(quotes.unreadable) == 3
    assert "'XYZ??'" in quotes.unreadable
    assert len(quotes.chain.strike) == 9


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"<html>", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "has no data.options"),
        (b'{"data": []}', "has no data.options"),
        (b'{"data": {"options": {}}}', "has no data.options"),
    ],
)
def test_what_is_no_such_file_is_said(body: bytes, says: str) -> None:
    with pytest.raises(SourceFault, match=says) as fault:
        read_quotes(body, "XYZ", "cboe:XYZ", DELAY_S)
    assert fault.value.reason == "UNREADABLE"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"timestamp": None}, "timestamp None"),
        ({"timestamp": "yesterday"}, "timestamp 'yesterday'"),
        ({"timestamp": "0001-01-01 00:00:00"}, "which cannot be"),
        ({"timestamp": "9999-12-31 23:59:59"}, "which cannot be"),
        ({"last_trade_time": "noon"}, "last_trade_time 'noon'"),
        ({"data": None}, "has no data.options"),
    ],
)
def test_a_wrong_member_is_named(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(SourceFault, match=says):
        read_quotes(delayed_file(small_chain(), **changed), "XYZ", "cboe:XYZ", DELAY_S)


def test_the_file_of_another_symbol_is_refused() -> None:
    with pytest.raises(SourceFault, match="is of 'XYZ', not of 'ABC'"):
        read_quotes(delayed_file(small_chain()), "ABC", "cboe:ABC", DELAY_S)


def test_the_time_of_the_samples_is_kept() -> None:
    quotes = read_quotes(delayed_file(small_chain()), "XYZ", "cboe:XYZ", DELAY_S)
    assert quotes.chain.time_ns == FRIDAY_NS
    assert quotes.made_ns == FRIDAY_NS + 900 * SECOND
