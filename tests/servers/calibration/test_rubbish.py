"""Whatever a chain holds, it becomes a surface that adds up."""

import math

import numpy as np
from fitted_messages import every_message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smile_chains import Quoting, smile_chain

from skewline.servers.calibration.fit import fit_surface
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.engine import SignalEngine
from skewline.v1 import chain_pb2, instrument_pb2, surface_pb2

NUMBERS = st.one_of(
    st.floats(width=64),
    st.sampled_from([0.0, -0.0, 1e-300, 1e300, math.inf, -math.inf, math.nan, 0.01, 5.0, 100.0]),
)
COLUMNS = st.sampled_from(["strike", "bid", "ask"])
CHANGES = st.lists(st.tuples(COLUMNS, st.integers(0, 71), NUMBERS), max_size=30)
TIMES = st.lists(st.tuples(st.integers(0, 3), st.integers(-(2**62), 2**62)), max_size=2)
STYLES = st.sampled_from([instrument_pb2.EXERCISE_STYLE_EUROPEAN, instrument_pb2.EXERCISE_STYLE_AMERICAN])
QUICK = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def check(chain: chain_pb2.OptionChain) -> None:
    surface = fit_surface(chain, CalibrationSettings())
    assert surface.quotes + sum(each.count for each in surface.excluded) == len(chain.strike)
    assert surface.status != surface_pb2.FIT_STATUS_UNSPECIFIED
    for message in every_message(surface):
        for field, value in message.ListFields():
            assert not isinstance(value, float) or math.isfinite(value), field.name
    SignalEngine(SignalSettings()).on_surface(surface, "")


@QUICK
@given(changes=CHANGES, times=TIMES, spot=NUMBERS, style=STYLES)
def test_some_quotes_are_rubbish(
    changes: list[tuple[str, int, float]],
    times: list[tuple[int, int]],
    spot: float,
    style: instrument_pb2.ExerciseStyle.ValueType,
) -> None:
    chain = smile_chain(quoting=Quoting(strikes=np.arange(80.0, 121.0, 5.0), exercise=style))
    for column, at, value in changes:
        getattr(chain, column)[at] = value
    for index, expiry_ns in times:
        chain.expiries[index].expiry_ns = expiry_ns
    chain.spot = spot
    check(chain)


@QUICK
@given(
    quotes=st.lists(st.tuples(st.integers(0, 3), NUMBERS, st.booleans(), NUMBERS, NUMBERS), max_size=40),
    style=STYLES,
)
def test_all_quotes_are_rubbish(
    quotes: list[tuple[int, float, bool, float, float]],
    style: instrument_pb2.ExerciseStyle.ValueType,
) -> None:
    chain = smile_chain()
    chain.exercise = style
    for name in ("expiry_index", "strike", "is_call", "bid", "ask"):
        del getattr(chain, name)[:]
    for index, strike, is_call, bid, ask in quotes:
        chain.expiry_index.append(index)
        chain.strike.append(strike)
        chain.is_call.append(is_call)
        chain.bid.append(bid)
        chain.ask.append(ask)
    check(chain)
