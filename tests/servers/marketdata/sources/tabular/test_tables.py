"""Made-up tables, good and bad: each row is in a chain or counted, each fault names line, column and fix."""

from __future__ import annotations

import gzip
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.marketdata.sources.opening import SourceOptions, open_source
from skewline.servers.marketdata.sources.source import SourceError
from skewline.servers.marketdata.sources.tabular.source import TabularSource
from skewline.servers.runtime import new_york
from skewline.v1 import chain_pb2, instrument_pb2

HEAD = "quote_time,underlying,expiration,strike,type,bid,ask,bid_size,volume,underlying_last"
GOOD = (
    "2019-05-24T15:00:00,XYZ,2019-06-21,95,C,6.9,7.1,10,5,100",
    "2019-05-24T15:00:00,XYZ,2019-06-21,95,put,1.9,2.1,,5,100",
    "2019-05-24T15:00:00,XYZ,20190719,100,P,2.9,3.1,7,,100",
    "2019-05-24T15:01:00,XYZ,2019-06-21,95,Call,6.8,7.0,10,5,100.5",
)


def written(folder: Path, *rows: str, head: str = HEAD, name: str = "quotes.csv", told: str = "") -> Path:
    (folder / name).write_text("\n".join((head, *rows)) + "\n")
    if told:
        (folder / "columns.toml").write_text(told)
    return folder


def loaded(folder: Path) -> list[chain_pb2.OptionChain]:
    source = open_source(f"csv:{folder}", SourceOptions(sample_folder=folder))
    return [source.load(ref) for ref in source.plan()]


def faults(chain: chain_pb2.OptionChain) -> dict[str, int]:
    return {each.reason: each.count for each in chain.rejected}


def test_usual_headers_need_no_map(tmp_path: Path) -> None:
    first, second = loaded(written(tmp_path, *GOOD))
    assert (
        first.time_ns == new_york.instant_ns(new_york.date_of(first.time_ns), new_york.CLOSE) - 3600 * 10**9
    )
    assert [each.expiry_date for each in first.expiries] == ["2019-06-21", "2019-07-19"]
    assert list(first.strike) == [95.0, 95.0, 100.0]
    assert list(first.is_call) == [True, False, False]
    assert list(first.bid_size) == [10.0, 0.0, 7.0]
    assert list(first.volume) == [5.0, 5.0, 0.0]
    assert (first.spot, second.spot) == (100.0, 100.5)
    assert first.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
    assert (first.underlying, first.source, faults(first)) == ("XYZ", "csv:quotes.csv", {})
    assert second.time_ns - first.time_ns == 60 * 10**9


@pytest.mark.parametrize("form", ["gz", "zip", "semicolons", "bom", "crlf", "one file"])
def test_a_table_comes_in_many_wrappings(tmp_path: Path, form: str) -> None:
    text = "\n".join((HEAD, *GOOD))
    place = tmp_path
    if form == "gz":
        (tmp_path / "quotes.csv.gz").write_bytes(gzip.compress(text.encode()))
    elif form == "zip":
        with zipfile.ZipFile(tmp_path / "quotes.zip", "w") as archive:
            archive.writestr("inside.csv", text)
    elif form == "semicolons":
        (tmp_path / "quotes.csv").write_text(text.replace(",", ";"))
    elif form == "bom":
        (tmp_path / "quotes.csv").write_text(text, encoding="utf-8-sig")
    elif form == "crlf":
        (tmp_path / "quotes.csv").write_bytes(text.replace("\n", "\r\n").encode())
    else:
        place = tmp_path / "quotes.csv"
        place.write_text(text)
    assert [len(chain.strike) for chain in loaded(place)] == [3, 1]


