"""Alpaca's answers and messages, in its own words and in none."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from alpaca_venue import quote, snapshot
from chain_samples import FRIDAY_NS
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, rubbish

from skewline.servers.marketdata.live.alpaca_book import AlpacaBook
from skewline.servers.marketdata.live.alpaca_frames import read_frame
from skewline.servers.marketdata.live.alpaca_payload import (
    UNQUOTED,
    read_contracts,
    read_snapshots,
    read_spot,
)
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.marketdata.validation.schema import schema_violations
from skewline.v1 import common_pb2

CALL, PUT = "XYZ190621C00100000", "XYZ190621P00100000"


def page() -> dict[str, Any]:
    return {
        "snapshots": {CALL: snapshot(1.0, 1.2, FRIDAY_NS), PUT: snapshot(2.0, 2.2, FRIDAY_NS + 1)},
        "next_page_token": "next",
    }


def contracts() -> dict[str, Any]:
    contract = {"symbol": CALL, "multiplier": "100", "open_interest": "237", "status": "active"}
    return {"option_contracts": [contract], "next_page_token": None}


def stock() -> dict[str, Any]:
    return {"symbol": "XYZ", "latestQuote": {"bp": 99.9, "ap": 100.1}, "latestTrade": {"p": 101.0}}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_page_of_snapshots_has_each_option_and_where_the_next_begins() -> None:
    read = read_snapshots(encoded(page()))
    assert (sorted(read.rows), read.next_token, read.unreadable) == ([CALL, PUT], "next", ())
    option = read.rows[PUT]
    assert (option.quote.bid, option.quote.ask, option.quote.bid_size) == (2.0, 2.2, 7.0)
    assert (option.quote.time_ns, option.vendor_iv, option.volume) == (FRIDAY_NS + 1, 0.2345, 21.0)


def test_an_option_that_was_never_quoted_has_no_bid_and_no_ask() -> None:
    body = page()
    body["snapshots"][CALL] = {"latestTrade": None, "latestQuote": None}
    option = read_snapshots(encoded(body)).rows[CALL]
    assert (option.quote, option.vendor_iv, option.volume) == (UNQUOTED, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("2019-05-24T19:00:00Z", 0),
        ("2019-05-24T19:00:00.5Z", 500_000_000),
        ("2019-05-24T19:00:00.123456789Z", 123_456_789),
        ("2019-05-24T15:00:00.000000001-04:00", 1),
    ],
)
def test_times_are_exact_to_the_nanosecond(text: str, nanos: int) -> None:
    body = page()
    body["snapshots"][CALL]["latestQuote"]["t"] = text
    assert read_snapshots(encoded(body)).rows[CALL].quote.time_ns == FRIDAY_NS + nanos


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("bp", "1.0", "bp '1.0' is no number"),
        ("bp", -1, "bp -1.0 is below zero"),
        ("as", True, "as True is no number"),
        ("ap", math.nan, "ap nan is no number"),
        ("t", "soon", "t 'soon' is no time"),
        ("t", "2019-13-24T19:00:00Z", "is no time"),
        ("t", None, "t None is no time"),
        ("t", "0001-01-01T00:00:00Z", "is no time"),
    ],
)
def test_an_option_that_cannot_be_read_is_told_and_the_others_taken(
    member: str, value: Any, says: str
) -> None:
    body = page()
    body["snapshots"][CALL]["latestQuote"][member] = value
    read = read_snapshots(encoded(body))
    assert list(read.rows) == [PUT]
    assert CALL in read.unreadable[0]
    assert says in read.unreadable[0]


def test_a_symbol_that_is_none_is_told() -> None:
    body = page()
    body["snapshots"]["XYZ??"] = body["snapshots"][CALL]
    assert "is not an OSI symbol" in read_snapshots(encoded(body)).unreadable[0]


def test_contracts_of_another_size_are_told() -> None:
    body = contracts()
    body["option_contracts"] += [{"symbol": PUT, "multiplier": "10"}, None, {"symbol": 7}]
    read = read_contracts(encoded(body))
    assert read.rows == {CALL: 237.0}
    assert "multiplier '10' is not 100" in read.unreadable[0]
    assert len(read.unreadable) == 3


@pytest.mark.parametrize(
    ("quoted", "traded", "spot"),
    [
        ({"bp": 99.9, "ap": 100.1}, {"p": 101.0}, 100.0),
        ({"bp": 1, "ap": 999}, {"p": 101.0}, 101.0),
        ({"bp": 0, "ap": 100.1}, {"p": 101.0}, 101.0),
        ({"bp": 100.2, "ap": 100.1}, {"p": 101.0}, 101.0),
        (None, {"p": 101.0}, 101.0),
        (None, None, math.nan),
    ],
)
def test_the_underlying_is_at_the_middle_of_a_narrow_quote_or_at_the_last_trade(
    quoted: Any, traded: Any, spot: float
) -> None:
    read = read_spot(encoded({"latestQuote": quoted, "latestTrade": traded}))
    assert read == pytest.approx(spot, nan_ok=True)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no object"),
        (b"{}", "which are no"),
        (b'{"snapshots": [], "option_contracts": {}}', "which are no"),
        (b'{"snapshots": {}, "option_contracts": [], "next_page_token": 7}', "next_page_token 7"),
    ],
)
def test_what_is_no_page_is_said(body: bytes, says: str) -> None:
    for read in (read_snapshots, read_contracts):
        with pytest.raises(SourceFault, match=says) as fault:
            read(body)
        assert fault.value.reason == "UNREADABLE"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(mutated(page()))
def test_whatever_a_page_says_it_makes_a_sound_message_or_a_fault(body: Any) -> None:
    try:
        rows = read_snapshots(encoded(body)).rows
    except SourceFault:
        return
    book = AlpacaBook("XYZ")
    book.relist(rows)
    assert len(book.nearest(10, 100.0, FRIDAY_NS)) == len(rows)
    chain = book.chain("alpaca:XYZ", common_pb2.PROVENANCE_LIVE, 100.0, {}, 0)
    assert chain is None or schema_violations(chain) == ()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(mutated(contracts()), mutated(stock()))
def test_whatever_contracts_and_prices_say_they_are_read_or_a_fault(listed: Any, priced: Any) -> None:
    with suppress(SourceFault):
        known = read_contracts(encoded(listed)).rows.values()
        assert all(interest >= 0 or math.isnan(interest) for interest in known)
    with suppress(SourceFault):
        spot = read_spot(encoded(priced))
        assert math.isnan(spot) or 0 < spot <= 1e12


def test_a_message_holds_quotes_or_says_something() -> None:
    frame = read_frame(msgpack.packb([quote(CALL, 1.0, 1.2, FRIDAY_NS + 7)]))
    [(symbol, read)] = frame.quotes
    assert (symbol, read.time_ns, read.bid, read.ask_size) == (CALL, FRIDAY_NS + 7, 1.0, 4.0)
    said = [{"T": "error", "code": 402, "msg": "auth failed"}, {"T": "subscription", "quotes": [CALL, 7]}]
    controls = read_frame(msgpack.packb(said)).controls
    assert (controls[0].kind, controls[0].code) == ("error", 402)
    assert controls[1].subscribed == {CALL}


def test_a_time_may_also_be_a_text() -> None:
    frame = read_frame(msgpack.packb([{**quote(CALL, 1, 2, 1), "t": "2019-05-24T19:00:00.000000007Z"}]))
    assert frame.quotes[0][1].time_ns == FRIDAY_NS + 7


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=100))
def test_any_bytes_are_a_message_or_a_fault(data: bytes) -> None:
    try:
        read_frame(data)
    except SourceFault:
        return


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 200), st.integers(0, 255))
def test_a_message_that_is_cut_or_changed_on_its_way_is_read_or_a_fault(place: int, byte: int) -> None:
    data = bytearray(msgpack.packb([quote(CALL, 1.0, 1.2, FRIDAY_NS), quote(PUT, 2.0, 2.2, FRIDAY_NS)]))
    with pytest.raises(SourceFault):
        read_frame(bytes(data[: place % len(data)]))
    data[place % len(data)] = byte
    try:
        read_frame(bytes(data))
    except SourceFault:
        return


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.one_of(rubbish, st.dictionaries(st.sampled_from("TSt"), rubbish)), max_size=4))
def test_whatever_is_packed_is_told_and_nothing_more(rows: list[Any]) -> None:
    try:
        data = msgpack.packb(rows)
    except OverflowError:
        return
    frame = read_frame(data)
    assert len(frame.quotes) + len(frame.controls) + len(frame.unreadable) == len(rows)
