from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

import numpy as np
import pytest
from smile_chains import DAY_NS, SMILES, THURSDAY_NS, Quoting, smile_chain

from skewline.servers.calibration.beside import beside
from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.steps import Note
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.storage.calibration.repository import summary_of
from skewline.v1 import chain_pb2, surface_pb2

SETTINGS = CalibrationSettings(ou_min_points=8)


def days(count: int) -> list[chain_pb2.OptionChain]:
    """A vol level that goes up and down and reverts."""
    wave = 0.2 + 0.03 * np.sin(1.7 * np.arange(count)) + 0.01 * np.cos(0.9 * np.arange(count))
    return [
        smile_chain(
            tuple(replace(smile, alpha=float(level)) for smile in SMILES),
            Quoting(noise_seed=day),
            time_ns=THURSDAY_NS + day * DAY_NS,
            snapshot_id=f"snapshot-{day}",
        )
        for day, level in enumerate(wave)
    ]


def run(engine: CalibrationEngine, chains: list[chain_pb2.OptionChain]) -> list[bytes]:
    return [engine.on_chain(chain).SerializeToString(deterministic=True) for chain in chains]


def test_the_same_chains_give_the_same_surfaces() -> None:
    chains = days(5)
    assert run(CalibrationEngine(SETTINGS), chains) == run(CalibrationEngine(SETTINGS), chains)


def test_after_a_restore_all_goes_on_as_if_nothing_had_happened() -> None:
    chains = days(14)
    undisturbed = run(CalibrationEngine(SETTINGS), chains)
    engine = CalibrationEngine(SETTINGS)
    before = [surface_pb2.VolSurface.FromString(raw) for raw in run(engine, chains[:9])]
    restored = CalibrationEngine(SETTINGS)
    restored.restore([*(summary_of(surface) for surface in before[:-1]), before[-1]])
    assert run(restored, chains[9:]) == undisturbed[9:]


def test_heston_starts_from_the_last_fit_of_the_underlying() -> None:
    chains = days(2)
    warm, cold = CalibrationEngine(SETTINGS), CalibrationEngine(SETTINGS)
    warm.on_chain(chains[0])
    assert warm.on_chain(chains[1]).heston.iterations <= cold.on_chain(chains[1]).heston.iterations


def test_mean_reversion_is_fitted_once_there_are_points_enough() -> None:
    engine = CalibrationEngine(SETTINGS)
    surfaces = [engine.on_chain(chain) for chain in days(14)]
    assert list(surfaces[6].ou.reasons) == ["TOO_FEW_POINTS"]
    last = surfaces[-1].ou
    assert last.observations == 14
    assert last.status != surface_pb2.FIT_STATUS_FAILED
    assert np.exp(last.mean) == pytest.approx(0.2, abs=0.02)


def test_underlyings_do_not_share_their_memory() -> None:
    alone, mixed = CalibrationEngine(SETTINGS), CalibrationEngine(SETTINGS)
    first, second = days(2)
    alone.on_chain(first)
    mixed.on_chain(first)
    mixed.on_chain(smile_chain(underlying="ABC", snapshot_id="other"))
    assert mixed.on_chain(second) == alone.on_chain(second)


def test_the_observer_sees_every_step_with_its_figures() -> None:
    seen: dict[str, dict[str, float]] = {}

    @contextmanager
    def watch(name: str) -> Iterator[Note]:
        figures = seen.setdefault(name, {})
        yield figures.__setitem__

    CalibrationEngine(SETTINGS, watch).on_chain(smile_chain())
    steps = ("forward", "implied_vol", "essvi", "sabr", "svi", "heston", "checks", "ou")
    # The record is fitted beside those after eSSVI.
    assert [step for step in seen if step != "calibration.record"] == [f"calibration.{s}" for s in steps]
    assert seen["calibration.record"]["good"] == 4
    assert seen["calibration.sabr"]["good"] == 4


def test_the_surface_does_not_depend_on_the_number_of_threads() -> None:
    one, many = (SETTINGS.model_copy(update={"threads": threads}) for threads in (1, 4))
    assert run(CalibrationEngine(one), days(3)) == run(CalibrationEngine(many), days(3))


def test_a_step_beside_the_others_has_their_context_and_raises_what_it_must() -> None:
    here: ContextVar[str] = ContextVar("here", default="elsewhere")
    here.set("the fit")
    for threads in (1, 2):
        assert beside(here.get, threads)() == "the fit"
        with pytest.raises(ZeroDivisionError):
            beside(lambda: 1 // 0, threads)()
