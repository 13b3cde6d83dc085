"""What the signal service remembers, across splits and symbol changes."""

from __future__ import annotations

from splits import split, symbol_change

from skewline.servers.runtime.corporate_actions import taking_effect
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.engine import SignalEngine
from skewline.servers.signal.memory import Memory, OpenIdea
from skewline.v1 import surface_pb2

DAY = 86_400 * 10**9
SPLIT, CHANGE = split(), symbol_change(ex_date="2014-06-09")
MIDNIGHT = SPLIT.effective_ns
MOST = 100


def test_spots_before_a_split_are_in_the_units_after_it_once() -> None:
    memory = Memory().at(MIDNIGHT - DAY, 700.0, MOST, [SPLIT]).at(MIDNIGHT + 1, 101.0, MOST, [SPLIT])
    memory = memory.at(MIDNIGHT + DAY, 102.0, MOST, [SPLIT])
    assert [spot for _, spot in memory.spots.spots] == [100.0, 101.0, 102.0]


def test_a_snapshot_without_a_spot_takes_the_split_as_well() -> None:
    memory = Memory().at(MIDNIGHT - DAY, 700.0, MOST).at(MIDNIGHT + 1, float("nan"), MOST, [SPLIT])
    assert [spot for _, spot in memory.at(MIDNIGHT + 2, 101.0, MOST, [SPLIT]).spots.spots] == [100.0, 101.0]


def test_an_open_idea_keeps_its_contracts_out_of_use_under_their_new_ids() -> None:
    idea = OpenIdea("theme", ("AAPL  140719C00645000",), MIDNIGHT - DAY, MIDNIGHT + 30 * DAY)
    memory = Memory().at(MIDNIGHT - DAY, 645.0, MOST).with_ideas((idea,))
    later = memory.at(MIDNIGHT + 1, 92.0, MOST, [SPLIT]).at(MIDNIGHT + 2, 92.0, MOST, [SPLIT])
    assert [each.instruments for each in later.open_ideas] == [("AAPL  140719C00092140",)]


def surface(underlying: str, time_ns: int, spot: float) -> surface_pb2.VolSurface:
    actions = [a for a in (SPLIT, CHANGE) if underlying in (a.underlying, a.new_symbol)]
    return surface_pb2.VolSurface(
        underlying=underlying, time_ns=time_ns, spot=spot, corporate_actions=actions
    )


def test_a_restored_engine_remembers_the_same() -> None:
    seen = [
        surface("AAPL", MIDNIGHT - DAY, 646.1),
        surface("FB", MIDNIGHT - DAY + 1, 61.5),
        surface("AAPL", MIDNIGHT + 1, 92.3),
        surface("META", MIDNIGHT + 2, 62.5),
        surface("AAPL", MIDNIGHT + DAY, 93.1),
    ]
    engine = SignalEngine(SignalSettings())
    assessed = [engine.assess(each, "") for each in seen]
    actions = [action for each in assessed for action in each.actions]
    assert actions == [SPLIT, CHANGE]
    ideas = {
        "AAPL": OpenIdea("one", ("AAPL  140719C00645000",), MIDNIGHT - DAY, MIDNIGHT + 9 * DAY),
        "FB": OpenIdea("two", ("FB    140719C00060000",), MIDNIGHT - DAY + 1, MIDNIGHT + 9 * DAY),
        "META": OpenIdea("new", ("META  140719C00061000",), MIDNIGHT + 2, MIDNIGHT + 9 * DAY),
    }
    restored = SignalEngine(SignalSettings())
    restored.restore(
        [(each.underlying, each.time_ns, each.spot) for each in seen], list(ideas.items()), actions
    )
    for name in ("AAPL", "META"):
        assert restored._memory[name].spots == engine._memory[name].spots
        assert restored._memory[name].time_ns == engine._memory[name].time_ns
    assert len(restored._memory["META"].spots.spots) == 2
    assert [each.instruments[0] for each in restored._memory["AAPL"].open_ideas] == ["AAPL  140719C00092140"]
    assert [each.instruments[0] for each in restored._memory["META"].open_ideas] == [
        "META  140719C00060000",
        "META  140719C00061000",
    ]
    assert taking_effect(actions, 0, MIDNIGHT) == [SPLIT, CHANGE]