def test_rows_that_are_no_contracts_are_counted_by_reason(tmp_path: Path) -> None:
    at = "2019-05-24T15:00:00"
    first, _ = loaded(
        written(
            tmp_path,
            *GOOD,
            f"{at},XYZ,someday,95,C,1,2,,,100",
            f"{at},XYZ,2019-06-21,95,X,1,2,,,100",
            f"{at},XYZ,2019-06-21,95,C,1,2,,",
            "noon,XYZ,2019-06-21,95,C,1,2,,,100",
            f"{at},,2019-06-21,95,C,1,2,,,100",
            f"{at},XYZ,2019-06-21,ninety,C,1,2,,,100",
            f"{at},XYZ,2019-06-21,90,C,cheap,2,,,100",
        )
    )
    assert faults(first) == {
        "UNREADABLE_EXPIRY": 1,
        "UNREADABLE_RIGHT": 1,
        "UNREADABLE_TIME": 1,
        "UNREADABLE_UNDERLYING": 1,
        "WRONG_FIELD_COUNT": 1,
    }
    assert math.isnan(first.strike[-1]) or any(math.isnan(strike) for strike in first.strike)
    outcome = MarketDataEngine().on_chain(first)
    assert outcome.chain is not None
    assert faults(outcome.chain) == {**faults(first), "NON_FINITE": 2}
    assert outcome.summary.quotes == 3


def test_a_map_may_say_everything_that_the_table_does_not(tmp_path: Path) -> None:
    told = """
    [columns]
    time = "Tag"
    root = "Klasse"
    expiry = "Verfall"
    strike = "Basis"
    right = "Art"
    bid = "Geld"
    ask = "Brief"
    vendor_iv = "Vola"
    [format]
    time = "%d.%m.%Y %H:%M"
    expiry = "%d.%m.%Y"
    zone = "Europe/Berlin"
    price_scale = 0.01
    strike_scale = 0.001
    iv_scale = 0.01
    [contract]
    underlying = "DAX"
    exercise = "european"
    settlement = "am"
    multiplier = "5"
    currency = "EUR"
    """
    row = "05.07.2002 17:30,ODAX,19.07.2002,4400000,P,9500,9700,47.5"
    [chain] = loaded(written(tmp_path, row, head="Tag,Klasse,Verfall,Basis,Art,Geld,Brief,Vola", told=told))
    assert chain.time_ns == 1_025_883_000_000_000_000  # 15:30 UTC
    assert (chain.underlying, chain.currency, chain.multiplier.units) == ("DAX", "EUR", 5)
    assert (chain.expiries[0].root, chain.expiries[0].expiry_date) == ("ODAX", "2002-07-19")
    assert chain.expiries[0].settlement == instrument_pb2.SETTLEMENT_STYLE_AM
    assert chain.exercise == instrument_pb2.EXERCISE_STYLE_EUROPEAN
    assert (chain.strike[0], chain.bid[0], chain.ask[0]) == (4400.0, 95.0, 97.0)
    assert chain.vendor_iv[0] == pytest.approx(0.475)


@pytest.mark.parametrize("stamp", ["1558724400", "1558724400000", "1558724400000000", "1558724400000000000"])
def test_epochs_are_told_by_their_digits(tmp_path: Path, stamp: str) -> None:
    [chain] = loaded(written(tmp_path, GOOD[0].replace("2019-05-24T15:00:00", stamp)))
    assert chain.time_ns == 1_558_724_400_000_000_000


