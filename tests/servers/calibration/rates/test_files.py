"""Curves out of CSV files, known when they were known; what cannot be read is named by line and column."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from dax_rates import DAX_DAYS, DAX_RATES
from hypothesis import given, settings
from hypothesis import strategies as st

from skewline.servers.calibration.rates.files import RatesFault, read_curves
from skewline.servers.calibration.rates.opening import rates_of
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings import SettingsError
from skewline.servers.runtime.settings.calibration import CalibrationSettings

PAR = """Date,"1 Mo","1.5 Month","2 Mo","3 Mo","6 Mo","1 Yr","2 Yr","10 Yr"
04/25/2019,2.43,,2.44,2.44,2.45,2.40,2.31,2.54
04/24/2019,2.44,N/A,2.43,2.44,2.46,2.41,2.32,2.53
04/22/2019,,,,,,,,
"""
BILLS = """Date,"4 WEEKS BANK DISCOUNT","4 WEEKS COUPON EQUIVALENT","26 WEEKS BANK DISCOUNT"
04/25/2019,2.40,2.44,2.39
"""


def noon_ns(year: int, month: int, day: int) -> int:
    return new_york.instant_ns(date(year, month, day), new_york.OPEN)


def written(folder: Path, text: str) -> Path:
    file = folder / "rates.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_plain_list_holds_from_its_date_on_for_ten_days(tmp_path: Path) -> None:
    rows = [f"2002-07-05,{days}D,{rate}" for days, rate in zip(DAX_DAYS, DAX_RATES, strict=True)]
    file = written(tmp_path, "\n".join(["date,tenor,rate", *rows]))
    source = rates_of(f"csv:{file}")
    years = np.array(DAX_DAYS) / 365
    for day in (5, 15):
        curve = source.on(noon_ns(2002, 7, day))
        assert curve is not None
        assert curve.rate(years) == pytest.approx(DAX_RATES)
    assert source.on(noon_ns(2002, 7, 4)) is None
    assert source.on(noon_ns(2002, 7, 16)) is None


def test_rates_may_be_in_per_cent_or_discount_factors(tmp_path: Path) -> None:
    for text in ("date,tenor,rate_percent\n2019-04-25,1Y,2.5", "date,tenor,discount\n2019-04-25,52W,0.97"):
        (make,) = read_curves(written(tmp_path, text)).values()
        rate = float(make().rate(np.array([1.0]))[0])
        assert rate == pytest.approx(0.025 if "percent" in text else -math.log(0.97) * 365 / 364)


def test_treasury_yields_are_known_from_the_day_after(tmp_path: Path) -> None:
    source = rates_of(f"csv:{written(tmp_path, PAR)}")
    seen, next_day = source.on(noon_ns(2019, 4, 25)), source.on(noon_ns(2019, 4, 26))
    assert seen is not None
    assert next_day is not None
    quarter = np.array([0.25, 1 / 12])
    assert seen.discount(quarter) == pytest.approx([1 / (1 + 0.0244 / 4), 1 / (1 + 0.0244 / 12)])
    assert next_day.discount(quarter) == pytest.approx([1 / (1 + 0.0244 / 4), 1 / (1 + 0.0243 / 12)])
    assert source.on(noon_ns(2019, 4, 24)) is None


def test_treasury_bills_are_taken_by_their_bank_discount(tmp_path: Path) -> None:
    (make,) = read_curves(written(tmp_path, BILLS)).values()
    assert make().discount(np.array([28 / 365]))[0] == pytest.approx(1 - 0.024 * 28 / 360)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no rows of rates follow"),
        ("date,tenor,rate\n", "line 1: no rows of rates follow"),
        ("a,b\n1,2\n", "line 1: has the columns a, b; name its columns date, tenor and rate"),
        ("date,tenor,rate,discount\n2019-04-25,1Y,0.02,0.98\n", "line 1: has the columns"),
        ("date,tenor,rate\n2019-04-25,1Y\n", "line 2: has 2 fields of 3"),
        ("date,tenor,rate\n25.4.2019,1Y,0.02\n", "line 2, column date: '25.4.2019' is no date"),
        ("date,tenor,rate\n2019-04-25,soon,0.02\n", "line 2, column tenor: 'soon' is none such as"),
        ("date,tenor,rate\n2019-04-25,0D,0.02\n", "line 2, column tenor"),
        ("date,tenor,rate\n2019-04-25,1Y,much\n", "line 2, column rate: 'much' is not a number"),
        ("date,tenor,rate\n2019-04-25,1Y,nan\n", "line 2, column rate: 'nan' is not a number"),
        ("date,tenor,rate\n2019-04-25,1Y,2.5\n", "write a fraction, or name the column rate_percent"),
        ("date,tenor,discount\n2019-04-25,1Y,0\n", "line 2, column discount: 0 is no discount factor"),
        ("date,tenor,rate\n2019-04-25,1Y,0.02\n2019-04-25,12M,0.03\n", "line 3: has the date and tenor"),
        (PAR.replace("2.31", "n.a."), "line 2, column 2 Yr: 'n.a.' is not a number"),
        (PAR.replace("2.31", "231"), "line 2, column 2 Yr: 2.31 is no rate; correct it"),
        ('Date,"1 Mo"\n04/22/2019,\n', "no line has a rate"),
    ],
)
def test_rubbish_is_named_by_line_column_and_fix(tmp_path: Path, text: str, said: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(RatesFault) as fault:
        read_curves(file)
    assert said in str(fault.value)
    with pytest.raises(SettingsError, match=r"calibration\.rates = 'csv:.*rates\.csv'"):
        rates_of(f"csv:{file}")


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_curves_or_a_fault(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    file = tmp_path_factory.mktemp("rates") / "rates.csv"
    file.write_bytes(b"date,tenor,rate\n" + raw)
    try:
        curves = read_curves(file)
    except RatesFault:
        return
    for make in curves.values():
        assert np.isfinite(make().rate(np.array([0.1, 1.0, 9.0]))).all()


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        rates_of(f"csv:{tmp_path}/none.csv")
    with pytest.raises(SettingsError, match="cannot be read"):
        rates_of(f"csv:{tmp_path}")


@pytest.mark.parametrize("rates", ["", "flat", "flat:", "flat:3", "flat:nan", "csv:", "treasury", "parity:x"])
def test_a_setting_that_names_no_source_is_refused(rates: str) -> None:
    with pytest.raises(ValueError, match="must be parity, flat:RATE"):
        CalibrationSettings(rates=rates)
