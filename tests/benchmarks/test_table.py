import json
from pathlib import Path

import pytest
from bench_table import in_words, print_table, write_json
from stopwatch import Timing, race
from table_row import Row, Unit
from thread_gain import Gain, gain_of


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("w", 0.9, floor=2.0, goal=1.0), "goal"),
        (Row("w", 1.5, floor=2.0, goal=1.0), "floor"),
        (Row("w", 2.5, floor=2.0, goal=1.0), "missed"),
        (Row("w", 0.9, floor=2.0, goal=1.0, exact=False), "missed"),
        (Row("w", 1.9, floor=1.8, goal=1.95, unit=Unit.GAIN), "floor"),
        (Row("w", 1.7, floor=1.8, goal=1.95, unit=Unit.GAIN), "missed"),
        (Row("w", 301_000.0, floor=300_000.0, goal=600_000.0, unit=Unit.RATE), "floor"),
        (Row("w", 0.9), ""),
        (Row("w", reason="no data", floor=1.0), ""),
    ],
)
def test_a_row_meets_its_target_only_where_it_is_exact(row: Row, verdict: str) -> None:
    assert row.verdict == verdict


def test_times_have_fitting_units() -> None:
    words = [in_words(t) for t in (3.9e-9, 9.996e-7, 2.5e-4, 0.0401, 2.0, None)]
    assert words == ["3.9 ns", "1 µs", "250 µs", "40.1 ms", "2 s", "–"]


def test_the_table_says_what_is_missed_and_why_a_row_is_left_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [Row("slow", 3.0, "1e-9", peer="other", peer_time=6.0, floor=1.0), Row("absent", reason="no data")]
    print_table([("group", rows)], "Measured here.")
    printed = capsys.readouterr().out
    assert "missed: slow: 3 s, 1e-9" in printed
    assert "no data" in printed
    write_json(tmp_path / "t.json", [("group", rows)])
    slow, absent = json.loads((tmp_path / "t.json").read_text())["rows"]
    assert (slow["ratio"], slow["met"], absent["ours"]) == (2.0, "missed", None)


def test_a_race_runs_all_in_turns() -> None:
    order: list[str] = []

    def long() -> None:
        order.append("b")
        sum(range(200_000))

    fast, slow = race(lambda: order.append("a"), long, seconds=0.0)
    assert fast.best < slow.best <= slow.middle
    assert order[-1] == "b"
    assert "a" in order[order.index("b") :]


def test_each_turn_has_a_gain_of_its_own() -> None:
    one, two = Timing(2.0, 4.0, (2.0, 4.0, 8.0)), Timing(1.0, 2.2, (1.0, 2.5, 4.0))
    assert two.gains_over(one) == [2.0, 1.6, 2.0]


def test_a_gain_is_that_of_the_turns_in_which_there_were_two_processors() -> None:
    assert gain_of([1.9, 1.2, 1.8, 1.7], [1.9, 1.2, 1.8, 1.85]) == Gain(1.8, 1.85, 0.75)


def test_where_there_never_were_two_processors_the_gain_is_that_of_all_turns() -> None:
    assert gain_of([1.2, 1.1, 1.3], [1.2, 1.2, 1.1]) == Gain(1.2, 1.2, 0.0)
