"""LEAN's zips: quotes that stand until the next, one-sided ones, files that are none."""

import math
import zipfile
from datetime import date
from pathlib import Path

import pytest

from skewline.servers.marketdata.sources.lean import LeanSource
from skewline.servers.marketdata.sources.source import Selection, SourceError
from skewline.v1 import chain_pb2, instrument_pb2

DAY = date(2015, 12, 23)
OPEN_MS = 34_200_000
CALL = "20151223_xyz_minute_quote_american_call_1000000_20160115.csv"
PUT = "20151223_xyz_minute_quote_american_put_1000000_20151223.csv"


def folder_of(tmp_path: Path, **members: str) -> Path:
    options = tmp_path / "option" / "usa" / "minute" / "xyz"
    options.mkdir(parents=True)
    with zipfile.ZipFile(options / "20151223_quote_american.zip", "w") as archive:
        for name, text in members.items():
            archive.writestr({"call": CALL, "put": PUT}[name], text)
    equities = tmp_path / "equity" / "usa" / "minute" / "xyz"
    equities.mkdir(parents=True)
    with zipfile.ZipFile(equities / "20151223_trade.zip", "w") as archive:
        archive.writestr("trades.csv", f"{OPEN_MS},1010000,1020000,1000000,1015000,9\n")
    return tmp_path


def line(minute: int, bid: str = "9800,9900,9700,9800,5", ask: str = "10000,10200,10000,10200,7") -> str:
    return f"{OPEN_MS + minute * 60_000},{bid},{ask}\n"


def test_a_quote_stands_until_the_next(tmp_path: Path) -> None:
    source = LeanSource(folder_of(tmp_path, call=line(0) + line(3, bid=",,,,0"), put=line(1)))
    plan = source.plan()
    chains = [source.load(ref) for ref in plan]
    assert [(ref.time_ns - plan[0].time_ns) // 60_000_000_000 for ref in plan] == [0, 1, 3]
    assert [len(chain.strike) for chain in chains] == [1, 2, 2]
    assert list(chains[1].bid) == [0.98, 0.98]
    assert list(chains[1].ask_size) == [7.0, 7.0]
    assert [expiry.expiry_date for expiry in chains[1].expiries] == ["2015-12-23", "2016-01-15"]
    assert (chains[2].bid[1], chains[2].ask[1]) == (0.0, 1.02)
    assert chains[2].spot == 101.5
    assert chains[0].exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN


def test_a_bar_is_known_at_its_end(tmp_path: Path) -> None:
    source = LeanSource(folder_of(tmp_path, call=line(0)))
    (ref,) = source.plan()
    assert ref.time_ns % (24 * 3600 * 10**9) == (14 * 3600 + 31 * 60) * 10**9


def test_expired_contracts_are_dropped(tmp_path: Path) -> None:
    source = LeanSource(folder_of(tmp_path, call=line(0) + line(390), put=line(0)))
    first, last = (source.load(ref) for ref in source.plan())
    assert (len(first.expiries), len(last.expiries)) == (2, 1)
    assert list(last.expiry_index) == [0]


def test_a_bad_line_is_named_with_its_member(tmp_path: Path) -> None:
    source = LeanSource(folder_of(tmp_path, call=line(0) + line(1).replace("9800", "nine"), put=line(0)))
    with pytest.raises(SourceError, match=rf"20151223_quote_american\.zip, {CALL}, line 2"):
        source.plan()


def test_a_broken_zip_is_named(tmp_path: Path) -> None:
    file = folder_of(tmp_path, call=line(0)) / "option/usa/minute/xyz/20151223_quote_american.zip"
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(SourceError, match=r"20151223_quote_american\.zip cannot be read as zip"):
        LeanSource(tmp_path).plan()


def test_without_equity_files_the_spot_is_unknown(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, call=line(0))
    (folder / "equity/usa/minute/xyz/20151223_trade.zip").unlink()
    source = LeanSource(folder)
    assert math.isnan(source.load(source.plan()[0]).spot)


def test_a_real_day_of_minutes(market_data: Path) -> None:
    day = date(2015, 12, 24)
    source = LeanSource(market_data / "lean", Selection(("GOOG",), day, day))
    plan = source.plan()
    assert len(plan) == 211
    chain = source.load(plan[100])
    assert (len(chain.strike), len(chain.expiries)) == (2192, 12)
    assert 740 < chain.spot < 760
    assert len(chain.open_interest) == 2192
    assert sum(chain.open_interest) > 10_000


def test_hours_across_a_split(market_data: Path) -> None:
    source = LeanSource(market_data / "lean", Selection(("AAPL",)))
    chains = [source.load(ref) for ref in source.plan()]
    assert len(chains) == 14
    assert all(640 < chain.spot < 655 for chain in chains[:7])
    assert all(90 < chain.spot < 95 for chain in chains[7:])
    assert min(len(chain.strike) for chain in chains) == 2180
    assert max(chains[0].strike) > 1000 > 200 > max(chains[-1].strike)


def test_the_file_says_how_the_options_are_exercised(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, call=line(0))
    assert first_chain(folder).exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
    file = folder / "option/usa/minute/xyz/20151223_quote_american.zip"
    file.rename(file.with_name("20151223_quote_european.zip"))
    assert first_chain(folder).exercise == instrument_pb2.EXERCISE_STYLE_EUROPEAN


def first_chain(folder: Path) -> chain_pb2.OptionChain:
    source = LeanSource(folder)
    return source.load(source.plan()[0])
