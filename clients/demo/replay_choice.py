"""What to replay, as the command line says it, checked before anything is started."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

_FOLDERS: Final = ("cboe", "lean")
_PATHS: Final = ("csv", "parquet")
_FORMS: Final = "sample, cboe:FOLDER, lean:FOLDER, csv:PATH or parquet:PATH"
_MOST_SEED: Final = 2**64 - 1
_MOST_COUNT: Final = 2**32 - 1


class ChoiceError(ValueError):
    """An option that cannot be used; the message is one line that names the option and the fix."""


@dataclass(frozen=True, slots=True)
class ReplayChoice:
    """A replay, as StartReplayRequest takes it."""

    source: str
    symbols: tuple[str, ...]
    from_date: str
    to_date: str
    speed: float
    seed: int
    steps: int
    limit: int


def choose_replay(
    source: str,
    *,
    symbols: Sequence[str] = (),
    on: str = "",
    first: str = "",
    last: str = "",
    speed: float = 0.0,
    seed: int = 0,
    steps: int = 0,
    limit: int = 0,
) -> ReplayChoice:
    """The replay that the options ask for; folders become absolute. Raises ChoiceError."""
    if on and (first or last):
        raise ChoiceError("--date: is one day; leave it out where --from or --to is given")
    days = {"--from": _day("--date", on) if on else _day("--from", first)}
    days["--to"] = days["--from"] if on else _day("--to", last)
    if days["--from"] and days["--to"] and days["--from"] > days["--to"]:
        raise ChoiceError(f"--from: {first} is after --to {last}; exchange them")
    if not (math.isfinite(speed) and speed >= 0):
        raise ChoiceError(f"--speed: must be 0 (as fast as can be) or data seconds a second, not {speed}")
    _within("--seed", seed, _MOST_SEED)
    _within("--steps", steps, _MOST_COUNT)
    _within("--limit", limit, _MOST_COUNT)
    if "" in symbols:
        raise ChoiceError("--symbol: must name an underlying such as SPX, not be empty")
    return ReplayChoice(
        _source(source), tuple(symbols), days["--from"], days["--to"], speed, seed, steps, limit
    )


def _source(text: str) -> str:
    form, colon, place = text.partition(":")
    if text == "sample":
        return text
    if form not in (*_FOLDERS, *_PATHS) or not colon or not place:
        raise ChoiceError(f"--source: {text!r} names no source; write {_FORMS}")
    folder = Path(place).expanduser().absolute()
    if not (folder.is_dir() or (form in _PATHS and folder.is_file())):
        what = "is a file" if folder.exists() else "does not exist"
        raise ChoiceError(f"--source: {folder} {what}; name the folder that holds the {form} data")
    return f"{form}:{folder}"


def _day(option: str, text: str) -> str:
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ChoiceError(f"{option}: must be a day, YYYY-MM-DD, not {text!r}") from None


def _within(option: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise ChoiceError(f"{option}: must be a whole number from 0 to {most}, not {value}")
