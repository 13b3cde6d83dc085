import pytest

from skewline.servers.signal.aggregate import Candidate, aggregate
from skewline.servers.signal.confidence import pooled
from skewline.v1 import common_pb2, signal_pb2

BUY, SELL = common_pb2.SIDE_BUY, common_pb2.SIDE_SELL
REVERSION, REALISED = (
    signal_pb2.STRATEGY_MEAN_REVERSION,
    signal_pb2.STRATEGY_IMPLIED_REALISED,
)


def candidate(
    strategy: signal_pb2.Strategy.ValueType,
    *,
    turned: bool = False,
    confidence: float = 0.7,
    edge: float = 100.0,
    near: str = "A",
) -> Candidate:
    sides = (SELL, BUY) if turned else (BUY, SELL)
    legs = [
        signal_pb2.SignalLeg(instrument_id=name, side=side, ratio=1)
        for name, side in zip((near, "B"), sides, strict=True)
    ]
    signal = signal_pb2.Signal(
        signal_id=f"{strategy}-{turned}-{confidence}-{edge}",
        surface_id="surface",
        strategy=strategy,
        legs=legs,
        confidence=confidence,
        edge=edge,
        edge_stdev=50.0,
        horizon_ns=int(edge),
        explanation="because",
    )
    signal.evidence.add(name="seen", value=1.0, unit="vol")
    return Candidate(signal, "level:1")


def test_strategies_that_agree_become_one_surer_signal() -> None:
    first, second = candidate(REVERSION, confidence=0.7), candidate(REALISED, confidence=0.8, edge=200.0)
    (together,) = aggregate([first, second]).candidates
    assert together.signal.strategy == signal_pb2.STRATEGY_AGGREGATE
    assert together.signal.confidence == pytest.approx(pooled([0.7, 0.8], [1, 1]))
    assert together.signal.confidence > 0.8
    assert 100.0 < together.signal.edge < 200.0
    assert list(together.signal.component_ids) == [first.signal.signal_id, second.signal.signal_id]
    assert together.components == (first.signal, second.signal)
    assert together.signal.legs == first.signal.legs


def test_the_weaker_opposite_takes_confidence_from_the_stronger() -> None:
    weak, strong = candidate(REVERSION, turned=True, confidence=0.65), candidate(REALISED, confidence=0.9)
    (left,) = aggregate([weak, strong]).candidates
    assert left.signal.legs == strong.signal.legs
    assert 0.5 < left.signal.confidence < 0.9
    assert left.signal.edge == strong.signal.edge


def test_equal_opposites_cancel() -> None:
    settled = aggregate([candidate(REVERSION, turned=True), candidate(REALISED)])
    assert settled.candidates == ()
    assert settled.opposed == 2


def test_one_strategy_saying_the_same_twice_counts_once() -> None:
    worse, better = candidate(REALISED, confidence=0.6), candidate(REALISED, confidence=0.8)
    assert aggregate([worse, better]).candidates == (better,)


def test_other_legs_are_another_signal() -> None:
    pair = [candidate(REVERSION), candidate(REALISED, near="C")]
    assert list(aggregate(pair).candidates) == pair


def test_log_odds_add_up_by_sign() -> None:
    assert pooled([0.7], [1]) == pytest.approx(0.7)
    assert pooled([0.7, 0.7], [1, -1]) == pytest.approx(0.5)
    assert pooled([1.0, 1.0], [1, 1]) < 1.0
