"""Each strategy finds what was put out of place, and nothing where nothing was."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from priced_surfaces import shift_quote, surface, weekly_smiles
from smile_chains import DAY_NS, Smile

from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.idea import Idea, Strategy
from skewline.servers.signal.realised import SpotHistory
from skewline.servers.signal.strategies.implied_realised import ImpliedAgainstRealised
from skewline.servers.signal.strategies.mean_reversion import MeanReversion
from skewline.servers.signal.strategies.term_structure import TermStructure
from skewline.servers.signal.strategies.volatility_arbitrage import VolatilityArbitrage
from skewline.servers.signal.structure import Leg, value
from skewline.servers.signal.view import view_of
from skewline.v1 import instrument_pb2, surface_pb2

SETTINGS = SignalSettings()
QUIET = SpotHistory()


def ideas(strategy: Strategy, message: surface_pb2.VolSurface, spots: SpotHistory = QUIET) -> list[Idea]:
    found: Iterable[Idea] = strategy.ideas(view_of(message, SETTINGS), spots)
    return list(found)


def moving(daily_return: float, days: int = 30) -> SpotHistory:
    spots = tuple((day * DAY_NS, 100.0 * math.exp(daily_return if day % 2 else 0.0)) for day in range(days))
    return SpotHistory(spots)


def sides(idea: Idea) -> list[int]:
    return [leg.side for leg in idea.legs]


@pytest.mark.parametrize("by", [0.15, -0.15])
def test_a_quote_out_of_line_is_traded_against_its_neighbours(by: float) -> None:
    message = surface(spoil=lambda chain: shift_quote(chain, expiry=3, strike=104.0, is_call=True, by=by))
    found = max(ideas(VolatilityArbitrage(SETTINGS), message), key=lambda idea: idea.valuation.edge)
    side = -1 if by > 0 else 1
    odd = next(leg for leg in found.legs if leg.slice.strike[leg.index] == 104.0)
    assert odd.side == side
    assert all(leg.side == -side for leg in found.legs if leg is not odd)
    assert found.valuation.edge > 0.0
    assert {leg.slice.message.expiry_date for leg in found.legs} == {"2019-06-07"}
    assert len({leg.slice.is_call[leg.index] for leg in found.legs}) == 1


def test_the_risk_of_a_structure_is_limited() -> None:
    message = surface(spoil=lambda chain: shift_quote(chain, expiry=3, strike=104.0, is_call=True, by=0.15))
    for found in ideas(VolatilityArbitrage(SETTINGS), message):
        net = sum(leg.side * leg.ratio for leg in found.legs)
        assert net == 0


def test_quotes_in_line_give_no_idea() -> None:
    message = surface()
    for strategy in (VolatilityArbitrage, TermStructure, ImpliedAgainstRealised, MeanReversion):
        assert ideas(strategy(SETTINGS), message) == []


def test_early_exercise_is_no_mispricing() -> None:
    # At 8 % an American put 140 days from its expiry costs clearly more than a European one.
    smile = Smile(days=140, date="2019-09-12", forward=100.0 * math.exp(0.08 * 140 / 365), rate=0.08, nu=1.0)
    message = surface(
        smiles=(replace(smile, days=22, date="2019-05-17", forward=100.0 * math.exp(0.08 * 22 / 365)), smile),
        exercise=instrument_pb2.EXERCISE_STYLE_AMERICAN,
        settings=CalibrationSettings(fallback_rate=0.08),
    )
    view = view_of(message, SETTINGS)
    quotes = view.slices[-1]
    worth = quotes.greeks(quotes.model_iv).price + quotes.early_exercise
    assert quotes.early_exercise.max() > 0.1
    assert np.abs(worth - 0.5 * (quotes.bid + quotes.ask)).max() < 0.02
    for strategy in (VolatilityArbitrage, TermStructure):
        assert ideas(strategy(SETTINGS), message) == []
    for at in np.flatnonzero(quotes.tradable).tolist():
        sold = value((Leg(quotes, at, -1, 1, float(quotes.model_iv[at]), 0.001),))
        assert sold.edge < 0.02


def test_an_expiry_out_of_line_is_traded_as_a_calendar() -> None:
    smiles = list(weekly_smiles())
    smiles[4] = replace(smiles[4], alpha=0.23)
    found = ideas(TermStructure(SETTINGS), surface(smiles=tuple(smiles)))
    assert [idea.theme for idea in found] == ["kink:XYZ 2019-06-14:-1"]
    near, far = found[0].legs
    assert (near.slice.message.expiry_date, near.side) == ("2019-06-14", -1)
    assert (far.slice.message.expiry_date, far.side) == ("2019-06-21", 1)
    assert found[0].valuation.edge > 0.0
    smiles[4] = replace(smiles[4], alpha=0.17)
    cheap = ideas(TermStructure(SETTINGS), surface(smiles=tuple(smiles)))
    assert [idea.theme for idea in cheap] == ["kink:XYZ 2019-06-14:1"]
    assert [(leg.slice.message.expiry_date, leg.side) for leg in cheap[0].legs] == [
        ("2019-06-07", -1),
        ("2019-06-14", 1),
    ]


def test_an_event_that_lifts_all_later_expiries_is_no_kink() -> None:
    jump = 0.03**2
    smiles = tuple(
        replace(each, alpha=math.sqrt(0.2**2 + (jump / each.years if at >= 4 else 0.0)))
        for at, each in enumerate(weekly_smiles())
    )
    assert ideas(TermStructure(SETTINGS), surface(smiles=smiles)) == []


@pytest.mark.parametrize(("daily_return", "side"), [(0.002, -1), (0.03, 1)])
def test_implied_vol_far_from_realised_is_traded_by_an_iron_butterfly(daily_return: float, side: int) -> None:
    (found,) = ideas(ImpliedAgainstRealised(SETTINGS), surface(), moving(daily_return))
    assert sides(found) == [-side, side, side, -side]
    assert [bool(leg.slice.is_call[leg.index]) for leg in found.legs] == [False, False, True, True]
    assert found.valuation.edge > 0.0
    assert "realised_vol" in {seen.name for seen in found.evidence}


def test_implied_above_realised_by_no_more_than_the_usual_premium_gives_no_edge() -> None:
    usual = 0.18 / math.sqrt(365)
    for found in ideas(ImpliedAgainstRealised(SETTINGS), surface(), moving(usual)):
        assert found.valuation.edge <= 0.0


@pytest.mark.parametrize(("mean", "side"), [(0.15, -1), (0.27, 1)])
def test_vol_far_from_its_mean_is_expected_back(mean: float, side: int) -> None:
    message = surface()
    message.ou.CopyFrom(
        surface_pb2.OuFit(
            kappa=20.0,
            mean=math.log(mean),
            sigma=0.8,
            half_life=math.log(2) / 20,
            mean_stderr=0.02,
            observations=100,
            status=surface_pb2.FIT_STATUS_GOOD,
        )
    )
    (found,) = ideas(MeanReversion(SETTINGS), message)
    assert found.legs[1].side == side
    assert found.valuation.edge > 0.0
    message.ou.status = surface_pb2.FIT_STATUS_POOR
    assert ideas(MeanReversion(SETTINGS), message) == []
