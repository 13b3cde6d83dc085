"""American options on what pays cash dividends, and on futures."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from smile_chains import DAY_NS, THURSDAY_NS, YEAR_NS

from skewline.cyext import american, american_dividends, black
from skewline.servers.calibration.cash_dividends import CashDividends
from skewline.servers.calibration.chain_check import check_chain
from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.pricing import imply_volatilities, price_options
from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.instruments import osi_symbol
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.validation import Validation
from skewline.v1 import chain_pb2, common_pb2, corporate_action_pb2, instrument_pb2, surface_pb2

SPOT, RATE, VOL, AMOUNT = 100.0, 0.02, 0.25, 1.5
EX_DAYS = (20, 110)
EXPIRIES = {10: "2019-05-05", 60: "2019-06-24", 150: "2019-09-22"}
STRIKES = np.arange(80.0, 122.5, 2.5)


def paid(currency: str = "USD", amount: str = "1.5") -> list[corporate_action_pb2.CorporateAction]:
    return [
        corporate_action_pb2.CorporateAction(
            kind=corporate_action_pb2.CORPORATE_ACTION_KIND_CASH_DIVIDEND,
            underlying="XYZ",
            effective_ns=THURSDAY_NS + day * DAY_NS,
            amount=from_decimal(Decimal(amount)),
            currency=currency,
        )
        for day in EX_DAYS
    ]


def chain(actions: list[corporate_action_pb2.CorporateAction]) -> chain_pb2.OptionChain:
    """Prices of the model itself, at one vol of the spot for all."""
    made = chain_pb2.OptionChain(
        snapshot_id="dividends",
        underlying="XYZ",
        time_ns=THURSDAY_NS,
        spot=SPOT,
        exercise=instrument_pb2.EXERCISE_STYLE_AMERICAN,
        multiplier=common_pb2.Decimal(units=100),
        currency="USD",
        corporate_actions=actions,
    )
    dividends = american_dividends.Dividends([day / 365.0 for day in EX_DAYS], [AMOUNT] * 2)
    for index, (days, date) in enumerate(EXPIRIES.items()):
        made.expiries.add(root="XYZ", expiry_date=date, expiry_ns=THURSDAY_NS + days * DAY_NS)
        prices = {
            is_call: american_dividends.price(
                *(is_call, SPOT, STRIKES, days / 365.0, RATE, 0.0, VOL), dividends=dividends
            )
            for is_call in (True, False)
        }
        quote(made, index, prices)
    return made


def quote(
    made: chain_pb2.OptionChain,
    index: int,
    prices: dict[bool, np.ndarray[tuple[int, ...], np.dtype[np.float64]]],
) -> None:
    for at, strike in enumerate(STRIKES.tolist()):
        for is_call in (True, False):
            made.expiry_index.append(index)
            made.strike.append(strike)
            made.is_call.append(is_call)
            made.bid.append(max(float(prices[is_call][at]) - 0.01, 0.0))
            made.ask.append(float(prices[is_call][at]) + 0.01)


def forward(days: int) -> float:
    years = days / 365.0
    lost = sum(AMOUNT * math.exp(RATE * (years - day / 365.0)) for day in EX_DAYS if day < days)
    return SPOT * math.exp(RATE * years) - lost


@pytest.fixture(scope="module")
def in_cash() -> surface_pb2.VolSurface:
    return CalibrationEngine(CalibrationSettings()).on_chain(chain(paid()))


@pytest.fixture(scope="module")
def as_a_yield() -> surface_pb2.VolSurface:
    return CalibrationEngine(CalibrationSettings()).on_chain(chain([]))


def test_forwards_have_the_dividends_in_them(
    in_cash: surface_pb2.VolSurface, as_a_yield: surface_pb2.VolSurface
) -> None:
    for days, cash, yielding in zip(EXPIRIES, in_cash.slices, as_a_yield.slices, strict=True):
        assert cash.forward == pytest.approx(forward(days), abs=0.005)
        assert cash.dividends == AMOUNT * sum(day < days for day in EX_DAYS)
        assert yielding.dividends == 0.0
        assert abs(cash.forward - forward(days)) <= abs(yielding.forward - forward(days)) + 1e-3


def test_vols_are_as_smooth_over_the_forward_as_they_were_made(
    in_cash: surface_pb2.VolSurface, as_a_yield: surface_pb2.VolSurface
) -> None:
    cash, yielding = (np.array(each.slices[2].mid_iv) for each in (in_cash, as_a_yield))
    # By Bos & Vandermark, on the forward; a vol of one spot bends a little there.
    dividends = CashDividends(np.array(EX_DAYS) / 365.0, np.full(2, AMOUNT))
    years, strikes = 150 / 365.0, np.array(in_cash.slices[2].strike)
    own_forward, own_strike = dividends.european_terms(SPOT, strikes, years, RATE)
    price = black.price(True, own_forward, own_strike, years, 1.0, VOL)
    exact = black.implied_vol(True, price, forward(150), strikes, years, 1.0)
    assert np.abs(cash - exact).max() < 5e-4
    assert np.abs(cash - exact).max() < 0.5 * np.abs(yielding - exact).max()


def test_prices_and_vols_of_both_rights_come_back(in_cash: surface_pb2.VolSurface) -> None:
    strikes = (90, 100, 110)
    names = [
        osi_symbol("XYZ", EXPIRIES[150], is_call, Decimal(strike))
        for strike in strikes
        for is_call in (True, False)
    ]
    made = chain(paid())
    mids = {
        (index, strike, is_call): 0.5 * (bid + ask)
        for index, strike, is_call, bid, ask in zip(
            *(made.expiry_index, made.strike, made.is_call, made.bid, made.ask), strict=True
        )
    }
    given = [mids[2, float(strike), is_call] for strike in strikes for is_call in (True, False)]
    priced = price_options(in_cash, names)
    assert list(priced.price) == pytest.approx(given, abs=0.02)
    implied = imply_volatilities(in_cash, names, given)
    vols = np.array(implied.volatility).reshape(3, 2)
    assert np.abs(vols[:, 0] - vols[:, 1]).max() < 5e-4
    assert all(0.0 < delta < 1.0 for delta in priced.delta[::2])


@pytest.mark.parametrize(
    "actions", [paid("EUR"), paid(amount="60"), paid(amount="0")], ids=["currency", "more", "none"]
)
def test_dividends_that_make_no_sense_are_a_yield(
    actions: list[corporate_action_pb2.CorporateAction], as_a_yield: surface_pb2.VolSurface
) -> None:
    found = CalibrationEngine(CalibrationSettings()).on_chain(chain(actions))
    assert [each.forward for each in found.slices] == [each.forward for each in as_a_yield.slices]
    assert not any(each.dividends for each in found.slices)


def test_rubbish_among_dividends_ends_in_no_error() -> None:
    actions = paid()
    actions[0].amount.units = 2**63 - 1
    actions[1].effective_ns = -(2**62)
    for spot in (SPOT, math.nan, -1.0):
        made = chain(actions)
        made.spot = spot
        assert CalibrationEngine(CalibrationSettings()).on_chain(made).slices


def on_future(exercise: instrument_pb2.ExerciseStyle.ValueType) -> chain_pb2.OptionChain:
    """Options of two months on a future at 104, while the spot is 100."""
    made = chain_pb2.OptionChain(
        snapshot_id="future",
        underlying="XYZ",
        time_ns=THURSDAY_NS,
        spot=SPOT,
        exercise=exercise,
        multiplier=common_pb2.Decimal(units=1000),
        currency="USD",
    )
    years = 60 * DAY_NS / YEAR_NS
    made.expiries.add(
        root="XYZ", expiry_date=EXPIRIES[60], expiry_ns=THURSDAY_NS + 60 * DAY_NS, forward=104.0,
        discount=math.exp(-0.08 * years), on_future=True,
    )  # fmt: skip
    prices = {
        is_call: american.price(is_call, 104.0, STRIKES, years, 0.08, 0.08, VOL, accuracy="precise")
        if exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
        else black.price(is_call, 104.0, STRIKES, years, math.exp(-0.08 * years), VOL)
        for is_call in (True, False)
    }
    quote(made, 0, prices)
    return made


@pytest.mark.parametrize(
    "exercise", [instrument_pb2.EXERCISE_STYLE_AMERICAN, instrument_pb2.EXERCISE_STYLE_EUROPEAN]
)
def test_options_on_a_future_are_exercised_into_it(
    exercise: instrument_pb2.ExerciseStyle.ValueType,
) -> None:
    made = on_future(exercise)
    surface = CalibrationEngine(CalibrationSettings()).on_chain(made)
    (fitted,) = surface.slices
    assert fitted.on_future
    assert fitted.forward == 104.0
    assert np.abs(np.array(fitted.mid_iv) - VOL).max() < 2e-4
    names = [osi_symbol("XYZ", EXPIRIES[60], is_call, Decimal(95)) for is_call in (True, False)]
    given = [0.5 * (made.bid[at] + made.ask[at]) for at in (12, 13)]
    assert list(imply_volatilities(surface, names, given).volatility) == pytest.approx([VOL] * 2, abs=2e-3)
    priced = price_options(surface, names)
    assert list(priced.price) == pytest.approx(given, abs=0.01)
    assert priced.delta[0] - priced.delta[1] == pytest.approx(1.0, abs=0.02)


def test_an_american_option_on_a_future_needs_no_spot() -> None:
    made = on_future(instrument_pb2.EXERCISE_STYLE_AMERICAN)
    made.spot = math.nan
    (fitted,) = CalibrationEngine(CalibrationSettings()).on_chain(made).slices
    assert "AMERICAN_AS_EUROPEAN" not in fitted.reasons
    assert np.abs(np.array(fitted.mid_iv) - VOL).max() < 2e-4


@pytest.mark.parametrize("price", [0.0, math.nan, math.inf, -1.0])
def test_a_future_without_a_price_is_refused(price: float) -> None:
    made = on_future(instrument_pb2.EXERCISE_STYLE_AMERICAN)
    made.expiries[0].forward = price
    validation = Validation()
    check_chain(validation.within("chain"), made)
    assert [each.field for each in validation.violations] == ["chain.expiries[0].forward"]
