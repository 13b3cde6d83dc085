"""Cboe daily chains, and files that are none."""

import gzip
import time
from pathlib import Path

import pytest

from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.source import Selection, SourceError
from skewline.servers.runtime import new_york
from skewline.v1 import chain_pb2, instrument_pb2

HEAD = (
    "underlying,underlying_last,exchange,optionroot,type,expiration,quotedate,strike,last,net,bid,ask,volume,"
    "openinterest,impliedvol,delta,gamma"
)
ROWS = [
    "SPX,2900.0,CBOE,SPXW190517P02900000,put,05/17/2019,04/25/2019,2900.0,0,0,10.0,10.5,3,7,0.15,-0.5,0",
    "SPX,2900.0,CBOE,SPX190517C02900000,call,05/17/2019,04/25/2019,2900.0,0,0,11.0,11.5,1,2,0,0.5,0",
    "SPX,2900.0,CBOE,SPXW190517C02900000,call,05/17/2019,04/25/2019,2900.0,0,0,11.2,11.6,0,0,0.14,0.5,0",
]


def folder_of(tmp_path: Path, *lines: str, name: str = "SPX_20190425.csv") -> Path:
    tmp_path.joinpath(name).write_text("\n".join(lines) + "\n")
    return tmp_path


def load(folder: Path) -> chain_pb2.OptionChain:
    source = CboeSource(folder)
    return source.load(source.plan()[0])


def test_am_and_pm_roots_are_two_expiries_of_one_date(tmp_path: Path) -> None:
    chain = load(folder_of(tmp_path, HEAD, *ROWS))
    am, pm = chain.expiries
    assert (am.root, am.expiry_date, am.settlement) == (
        "SPX",
        "2019-05-17",
        instrument_pb2.SETTLEMENT_STYLE_AM,
    )
    assert (pm.root, pm.expiry_date, pm.settlement) == (
        "SPXW",
        "2019-05-17",
        instrument_pb2.SETTLEMENT_STYLE_PM,
    )
    assert pm.expiry_ns - am.expiry_ns == 6.5 * 3600e9
    assert list(chain.expiry_index) == [0, 1, 1]
    assert list(chain.is_call) == [True, True, False]
    assert list(chain.bid) == [11.0, 11.2, 10.0]
    assert list(chain.vendor_iv) == [0.0, 0.14, 0.15]
    assert not chain.bid_size
    assert not chain.snapshot_id
    assert (
        chain.time_ns == new_york.instant_ns(new_york.date_of(chain.time_ns), new_york.CLOSE) - 3600 * 10**9
    )


def test_gzipped_and_plain_files_say_the_same(tmp_path: Path) -> None:
    plain = load(folder_of(tmp_path, HEAD, *ROWS))
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "SPX_20190425.csv.gz").write_bytes(gzip.compress((tmp_path / "SPX_20190425.csv").read_bytes()))
    zipped = load(packed)
    zipped.source = plain.source
    assert zipped == plain


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([HEAD.replace(",ask", ""), *ROWS], "line 1: column ask is missing"),
        ([HEAD], "line 2: no row follows"),
        ([HEAD, *ROWS, ROWS[0].replace(",10.5,", ",ten,")], "line 5, column ask: 'ten' is not a number"),
        ([HEAD, ROWS[0], ROWS[1].replace(",11.0,", ",,")], "line 3, column bid: is empty"),
        ([HEAD, ROWS[0], ROWS[1][:40]], "line 3: has 6 fields of 17"),
        ([HEAD, ROWS[0], ROWS[1].replace("call", "cull")], "line 3, column type"),
        ([HEAD, ROWS[0], ROWS[1].replace("05/17/2019", "2019-05-17")], "column expiration: '2019-05-17'"),
        ([HEAD, ROWS[0], ROWS[1].replace("04/25", "04/26")], "column quotedate: holds"),
        ([HEAD, ROWS[0].replace("04/25/2019", "25.4.2019")], "column quotedate"),
    ],
)
def test_a_malformed_file_is_named_with_place_and_fault(tmp_path: Path, lines: list[str], says: str) -> None:
    with pytest.raises(SourceError) as error:
        load(folder_of(tmp_path, *lines))
    assert str(tmp_path / "SPX_20190425.csv") in str(error.value)
    assert says in str(error.value)


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([HEAD, *ROWS * 500]).encode())
    (tmp_path / "SPX.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"SPX\.csv\.gz cannot be read"):
        load(tmp_path)
    (tmp_path / "SPX.csv.gz").write_bytes(b"no gzip at all")
    with pytest.raises(SourceError, match=r"SPX\.csv\.gz cannot be read"):
        load(tmp_path)
    (tmp_path / "SPX.csv.gz").write_bytes(b"")
    with pytest.raises(SourceError, match=r"SPX\.csv\.gz"):
        load(tmp_path)


def test_a_folder_without_chains_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no"):
        CboeSource(tmp_path).plan()
    with pytest.raises(SourceError, match="does not exist"):
        CboeSource(tmp_path / "none").plan()


def test_real_chains_are_read_whole_and_fast(market_data: Path) -> None:
    source = CboeSource(market_data / "spx-2019")
    plan = source.plan()
    assert len(plan) == 25
    assert [ref.time_ns for ref in plan] == sorted(ref.time_ns for ref in plan)
    source.load(plan[0])
    began = time.process_time()
    chain = source.load(plan[1])
    assert time.process_time() - began < 0.5
    assert (len(chain.strike), len(chain.expiries)) == (13_570, 42)
    assert {expiry.root for expiry in chain.expiries} == {"SPX", "SPXW"}


def test_symbols_and_dates_are_chosen(market_data: Path) -> None:
    folder = market_data / "spx-2019"
    first = new_york.date_of(CboeSource(folder).plan()[3].time_ns)
    assert len(CboeSource(folder, Selection(("SPX",), first, first)).plan()) == 1
    assert CboeSource(folder, Selection(("NDX",))).plan() == []
