from pathlib import Path

import pytest

from skewline.clients.demo.replay_choice import ChoiceError, choose_replay


def test_one_day_is_from_and_to() -> None:
    choice = choose_replay("sample", on="2019-04-25")
    assert (choice.from_date, choice.to_date) == ("2019-04-25", "2019-04-25")


def test_folders_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chains").mkdir()
    monkeypatch.chdir(tmp_path)
    assert choose_replay("cboe:chains").source == f"cboe:{tmp_path / 'chains'}"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"source": "yahoo"}, "--source: 'yahoo' names no source; write sample, cboe:FOLDER"),
        ({"source": "cboe:"}, "--source: 'cboe:' names no source"),
        ({"source": "sample:x"}, "--source: 'sample:x' names no source"),
        ({"source": "lean:/no/such/folder"}, "--source: /no/such/folder does not exist; name the folder"),
        ({"on": "24.12.2015"}, "--date: must be a day, YYYY-MM-DD, not '24.12.2015'"),
        ({"first": "2019-02-30"}, "--from: must be a day"),
        ({"last": "x"}, "--to: must be a day"),
        ({"on": "2019-04-25", "first": "2019-04-25"}, "--date: is one day; leave it out"),
        ({"first": "2019-05-01", "last": "2019-04-01"}, "--from: 2019-05-01 is after --to 2019-04-01"),
        ({"speed": -1.0}, "--speed: must be 0"),
        ({"speed": float("nan")}, "--speed: must be 0"),
        ({"seed": -1}, "--seed: must be a whole number from 0"),
        ({"seed": 2**64}, "--seed: must be a whole number from 0"),
        ({"steps": -1}, "--steps: must be"),
        ({"limit": 2**32}, "--limit: must be"),
        ({"symbols": [""]}, "--symbol: must name an underlying"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_fix_in_one_line(options: dict[str, object], says: str) -> None:
    with pytest.raises(ChoiceError) as caught:
        choose_replay(**({"source": "sample"} | options))  # type: ignore[arg-type]
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "chain.csv"
    file.touch()
    with pytest.raises(ChoiceError, match="is a file"):
        choose_replay(f"cboe:{file}")
