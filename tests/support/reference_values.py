"""Published numbers for accuracy tests: `reference/reference_values.json` of the market data's folder."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import pytest
from market_data_folder import FOLDER, MISSING

Entry: TypeAlias = Mapping[str, Any]

_FILE = FOLDER / "reference" / "reference_values.json"
#: Empty where there is no market data.
PUBLISHED: Mapping[str, Entry] = json.loads(_FILE.read_text()) if _FILE.is_file() else {}


def one_test_each(rows: Iterable[tuple[str, Any]]) -> list[Any]:
    """Parameters of a test from (identifier, value); a skip that says why where there is no market data."""
    if not PUBLISHED:
        return [pytest.param(None, marks=pytest.mark.skip(reason=MISSING))]
    return [pytest.param(value, id=identifier) for identifier, value in rows]
