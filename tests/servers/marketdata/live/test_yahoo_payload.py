"""Yahoo's answers, in its own words and in none."""

from __future__ import annotations

import json
import math
from datetime import date, time
from typing import Any

import pytest
from chain_samples import FRIDAY_NS, small_chain
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated
from yahoo_venue import option_answers

from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.marketdata.live.yahoo_chain import chain_of
from skewline.servers.marketdata.live.yahoo_payload import Answer, read_answer
from skewline.servers.marketdata.validation.schema import schema_violations
from skewline.servers.runtime import new_york

SECOND = 1_000_000_000
DELAY_S = 900.0


def payload() -> dict[str, Any]:
    return {"optionChain": {"result": [option_answers(small_chain())[0]], "error": None}}


def read(body: Any, symbol: str = "XYZ") -> Answer:
    return read_answer(json.dumps(body).encode(), symbol)


def first_call(body: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = body["optionChain"]["result"][0]["options"][0]["calls"][0]
    return row


def test_an_answer_is_one_expiry_and_names_the_others() -> None:
    answer = read(payload())
    assert (answer.spot.price, answer.spot.time_s) == (100.0, FRIDAY_NS // SECOND + 900)
    assert len(answer.expirations) == 2
    assert answer.expiry_s == answer.expirations[0]
    assert len(answer.quoted) == 6
    assert {each.contract.expiry_date for each in answer.quoted} == {"2019-06-21"}
    assert answer.unreadable == ()


def test_what_an_option_does_not_have_is_none_and_not_unknown() -> None:
    body = payload()
    row = first_call(body)
    for name in ("bid", "volume", "openInterest", "lastTradeDate"):
        row.pop(name, None)
    row |= {"ask": None, "impliedVolatility": 1.0000000000000003e-05}
    quoted = read(body).quoted[0]
    assert (quoted.bid, quoted.ask, quoted.volume, quoted.vendor_iv, quoted.traded_s) == (0, 0, 0, 0, 0)
    assert math.isnan(quoted.open_interest)


@pytest.mark.parametrize("value", ["12", True, {}, [], 10**400, math.nan, math.inf])
def test_what_is_no_number_is_left_for_validation_to_set_aside(value: Any) -> None:
    body = payload()
    first_call(body)["bid"] = value
    body["optionChain"]["result"][0]["quote"]["regularMarketPrice"] = value
    answer = read(body)
    assert math.isnan(answer.quoted[0].bid)
    assert math.isnan(answer.spot.price)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"contractSymbol": "XYZ??"}, "'XYZ??' is not an OSI symbol"),
        ({"contractSymbol": None}, "is not an OSI symbol"),
        ({"contractSymbol": "XYZ190621P00095000"}, "is among the calls"),
        ({"contractSize": "MINI"}, "has the contractSize 'MINI'"),
        ({"contractSize": None}, "has the contractSize None"),
    ],
)
def test_an_option_that_cannot_be_taken_is_told_and_the_others_are(
    changed: dict[str, Any], says: str
) -> None:
    body = payload()
    first_call(body).update(changed)
    answer = read(body)
    assert len(answer.quoted) == 5
    assert says in answer.unreadable[0]


@pytest.mark.parametrize(
    ("body", "reason", "says"),
    [
        (b"", "UNREADABLE", "is no JSON"),
        (b"\xff\xfe", "UNREADABLE", "is no JSON"),
        (b"<html>", "UNREADABLE", "is no JSON"),
        (b"[" * 100_000, "UNREADABLE", "is no JSON"),
        (b"[]", "UNREADABLE", "has no optionChain"),
        (b'{"optionChain": {}}', "UNREADABLE", "has no optionChain.result"),
        (b'{"optionChain": {"result": []}}', "NO_INSTRUMENTS", "knows no XYZ"),
        (b'{"optionChain": {"error": {"code": "Not Found"}}}', "VENUE_ERROR", "Not Found"),
        (b'{"finance": {"error": {"code": "Unauthorized"}}}', "UNREADABLE", "has no optionChain"),
    ],
)
def test_what_is_no_answer_is_said(body: bytes, reason: str, says: str) -> None:
    with pytest.raises(SourceFault, match=says) as fault:
        read_answer(body, "XYZ")
    assert fault.value.reason == reason


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("underlyingSymbol", "ABC", "is of 'ABC', not of 'XYZ'"),
        ("expirationDates", None, "expirationDates None"),
        ("expirationDates", ["soon"], "expirationDates"),
        ("quote", None, "has no quote of 'XYZ'"),
        ("quote", {"regularMarketTime": 1e9, "currency": "USD"}, "regularMarketTime 1000000000.0"),
        ("quote", {"regularMarketTime": 10**9}, "has the currency None"),
        ("options", None, "has no list of options"),
        ("options", [{}], "without an expirationDate"),
        ("options", [{"expirationDate": 1, "calls": {}, "puts": []}], "has no list of calls"),
    ],
)
def test_a_wrong_member_is_named(member: str, value: Any, says: str) -> None:
    body = payload()
    body["optionChain"]["result"][0][member] = value
    with pytest.raises(SourceFault, match=says):
        read(body)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(mutated(payload()))
def test_whatever_an_answer_says_it_is_a_sound_message_or_a_fault(body: Any) -> None:
    try:
        answer = read(body)
    except SourceFault:
        return
    assert schema_violations(chain_of([answer], "XYZ", "yahoo:XYZ", DELAY_S)) == ()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_fault(body: bytes) -> None:
    with pytest.raises(SourceFault):
        read_answer(body, "XYZ")


@pytest.mark.parametrize(
    ("spot_at", "traded_at", "seen"),
    [
        (time(15, 15), time(14, 59), time(15, 0)),
        (time(15, 15), time(15, 3), time(15, 3)),
        (time(15, 15), time(15, 30), time(15, 0)),
        (time(16, 0, 1), time(15, 59, 58), time(15, 59, 58)),
        (time(18, 0), time(15, 59, 58), time(16, 0)),
    ],
)
def test_its_time_is_when_the_market_was_so(spot_at: time, traded_at: time, seen: time) -> None:
    day = date(2019, 5, 24)
    body = payload()
    result = body["optionChain"]["result"][0]
    result["quote"]["regularMarketTime"] = new_york.instant_ns(day, spot_at) // SECOND
    for row in (*result["options"][0]["calls"], *result["options"][0]["puts"]):
        row["lastTradeDate"] = new_york.instant_ns(day, traded_at) // SECOND
    chain = chain_of([read(body)], "XYZ", "yahoo:XYZ", DELAY_S)
    assert chain.time_ns == new_york.instant_ns(day, seen)
