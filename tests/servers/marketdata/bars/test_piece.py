"""How bars are made of prices and of shorter bars."""

from __future__ import annotations

from bar_samples import FRIDAY_MIDNIGHT_NS
from chain_samples import DAY_NS, MINUTE_NS
from hypothesis import given
from hypothesis import strategies as st
from splits import split

from skewline.servers.marketdata.bars.piece import Piece, bar_of, by_bar, in_units_after, moment
from skewline.v1 import chain_pb2, common_pb2

RECORDED, SIMULATED = common_pb2.PROVENANCE_RECORDED, common_pb2.PROVENANCE_SIMULATED
SNAPSHOTS = chain_pb2.BAR_ORIGIN_SNAPSHOTS


def piece(start_ns: int, length_ns: int, close: float, provenance: int = RECORDED) -> Piece:
    told = common_pb2.Provenance.ValueType(provenance)
    return Piece(start_ns, start_ns + length_ns, close - 0.5, close + 1, close - 1, close, 5.0, "s", told)


def test_a_bar_of_its_own_length_stays_where_it_starts() -> None:
    days = [piece(FRIDAY_MIDNIGHT_NS + day * DAY_NS, DAY_NS, 100.0 + day) for day in range(3)]
    made = [bar_of(group, DAY_NS, SNAPSHOTS) for group in by_bar(days, DAY_NS)]
    assert [bar.start_ns for bar in made] == [day.start_ns for day in days]
    assert [(bar.parts, bar.snapshots, bar.volume) for bar in made] == [(1, 0, 5.0)] * 3


def test_what_is_simulated_in_any_part_is_simulated() -> None:
    parts = [piece(at, 1, 5.0, SIMULATED if at == 1 else RECORDED) for at in range(3)]
    assert bar_of(parts, 3, SNAPSHOTS).provenance == SIMULATED


def test_a_split_changes_what_ended_before_it_whatever_midnight_a_day_begins_at() -> None:
    two_for_one = split("XYZ", "2019-05-24", 2)
    assert two_for_one.effective_ns == FRIDAY_MIDNIGHT_NS
    new_york = [piece(FRIDAY_MIDNIGHT_NS + day * DAY_NS, DAY_NS, 100.0) for day in (-1, 0)]
    utc = [piece(each.start_ns - 240 * MINUTE_NS, DAY_NS, 100.0) for each in new_york]
    for days in (new_york, utc):
        assert [each.close for each in in_units_after(days, [two_for_one])] == [50.0, 100.0]
        assert [each.volume for each in in_units_after(days, [two_for_one])] == [10.0, 5.0]
    moments = [moment(FRIDAY_MIDNIGHT_NS + at, 100.0) for at in (-1, 0)]
    assert [each.high for each in in_units_after(moments, [two_for_one])] == [50.0, 100.0]


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.floats(1.0, 1e6), st.floats(0.0, 1e6)),
        min_size=1,
        unique_by=lambda each: each[0],
    ),
    st.integers(1, 60),
)
def test_no_piece_is_lost_and_no_price_is_made_up(told: list[tuple[int, float, float]], minutes: int) -> None:
    pieces = [
        Piece(
            at * MINUTE_NS, (at + 1) * MINUTE_NS, price, price * 1.5, price / 2, price, volume, "", RECORDED
        )
        for at, price, volume in sorted(told)
    ]
    interval_ns = minutes * MINUTE_NS
    made = [bar_of(group, interval_ns, SNAPSHOTS) for group in by_bar(pieces, interval_ns)]
    assert sum(bar.parts for bar in made) == len(pieces)
    starts = [bar.start_ns for bar in made]
    assert starts == sorted(set(starts))
    assert all(start % interval_ns == 0 for start in starts)
    for bar in made:
        inside = [p for p in pieces if bar.start_ns <= p.start_ns < bar.start_ns + interval_ns]
        assert (bar.open, bar.close) == (inside[0].open, inside[-1].close)
        assert bar.high == max(p.high for p in inside)
        assert bar.low == min(p.low for p in inside)
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
