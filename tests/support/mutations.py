"""Payloads that are nearly right: a valid one of which a member is gone, or is something else."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Final

from hypothesis import strategies as st

Path = tuple[str | int, ...]
_GONE: Final = object()

rubbish: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=30),
    st.sampled_from(["2026-07-29T16:00:00Z", "9999-99-99", "NaN", "", "0", "-1", "1e400"]),
    st.binary(max_size=8).map(lambda some: some.decode("latin-1")),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=5)), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
"""What JSON can say in place of what was expected."""


@st.composite
def mutated(draw: st.DrawFn, payload: Any, *, most: int = 3) -> Any:
    """`payload` with one to `most` members replaced, repeated or taken away."""
    changed = copy.deepcopy(payload)
    for _ in range(draw(st.integers(1, most))):
        places = list(_places(changed))
        if not places:
            break
        path = draw(st.sampled_from(places))
        _put(changed, path, draw(st.one_of(st.just(_GONE), rubbish)))
    return changed


def _places(value: Any, above: Path = ()) -> Iterator[Path]:
    inner: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for name, each in inner:
        yield (*above, name)
        yield from _places(each, (*above, name))


def _put(value: Any, path: Path, new: Any) -> None:
    for name in path[:-1]:
        value = value[name]
    if new is _GONE:
        del value[path[-1]]
    else:
        value[path[-1]] = new
