from dataclasses import replace

import numpy as np
import pytest
from fitted_messages import every_message
from smile_chains import SMILES, Quoting, Smile, smile_chain

from skewline.servers.calibration.fit import fit_surface
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, instrument_pb2, surface_pb2

SETTINGS = CalibrationSettings()
GOOD, POOR, FAILED = (
    surface_pb2.FIT_STATUS_GOOD,
    surface_pb2.FIT_STATUS_POOR,
    surface_pb2.FIT_STATUS_FAILED,
)


def fitted(chain: chain_pb2.OptionChain) -> surface_pb2.VolSurface:
    return fit_surface(chain, SETTINGS)


def counts(surface: surface_pb2.VolSurface) -> dict[str, int]:
    return {each.reason: each.count for each in surface.excluded}


def test_the_smiles_behind_the_quotes_are_found_again() -> None:
    surface = fitted(smile_chain(quoting=Quoting(half_spread=0.005)))
    assert surface.status == GOOD
    assert surface.rmse < 1e-4
    for smile, found in zip(SMILES, surface.slices, strict=True):
        assert found.status == GOOD
        assert found.forward == pytest.approx(smile.forward, abs=1e-3)
        assert found.sabr.alpha == pytest.approx(smile.alpha, abs=1e-3)
        assert found.sabr.rho == pytest.approx(smile.rho, abs=0.02)
        assert found.sabr.nu == pytest.approx(smile.nu, abs=0.03)
        assert found.inside_band == 1.0


def test_adjusted_contracts_are_no_part_of_the_surface() -> None:
    # A merger's: half a unit and cash, whose forward is another, at the expiry of the usual contracts.
    merged = replace(SMILES[1], root="XYZ1", forward=88.0, alpha=0.4)
    plain, beside = fitted(smile_chain()), fitted(smile_chain((*SMILES[:2], merged, *SMILES[2:])))
    assert counts(beside)["ADJUSTED_CONTRACT"] == 2 * Quoting().strikes.size
    assert list(beside.slices) == list(plain.slices)
    assert (beside.heston, beside.atm_vol_30d, beside.checks) == (
        plain.heston,
        plain.atm_vol_30d,
        plain.checks,
    )


def test_rates_of_long_expiries_are_found_and_lent_to_short_ones() -> None:
    surface = fitted(smile_chain(quoting=Quoting(half_spread=0.02, noise_seed=7)))
    longest = surface.slices[-1]
    assert -np.log(longest.discount) / longest.years == pytest.approx(0.03, abs=0.003)
    assert "RATE_NOT_FROM_EXPIRY" in surface.slices[0].reasons
    assert surface.slices[0].status == GOOD


def test_am_and_pm_expiries_of_one_date_stay_apart() -> None:
    morning = Smile(
        days=56.77,
        date="2019-06-21",
        root="SPX",
        alpha=0.2,
        settlement=instrument_pb2.SETTLEMENT_STYLE_AM,
    )
    evening = replace(
        morning, days=57.04, root="SPXW", alpha=0.22, settlement=instrument_pb2.SETTLEMENT_STYLE_PM
    )
    surface = fitted(smile_chain((morning, evening)))
    assert [each.root for each in surface.slices] == ["SPX", "SPXW"]
    assert [round(each.sabr.alpha, 2) for each in surface.slices] == [0.2, 0.22]
    assert surface.slices[0].years < surface.slices[1].years


def test_american_vols_are_those_of_american_prices() -> None:
    dear_money = tuple(replace(each, rate=0.08, forward=98.0 + each.days / 100) for each in SMILES[2:])
    settings = CalibrationSettings(fallback_rate=0.08)
    chain = smile_chain(
        dear_money,
        Quoting(half_spread=0.005, exercise=instrument_pb2.EXERCISE_STYLE_AMERICAN, spot=98.0),
    )
    surface = fit_surface(chain, settings)
    for smile, found in zip(dear_money, surface.slices, strict=True):
        assert found.forward == pytest.approx(smile.forward, abs=0.03)
        assert found.atm_vol == pytest.approx(smile.vols(np.array([found.forward]))[0], abs=1e-3)
        errors = np.array(found.mid_iv) - smile.vols(np.array(found.strike))
        assert np.abs(errors).max() < 5e-3


def test_american_without_a_spot_says_that_it_was_taken_as_european() -> None:
    chain = smile_chain(quoting=Quoting(exercise=instrument_pb2.EXERCISE_STYLE_AMERICAN))
    chain.spot = float("nan")
    surface = fitted(chain)
    assert all("AMERICAN_AS_EUROPEAN" in each.reasons for each in surface.slices)
    assert surface.spot == surface.slices[0].forward


