"""The page of the rules says what the rules are."""

from pathlib import Path

from skewline.servers.marketdata.validation.rules_table import markdown

PAGE = Path(__file__).resolve().parents[4] / "deploy" / "docs" / "validation.md"


def test_the_page_holds_the_rules_as_they_are() -> None:
    """If it does not: `python -m skewline.servers.marketdata.validation.rules_table` prints its tables."""
    assert markdown() in PAGE.read_text(encoding="utf-8")
