from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError

from skewline.storage.calibration import repository
from skewline.storage.calibration.repository import SurfaceQuery
from skewline.storage.database import Database
from skewline.v1 import surface_pb2

GOOD, FAILED = surface_pb2.FIT_STATUS_GOOD, surface_pb2.FIT_STATUS_FAILED


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database.open(database_url, "calibration") as opened:
        yield opened


def surface(
    number: int,
    *,
    underlying: str = "SPX",
    vol: float = 0.2,
    heston: surface_pb2.FitStatus.ValueType = GOOD,
    status: surface_pb2.FitStatus.ValueType = GOOD,
) -> surface_pb2.VolSurface:
    return surface_pb2.VolSurface(
        surface_id=f"surface-{number}",
        snapshot_id=f"snapshot-{number}",
        underlying=underlying,
        time_ns=number,
        atm_vol_30d=vol,
        status=status,
        slices=[
            surface_pb2.VolSlice(
                root="SPX", forward=0.1 + 0.2, reasons=["R"], strike=[1.0], bid_iv=[float("nan")]
            )
        ],
        heston=surface_pb2.HestonFit(v0=0.1, status=heston),
    )


def test_a_surface_comes_back_bit_for_bit_by_id_snapshot_and_time(database: Database) -> None:
    with database.begin() as connection:
        for number in (1, 2, 3):
            repository.add(connection, surface(number))
    with database.read() as connection:
        found = repository.surface(connection, "surface-2")
        assert found is not None
        assert found.SerializeToString(deterministic=True) == surface(2).SerializeToString(deterministic=True)
        assert repository.id_of_snapshot(connection, "snapshot-3") == "surface-3"
        assert repository.newest_id(connection, "SPX") == "surface-3"
        assert repository.newest_id(connection, "SPX", 2) == "surface-2"
        assert repository.newest_id(connection, "NDX") == ""
        assert repository.surface(connection, "none") is None


def test_a_snapshot_has_one_surface(database: Database) -> None:
    with database.begin() as connection:
        repository.add(connection, surface(1))
    with pytest.raises(IntegrityError), database.begin() as connection:
        repository.add(connection, surface(1))


def test_summaries_are_paged_newest_first_without_columns(database: Database) -> None:
    with database.begin() as connection:
        for number in range(1, 6):
            repository.add(connection, surface(number, underlying="SPX" if number % 2 else "NDX"))
    with database.read() as connection:
        page = repository.summaries(connection, SurfaceQuery(), None, 2)
        assert [each.surface_id for each in page] == ["surface-5", "surface-4"]
        rest = repository.summaries(connection, SurfaceQuery(), (4, "surface-4"), 9)
        assert [each.surface_id for each in rest] == ["surface-3", "surface-2", "surface-1"]
        assert not page[0].slices[0].strike
        assert list(page[0].slices[0].reasons) == ["R"]
        wanted = repository.summaries(connection, SurfaceQuery("SPX", from_ns=2, to_ns=5), None, 9)
        assert [each.surface_id for each in wanted] == ["surface-3"]


def test_what_the_engine_remembers_is_the_newest_levels_and_the_last_fits(database: Database) -> None:
    with database.begin() as connection:
        repository.add(connection, surface(1))
        repository.add(connection, surface(2, heston=FAILED))
        for number in (3, 4, 5):
            repository.add(connection, surface(number, heston=FAILED, status=FAILED))
        repository.add(connection, surface(6, vol=0.0, heston=FAILED, status=FAILED))
        repository.add(connection, surface(7, underlying="NDX"))
    with database.read() as connection:
        found = repository.remembered(connection, 2)
    assert [each.surface_id for each in found] == [f"surface-{number}" for number in (1, 2, 4, 5, 7)]
    # Only the newest good one of each underlying comes with its columns.
    whole = [each.surface_id for each in found if each.slices[0].strike]
    assert whole == ["surface-2", "surface-7"]


def test_what_others_stored_since_ends_with_the_newest_good_one_whole(database: Database) -> None:
    with database.begin() as connection:
        for number in (1, 2, 3):
            repository.add(connection, surface(number))
        repository.add(connection, surface(4, status=FAILED))
    with database.read() as connection:
        found = repository.stored_after(connection, 1)
        nothing = repository.stored_after(connection, 4)
    assert [(number, len(each.slices[0].strike)) for number, each in found] == [(2, 0), (3, 1), (4, 0)]
    assert nothing == []


def test_as_of_an_instant_is_up_to_it_and_a_range_begins_at_its_first(database: Database) -> None:
    with database.begin() as connection:
        for number in (2, 4):
            repository.add(connection, surface(number))
    with database.read() as connection:
        for as_of_ns, name in (
            (1, ""),
            (2, "surface-2"),
            (3, "surface-2"),
            (4, "surface-4"),
            (9, "surface-4"),
        ):
            assert repository.newest_id(connection, "SPX", as_of_ns) == name
        for from_ns, to_ns, names in (
            (2, 4, ["surface-2"]),
            (2, 5, ["surface-4", "surface-2"]),
            (3, 4, []),
            (4, 0, ["surface-4"]),
            (0, 2, []),
        ):
            found = repository.summaries(connection, SurfaceQuery("SPX", from_ns, to_ns), None, 9)
            assert [each.surface_id for each in found] == names
