"""Finds the source that a text such as "cboe:FOLDER" names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Final

from skewline.servers.marketdata.sample.fetch import fetch_sample
from skewline.servers.marketdata.sources.cboe import DEFAULT_TIME, CboeSource
from skewline.servers.marketdata.sources.lean import LeanSource
from skewline.servers.marketdata.sources.parquet import ParquetSource
from skewline.servers.marketdata.sources.readable import ReadableSource
from skewline.servers.marketdata.sources.simulated import DEFAULT_STEPS, SimulatedSource
from skewline.servers.marketdata.sources.source import Selection, Source, SourceError
from skewline.servers.marketdata.sources.tabular.column_map import map_beside
from skewline.servers.marketdata.sources.tabular.source import TabularSource

FORMS: Final = (
    '"sample" (real chains, fetched once), "cboe:FOLDER" (daily CSV chains), "lean:FOLDER" (LEAN zips),'
    ' "parquet:FOLDER" (chains written by Skewline), "csv:PATH" or "parquet:PATH" (quotes in tables of any'
    " columns, which headers or a columns.toml beside them tell)"
)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a source may need besides its folder. `steps` is 0 for the source's default."""

    sample_folder: Path
    selection: Selection = field(default_factory=Selection)
    cboe_time: time = DEFAULT_TIME
    seed: int = 0
    steps: int = 0


def open_source(spec: str, options: SourceOptions) -> Source:
    """The source that `spec` names. Raises SourceError that lists the forms, or says what is missing."""
    form, _, place = spec.partition(":")
    opener = _OPENERS.get(form)
    if opener is None or (place == "") != (form == "sample"):
        raise SourceError(f"{spec!r} names no source: write {FORMS}")
    return ReadableSource(opener(Path(place).expanduser(), options), spec)


def _sample(_place: Path, options: SourceOptions) -> Source:
    fetch_sample(options.sample_folder)
    return _evolved(ParquetSource(options.sample_folder, options.selection), options, DEFAULT_STEPS)


def _cboe(place: Path, options: SourceOptions) -> Source:
    return _evolved(CboeSource(place, options.selection, options.cboe_time), options, 0)


def _lean(place: Path, options: SourceOptions) -> Source:
    return _evolved(LeanSource(place, options.selection), options, 0)


def _parquet(place: Path, options: SourceOptions) -> Source:
    ours = place.is_dir() and map_beside(place) is None and any(place.glob("chains*.parquet"))
    if ours or not place.exists():
        return _evolved(ParquetSource(place, options.selection), options, 0)
    return _evolved(TabularSource("parquet", place, options.selection), options, 0)


def _csv(place: Path, options: SourceOptions) -> Source:
    return _evolved(TabularSource("csv", place, options.selection), options, 0)


def _evolved(source: Source, options: SourceOptions, default_steps: int) -> Source:
    steps = options.steps or default_steps
    return SimulatedSource(source, steps=steps, seed=options.seed) if steps else source


_OPENERS: Final[dict[str, Callable[[Path, SourceOptions], Source]]] = {
    "sample": _sample,
    "cboe": _cboe,
    "csv": _csv,
    "lean": _lean,
    "parquet": _parquet,
}
