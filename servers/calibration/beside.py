"""A step of a fit that runs beside the others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

T = TypeVar("T")

# Started when first used; fits that run at once share it, and take turns beyond that.
_SPARE: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="skewline-fit")


def beside(work: Callable[[], T], threads: int) -> Callable[[], T]:
    """Begin `work` where there is more than one of `threads`; what is returned waits for its result.

    It has the caller's context: its span is the parent of its spans. With one thread it is done when asked
    for. What it raises is raised there.
    """
    if threads < 2:
        return work
    return _SPARE.submit(copy_context().run, work).result
