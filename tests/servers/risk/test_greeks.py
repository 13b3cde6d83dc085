from __future__ import annotations

import numpy as np
import pytest
from trading_examples import EXPIRY, EXPIRY_NS, NOW, YEAR_NS, call, put, surface
from valued_options import valued

from skewline.cyext import black
from skewline.servers.risk import greeks
from skewline.servers.risk.option import osi_option
from skewline.servers.risk.surface_view import SurfaceView
from skewline.v1 import surface_pb2


def one(view: SurfaceView, name: str) -> dict[str, float]:
    rows = valued(view, name).rows[:, 0]
    return dict(zip(greeks.NAMES, rows.tolist(), strict=True))


def test_an_option_is_valued_by_black_on_its_slice() -> None:
    view = SurfaceView(surface())
    years = (EXPIRY_NS - NOW) / YEAR_NS
    price = black.price(True, 2900.0, 2950.0, years, 1.0, 0.15)
    assert one(view, call(2950))["market_value"] == pytest.approx(float(price), rel=1e-6)


def test_greeks_are_those_of_the_spot() -> None:
    view, up, down = (SurfaceView(surface(spot=s)) for s in (2900.0, 2901.0, 2899.0))
    found = one(view, put(2850))
    priced = [one(v, put(2850))["market_value"] for v in (up, view, down)]
    assert found["delta"] == pytest.approx((priced[0] - priced[2]) / 2, rel=1e-4)
    assert found["gamma"] == pytest.approx(priced[0] - 2 * priced[1] + priced[2], rel=1e-3)
    assert found["theta"] < 0
    assert found["vega"] > 0


def test_a_position_counts_by_quantity_and_multiplier() -> None:
    view = SurfaceView(surface())
    valuation = valued(view, call(2900), put(2900))
    total = greeks.in_currency(valuation, np.array([200.0, -200.0]))
    forward = 200 * (one(view, call(2900))["delta"] - one(view, put(2900))["delta"])
    assert total[0] == pytest.approx(forward)
    assert total[1] == pytest.approx(0.0, abs=1e-9)


def test_an_expired_option_is_worth_its_intrinsic_and_has_no_greeks() -> None:
    view = SurfaceView(surface(time_ns=EXPIRY_NS, spot=2910.0, expiries=("2019-06-21",)))
    found = one(view, call(2900))
    assert found["market_value"] == 10.0
    assert [found[name] for name in greeks.NAMES[:-1]] == [0.0] * 8


def test_the_nearest_good_slice_stands_in_for_a_missing_expiry() -> None:
    view = SurfaceView(surface(expiries=("2019-05-10", "2019-06-21")))
    found = one(view, call(2900))
    exact = one(SurfaceView(surface()), call(2900))
    assert found["market_value"] == pytest.approx(exact["market_value"], rel=1e-6)
    option = osi_option(call(2900))
    assert option is not None
    assert not view.knows(option)


def test_without_a_good_slice_or_a_known_id_there_is_no_price() -> None:
    failed = SurfaceView(surface(status=surface_pb2.FIT_STATUS_FAILED))
    assert not valued(failed, call(2900)).priced.any()
    assert not valued(SurfaceView(surface()), "BTC-27DEC24-100000-C").priced.any()
    assert not valued(None, call(2900)).priced.any()


def test_one_unpriced_option_does_not_poison_the_others() -> None:
    valuation = valued(SurfaceView(surface()), "rubbish", call(2900))
    total = greeks.in_currency(valuation, np.array([100.0, 100.0]))
    assert np.isfinite(total).all()
    assert valuation.priced.tolist() == [False, True]
    assert EXPIRY in surface().slices[0].expiry_date
