"""Deribit's payloads, recorded and malformed; inverse prices give the venue's own vol."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deribit_venue import BEGIN_MS, DeribitVenue, instrument, options

from skewline.cyext import black
from skewline.servers.marketdata.live.deribit_chain import TickerChain
from skewline.servers.marketdata.live.deribit_payload import read_instruments, read_ticker
from skewline.servers.marketdata.live.members import Malformed
from skewline.servers.marketdata.live.source import SourceFault
from skewline.v1 import common_pb2, instrument_pb2

NAME = "BTC-30AUG24-100000-C"


def listing(*rows: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "result": rows}).encode()


def made(names: list[str]) -> TickerChain:
    chain = TickerChain("BTC")
    listed, _ = read_instruments(listing(*(instrument(name) for name in names)), "BTC")
    chain.relist(listed.values())
    return chain


def test_the_recorded_option_is_listed(market_data: Path) -> None:
    row = json.loads((market_data / "feeds/deribit/http_get_instrument_option.json").read_text())["result"]
    listed, unreadable = read_instruments(listing(row), "BTC")
    option = listed["BTC-27DEC24-100000-C"]
    assert (option.is_call, option.strike, option.contract_size) == (True, 100_000.0, 1.0)
    assert option.expiry_ns == 1_735_300_800_000_000_000
    assert option.expiry_date == "2024-12-27"
    assert unreadable == []


@pytest.mark.parametrize("name", ["deribit_ticker_option.json", "deribit_ws_ticker_option_old.json"])
def test_recorded_tickers_are_read(market_data: Path, name: str) -> None:
    payload = json.loads((market_data / "feeds/deribit" / name).read_text())
    data = payload.get("params", {}).get("data", payload)
    ticker = read_ticker(data)
    assert ticker.name == data["instrument_name"]
    assert ticker.time_ns == data["timestamp"] * 1_000_000
    assert ticker.mark_iv == pytest.approx(data["mark_iv"] / 100)
    assert (ticker.bid, ticker.ask) == (data["best_bid_price"], data["best_ask_price"])


def test_a_price_in_coin_times_the_future_gives_the_venues_own_vol(market_data: Path) -> None:
    """Recorded marks of 2020, in coin: Black's vol of their dollar price is the venue's to 0.1 point."""
    with (market_data / "feeds/tardis/options_chain.csv").open() as file:
        rows = [
            row
            for row in csv.DictReader(file)
            # The rows of real marks; those with round prices were made up by the fixture's authors.
            if row["symbol"] == "BTC-9JUN20-9875-P" and row["mark_price"] in ("0.02210436", "0.02209480")
        ]
    assert len(rows) == 2
    for row in rows:
        years = (int(row["expiration"]) - int(row["timestamp"])) / 1e6 / (365 * 86_400)
        future = float(row["underlying_price"])
        dollars = float(row["mark_price"]) * future
        vol = black.implied_vol(False, dollars, future, float(row["strike_price"]), years, 1.0)
        assert abs(100 * float(vol) - float(row["mark_iv"])) <= 0.1


def test_the_chain_is_in_dollars_with_the_future_of_each_expiry() -> None:
    tickers = options()
    chain = made(list(tickers))
    for data in tickers.values():
        chain.take(read_ticker(data))
    assert chain.complete
    found = chain.chain("deribit:BTC", 0)
    assert found is not None
    assert (found.underlying, found.currency, found.spot) == ("BTC", "USD", 117_850.0)
    assert (found.multiplier.units, found.exercise) == (1, instrument_pb2.EXERCISE_STYLE_EUROPEAN)
    assert found.provenance == common_pb2.PROVENANCE_LIVE
    assert found.time_ns == BEGIN_MS * 1_000_000
    assert [(each.forward, each.discount) for each in found.expiries] == [(118_000.0, 1.0), (118_600.0, 1.0)]
    assert [each.expiry_date for each in found.expiries] == ["2024-08-09", "2024-08-30"]
    assert set(found.symbol) == set(tickers)
    for place, name in enumerate(found.symbol):
        future = found.expiries[found.expiry_index[place]].forward
        assert found.bid[place] == tickers[name]["best_bid_price"] * future
        assert found.strike[place] == float(name.split("-")[2])
        assert found.is_call[place] == name.endswith("C")
    index = np.array(found.expiry_index)
    marks = np.array([tickers[name]["mark_price"] for name in found.symbol])
    futures = np.array([each.forward for each in found.expiries])[index]
    instants = np.array([each.expiry_ns for each in found.expiries])[index]
    vols = black.implied_vol(
        np.array(found.is_call),
        marks * futures,
        futures,
        np.array(found.strike),
        (instants - found.time_ns) / (365 * 86_400e9),
        1.0,
    )
    near = np.abs(np.log(np.array(found.strike) / futures)) < 0.2
    assert np.abs(vols - np.array(found.vendor_iv))[near].max() <= 0.001


def test_a_quote_in_coin_stands_while_the_future_moves() -> None:
    other = NAME.replace("100000-C", "105000-C")
    chain = made([NAME, other])
    first, second = options()[NAME], options()[other]
    chain.take(read_ticker(first))
    chain.take(read_ticker({**second, "timestamp": BEGIN_MS + 100, "underlying_price": 120_000.0}))
    found = chain.chain("deribit:BTC", 0)
    assert found is not None
    assert found.bid[list(found.symbol).index(NAME)] == first["best_bid_price"] * 120_000.0


def test_repeated_late_and_unknown_tickers_change_nothing() -> None:
    chain = made([NAME])
    data = options()[NAME]
    chain.take(read_ticker(data))
    assert chain.chain("deribit:BTC", 0) is not None
    for other in (
        data,
        {**data, "timestamp": BEGIN_MS - 1, "best_bid_price": 0.5},
        {**data, "instrument_name": "BTC-1JAN30-1-C", "timestamp": BEGIN_MS + 9},
    ):
        chain.take(read_ticker(other))
    assert chain.chain("deribit:BTC", 0) is None


def test_options_that_are_no_longer_listed_go() -> None:
    other = NAME.replace("100000-C", "105000-C")
    chain = made([NAME, other])
    for name in (NAME, other):
        chain.take(read_ticker(options()[name]))
    listed, _ = read_instruments(listing(instrument(NAME)), "BTC")
    chain.relist(listed.values())
    found = chain.chain("deribit:BTC", 0)
    assert found is not None
    assert list(found.symbol) == [NAME]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"instrument_name": None}, "instrument_name None is no text"),
        ({"timestamp": "now"}, "timestamp 'now' is no time"),
        ({"timestamp": 10**30}, "is no time"),
        ({"timestamp": True}, "is no time"),
        ({"best_bid_price": "0.1"}, "best_bid_price '0.1' is no number"),
        ({"best_bid_price": -0.1}, "best_bid_price -0.1 is below zero"),
        ({"underlying_price": 0.0}, "underlying_price 0.0 is not above zero"),
        ({"index_price": None}, "index_price 0.0 is not above zero"),
        ({"mark_iv": 10**400}, "mark_iv"),
        ({"open_interest": []}, "open_interest"),
    ],
)
def test_a_malformed_ticker_is_named_by_its_member(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read_ticker({**options()[NAME], **changed})


def test_other_instruments_are_left_out_and_unreadable_ones_counted() -> None:
    good = instrument(NAME)
    others = [{**good, "kind": "future"}, {**good, "instrument_type": "linear"}, {**good, "is_active": False}]
    rubbish = [7, {**good, "strike": None}, {**good, "option_type": "both"}]
    listed, unreadable = read_instruments(listing(good, *others, *rubbish), "BTC")
    assert list(listed) == [NAME]
    assert len(unreadable) == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "UNREADABLE"),
        (b"[" * 100_000, "UNREADABLE"),
        (b"[]", "UNREADABLE"),
        (b'{"result": {}}', "UNREADABLE"),
        (b'{"result": []}', "NO_INSTRUMENTS"),
        (b'{"error": {"code": 10028, "message": "too_many_requests"}}', "RATE_LIMITED"),
        (b'{"error": {"code": 11050, "message": "bad_request"}}', "VENUE_ERROR"),
        (b'{"error": 7}', "VENUE_ERROR"),
    ],
)
def test_a_list_that_is_none_is_a_fault(body: bytes, reason: str) -> None:
    with pytest.raises(SourceFault) as fault:
        read_instruments(body, "BTC")
    assert fault.value.reason == reason


def test_the_venue_of_the_tests_lists_what_it_quotes() -> None:
    venue = DeribitVenue()
    assert len(venue.tickers) == 52