def test_every_contract_is_either_fitted_or_counted_with_its_reason() -> None:
    chain = smile_chain()
    chain.bid[20] = 0.0
    chain.ask[21] = 0.0
    chain.bid[22], chain.ask[22] = 3.0, 2.0
    chain.bid[23] = float("nan")
    chain.bid[24], chain.ask[24] = 0.01, 9.0
    surface = fitted(chain)
    reasons = counts(surface)
    assert reasons.keys() >= {"NO_BID", "NO_ASK", "CROSSED", "NON_FINITE", "TOO_WIDE", "IN_THE_MONEY"}
    assert surface.quotes + sum(reasons.values()) == len(chain.strike)
    assert surface.quotes == sum(len(each.strike) for each in surface.slices)


def test_expiries_that_are_over_or_too_near_are_left_out_with_a_reason() -> None:
    smiles = (replace(SMILES[0], days=-1.0), replace(SMILES[0], days=0.01), *SMILES[1:])
    over = smile_chain((replace(SMILES[0], days=3.0), replace(SMILES[0], days=4.0), *SMILES[1:]))
    for index, smile in enumerate(smiles):
        over.expiries[index].expiry_ns = over.time_ns + round(smile.days * 86_400e9)
    surface = fitted(over)
    assert len(surface.slices) == 3
    assert counts(surface).keys() >= {"EXPIRED", "EXPIRY_TOO_NEAR"}


def test_too_few_strikes_fail_the_slice_and_leave_the_others() -> None:
    chain = smile_chain()
    for at, index in enumerate(chain.expiry_index):
        if index == 1 and not 98.0 <= chain.strike[at] <= 102.0:
            chain.bid[at] = 0.0
    surface = fitted(chain)
    assert [each.status for each in surface.slices] == [GOOD, FAILED, GOOD, GOOD]
    assert "TOO_FEW_STRIKES" in surface.slices[1].reasons
    assert surface.status == GOOD


def test_an_expiry_without_pairs_gets_its_neighbours_carry_and_is_not_good() -> None:
    chain = smile_chain()
    for at, index in enumerate(chain.expiry_index):
        out_of_money = chain.is_call[at] == (chain.strike[at] > 100.3)
        if index == 1 and not out_of_money:
            chain.bid[at] = 0.0
    found = fitted(chain).slices[1]
    assert found.status == POOR
    assert "FORWARD_INTERPOLATED" in found.reasons
    assert found.forward == pytest.approx(SMILES[1].forward, abs=0.1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda chain: chain.bid.__setitem__(slice(None), [0.0] * len(chain.bid)),
        lambda chain: chain.bid.__setitem__(slice(None), [float("nan")] * len(chain.bid)),
        lambda chain: chain.strike.__setitem__(slice(None), [-1.0] * len(chain.bid)),
        lambda chain: chain.ask.__setitem__(slice(None), [1e300] * len(chain.bid)),
        lambda chain: chain.bid.__setitem__(slice(None), list(chain.ask)[::-1]),
    ],
    ids=["no bids", "nan", "negative strikes", "huge asks", "shuffled"],
)
def test_rubbish_is_a_failed_or_poor_surface_with_reasons_not_an_error(spoil: object) -> None:
    chain = smile_chain()
    spoil(chain)  # type: ignore[operator]
    surface = fitted(chain)
    assert surface.status in (POOR, FAILED)
    assert surface.reasons
    assert surface.quotes + sum(counts(surface).values()) == len(chain.strike)


def test_an_empty_chain_is_a_failed_surface() -> None:
    surface = fitted(chain_pb2.OptionChain(underlying="XYZ", time_ns=1, spot=float("nan")))
    assert surface.status == FAILED
    assert list(surface.reasons) == ["NO_USABLE_QUOTES"]


def test_numbers_that_are_promised_are_finite_whatever_comes() -> None:
    chain = smile_chain()
    for at in range(0, len(chain.bid), 3):
        chain.bid[at] = 0.0
    surface = fitted(chain)
    for message in every_message(surface):
        for field, value in message.ListFields():
            if isinstance(value, float):
                assert np.isfinite(value), field.name


def test_native_ids_stay_with_their_quotes() -> None:
    surface = fitted(smile_chain(quoting=Quoting(native_ids=True)))
    for each in surface.slices:
        for name, strike, is_call in zip(each.instrument_id, each.strike, each.is_call, strict=True):
            assert name == f"XYZ-{each.expiry_date}-{strike:g}-{'C' if is_call else 'P'}"


def test_the_order_of_contracts_does_not_matter() -> None:
    chain = smile_chain()
    turned = chain_pb2.OptionChain()
    turned.CopyFrom(chain)
    for name in ("expiry_index", "strike", "is_call", "bid", "ask"):
        values = list(getattr(chain, name))[::-1]
        getattr(turned, name)[:] = values
    assert fitted(turned) == fitted(chain)
