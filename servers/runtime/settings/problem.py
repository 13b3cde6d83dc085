"""What is wrong with the settings, said so that it can be put right."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One setting that cannot be used: where it is, where it came from, why."""

    field: str
    source: str
    value: str | None
    reason: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value}"
        return f"{self.field}{shown} ({self.source}): {self.reason}"


class SettingsError(Exception):
    """The settings cannot be used; `problems` says each thing that is wrong."""

    def __init__(self, problems: Iterable[SettingProblem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"the settings cannot be used:\n{lines}")


def unknown(field: str, source: str, candidates: Iterable[str]) -> SettingProblem:
    """The problem of a name that no setting has, with the closest that one has."""
    close = difflib.get_close_matches(field, list(candidates), n=1, cutoff=0.4)
    hint = f"; did you mean {close[0]}?" if close else "; `skewline config` lists all"
    return SettingProblem(field, source, None, f"no such setting{hint}")