@pytest.mark.parametrize(
    ("head", "rows", "told", "said"),
    [
        ("", (), "", "line 1: is empty"),
        ("a,b,c", ("1,2,3",), "", "line 1: no column is known to be time, bid, ask, expiry, strike, right"),
        (HEAD, (), "", "line 2: no row follows the header"),
        (HEAD + ",bid", (GOOD[0] + ",1",), "", "line 1: column 'bid' is there twice"),
        (
            HEAD,
            ("05/24/2019" + GOOD[0][19:],),
            "",
            "line 2, column quote_time: '05/24/2019' cannot be read as time, and nor can the others",
        ),
        (HEAD, (GOOD[0].replace(",C,", ",X,"),), "", "column type: 'X' cannot be read as right"),
        (HEAD, GOOD, '[columns]\ntime = "Zeit"', "line 1: column Zeit (time) of the map is missing"),
        (HEAD, GOOD, "[columns]\ntime = 7", "columns.time: Input should be a valid string"),
        (HEAD, GOOD, '[columns]\nwhen = "bid"', "columns.when is none of time, underlying"),
        (HEAD, GOOD, "[columns", "cannot be read as TOML"),
        (HEAD, GOOD, '[columns]\n[format]\nzone = "Mars"', "format.zone: Value error, must be a time zone"),
        (HEAD, GOOD, "[columns]\n[format]\nprice_scale = -1", "format.price_scale"),
        (HEAD, GOOD, '[columns]\n[format]\nunderlying = "("', "must be a regular expression"),
        (HEAD, GOOD, '[columns]\n[contract]\nexercise = "maybe"', "contract.exercise"),
        (HEAD, GOOD, '[columns]\n[contract]\nmultiplier = "nan"', "contract.multiplier"),
        (HEAD, GOOD, "[columns]\n[snapshots]\nevery_s = -5", "snapshots.every_s"),
        (HEAD, GOOD, "[colours]\n", "colours: Extra inputs"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place_and_fix(
    tmp_path: Path, head: str, rows: tuple[str, ...], told: str, said: str
) -> None:
    with pytest.raises(SourceError) as fault:
        loaded(written(tmp_path, *rows, head=head, told=told))
    assert said in str(fault.value)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("quotes.csv.gz", b"no gzip"),
        ("quotes.zip", b"no zip"),
        ("quotes.csv", b"\xff\xfe\x00"),
        ("quotes.csv", b""),
        ("quotes.parquet", b"PAR1 not"),
    ],
)
def test_files_that_are_none_are_named(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).write_bytes(raw)
    form = "parquet" if name.endswith("parquet") else "csv"
    with pytest.raises(SourceError, match=name):
        open_source(f"{form}:{tmp_path}", SourceOptions(sample_folder=tmp_path)).plan()


def test_a_folder_without_tables_is_said(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(SourceError, match="name a file or folder of option quotes"):
            TabularSource("csv", place).plan()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60), max_size=6))
def test_any_lines_are_contracts_counted_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("quotes")
    (folder / "quotes.csv").write_text("\n".join((HEAD, GOOD[0], *lines)), encoding="utf-8")
    try:
        chains = loaded(folder)
    except SourceError:
        return
    contracts = sum(len(chain.strike) for chain in chains)
    told = sum(sum(faults(chain).values()) for chain in chains)
    assert contracts >= 1
    # A quote may hold a line's end, so that several lines are one row; empty lines are no rows.
    assert contracts + told <= 1 + len(lines)
    if not any('"' in line or not line for line in lines):
        assert contracts + told == 1 + len(lines)


@given(st.integers(0, 5), st.integers(1, 300))
@settings(max_examples=20, deadline=None)
def test_updates_never_tell_of_the_future(
    tmp_path_factory: pytest.TempPathFactory, seed: int, every: int
) -> None:
    folder = tmp_path_factory.mktemp("updates")
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(0, 600, 40))
    rows = [
        f"{1558724400 + int(t)},XYZ,2019-06-21,{strike},C,{t + 1},{t + 2},,,100"
        for t, strike in zip(times, random.choice([95, 100, 105], 40), strict=True)
    ]
    written(
        folder,
        *rows,
        told=f"""
        [columns]
        time = "quote_time"
        underlying = "underlying"
        expiry = "expiration"
        strike = "strike"
        right = "type"
        bid = "bid"
        ask = "ask"
        [snapshots]
        every_s = {every}
    """,
    )
    for chain in loaded(folder):
        assert chain.time_ns % (every * 10**9) == 0
        since = chain.time_ns // 10**9 - 1558724400
        for strike, bid in zip(chain.strike, chain.bid, strict=True):
            came = [
                int(t)
                for t, row in zip(times, rows, strict=True)
                if f",{int(strike)},C," in row and t <= since
            ]
            assert bid == max(came) + 1
