"""American puts and calls of the same strike, on recorded quotes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from put_call_agreement import put_call_agreement

from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.marketdata.sources.lean import LeanSource
from skewline.servers.marketdata.sources.source import Selection

DAY = date(2015, 12, 24)


@pytest.mark.parametrize("minute", [30, 110, 190])
def test_vols_without_early_exercise_agree_within_the_spread(market_data: Path, minute: int) -> None:
    source = LeanSource(market_data / "lean", Selection(("GOOG",), DAY, DAY))
    chain = MarketDataEngine().on_chain(source.load(source.plan()[minute])).chain
    assert chain is not None
    found = put_call_agreement(chain, log_moneyness=0.5)
    assert found.meets.size >= 90
    assert found.meets.mean() >= 0.985
    assert np.median(found.difference) <= 0.004
