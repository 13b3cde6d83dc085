"""Real files through a map: the chains of the sources made for them."""

from __future__ import annotations

import gzip
from datetime import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from skewline.servers.marketdata.chain_columns import columns_of
from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.servers.marketdata.sources.tabular.source import TabularSource
from skewline.v1 import chain_pb2, instrument_pb2

CBOE = """
[columns]
time = "quotedate"
underlying = "underlying"
osi = "optionroot"
spot = "underlying_last"
bid = "bid"
ask = "ask"
volume = "volume"
open_interest = "openinterest"
vendor_iv = "impliedvol"
[format]
time = "%m/%d/%Y"
time_of_day = "15:00"
"""
TARDIS = """
[columns]
time = "timestamp"
underlying = "symbol"
symbol = "symbol"
expiry = "expiration"
strike = "strike_price"
right = "type"
bid = "bid_price"
ask = "ask_price"
bid_size = "bid_amount"
ask_size = "ask_amount"
open_interest = "open_interest"
vendor_iv = "mark_iv"
forward = "underlying_price"
[format]
time = "us"
expiry = "us"
underlying = "([A-Z]+)-.*"
iv_scale = 0.01
[contract]
exercise = "european"
multiplier = "1"
prices = "coin"
[snapshots]
every_s = 60
"""


@pytest.fixture
def spx_day(market_data: Path, tmp_path: Path) -> Path:
    [file] = (market_data / "spx-2019").glob("*20190425*")
    (tmp_path / "spx.csv").write_bytes(gzip.decompress(file.read_bytes()))
    return tmp_path


def cboe_chain(market_data: Path) -> chain_pb2.OptionChain:
    source = CboeSource(market_data / "spx-2019", Selection(), time(15, 0))
    return source.load(source.plan()[0])


def test_an_spx_day_by_a_map_is_the_chain_of_the_cboe_source(market_data: Path, spx_day: Path) -> None:
    (spx_day / "columns.toml").write_text(CBOE)
    source = TabularSource("csv", spx_day)
    [ref] = source.plan()
    chain, expected = source.load(ref), cboe_chain(market_data)
    assert chain.source == "csv:spx.csv"
    chain.source = expected.source
    assert chain == expected


def test_the_same_in_parquet_with_typed_columns(market_data: Path, spx_day: Path) -> None:
    table = pyarrow.csv.read_csv(spx_day / "spx.csv")
    stamps = pa.array([np.datetime64("2019-04-25T15:00", "us")] * table.num_rows, pa.timestamp("us"))
    place = table.column_names.index("quotedate")
    pq.write_table(table.set_column(place, "quotedate", stamps), spx_day / "quotes.parquet")
    (spx_day / "columns.toml").write_text(CBOE)
    source = TabularSource("parquet", spx_day)
    chain, expected = source.load(source.plan()[0]), cboe_chain(market_data)
    chain.source = expected.source
    assert chain == expected


def test_updates_of_coin_settled_options_become_chains_in_dollars(market_data: Path, tmp_path: Path) -> None:
    raw = (market_data / "feeds" / "tardis" / "options_chain.csv").read_text()
    (tmp_path / "options.csv").write_text(raw)
    (tmp_path / "columns.toml").write_text(TARDIS)
    source = TabularSource("csv", tmp_path)
    refs = source.plan()
    begin = 1_591_574_400  # midnight: the first row came just before
    assert [(ref.underlying, ref.time_ns // 10**9 - begin) for ref in refs] == [
        *(("BTC", 0), ("BTC", 60), ("ETH", 60), ("BTC", 120))
    ]
    first, later = source.load(refs[1]), source.load(refs[3])
    assert [each.expiry_date for each in first.expiries] == ["2020-06-09", "2020-06-10"]
    assert list(first.symbol) == ["BTC-9JUN20-9875-P", "BTC-9JUN20-10000-C", "BTC-10JUN20-10000-C"]
    # The newest of the two updates of the put, by the newest future of its expiry.
    assert first.expiries[0].forward == 9756.40
    assert first.expiries[0].discount == 1.0
    assert first.bid[0] == pytest.approx(0.0206 * 9756.40)
    assert first.vendor_iv[0] == pytest.approx(0.6286)
    assert (first.bid[2], first.ask[2]) == (0.0, 0.0), "a side without quote"
    assert first.exercise == instrument_pb2.EXERCISE_STYLE_EUROPEAN
    # A minute later only the put had news: the others stand.
    assert list(later.symbol) == list(first.symbol)
    assert later.bid[0] == pytest.approx(0.0207 * 9758.37)
    outcome = MarketDataEngine().on_chain(first)
    assert outcome.chain is not None
    assert [(each.reason, each.count) for each in outcome.summary.rejected] == [("NO_QUOTE", 1)]


def test_real_headers_tell_themselves_but_not_their_dates(market_data: Path, spx_day: Path) -> None:
    lines = (spx_day / "spx.csv").read_text().replace("04/25/2019", "2019-04-25T15:00").splitlines()
    (spx_day / "spx.csv").write_text("\n".join(lines))
    source = TabularSource("csv", spx_day / "spx.csv")
    chain, expected = source.load(source.plan()[0]), cboe_chain(market_data)
    for mine, theirs in zip(columns_of(chain).more.values(), columns_of(expected).more.values(), strict=True):
        assert np.array_equal(mine, theirs)
    assert list(chain.bid) == list(expected.bid)
    assert chain.spot == expected.spot
