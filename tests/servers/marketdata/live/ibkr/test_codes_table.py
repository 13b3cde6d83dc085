"""The page for users says what the codes are, and each number is there once."""

from pathlib import Path

from skewline.servers.marketdata.live.ibkr.codes import CODES, code_of
from skewline.servers.marketdata.live.ibkr.codes_table import markdown

PAGE = Path(__file__).resolve().parents[5] / "deploy" / "docs" / "interactive-brokers.md"


def test_the_page_holds_the_codes_as_they_are() -> None:
    """If it does not: `python -m skewline.servers.marketdata.live.ibkr.codes_table` prints them."""
    assert markdown() in PAGE.read_text(encoding="utf-8")


def test_each_number_is_there_once_and_found() -> None:
    assert len({code.number for code in CODES}) == len(CODES)
    assert all(code_of(code.number) is code for code in CODES)
