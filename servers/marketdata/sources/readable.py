"""Whatever is wrong with a file, the source says which."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa

from skewline.servers.marketdata.sources.source import SnapshotRef, Source, SourceError
from skewline.v1 import chain_pb2

_OF_THE_DATA: Final = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    pa.ArrowException,
)


class ReadableSource:
    """`source`, whose every failure over its data is a SourceError that names what could not be read."""

    def __init__(self, source: Source, spec: str) -> None:
        self._source = source
        self._spec = spec

    def plan(self) -> list[SnapshotRef]:
        """As the source's."""
        with _named(self._spec):
            return self._source.plan()

    def load(self, ref: SnapshotRef) -> chain_pb2.OptionChain:
        """As the source's."""
        with _named(f"{self._spec}, {ref.key}"):
            return self._source.load(ref)


@contextmanager
def _named(what: str) -> Iterator[None]:
    try:
        yield
    except _OF_THE_DATA as error:
        said = f"{type(error).__name__}: {error}"
        raise SourceError(f"{what} cannot be read ({said}): correct the file, or take it away") from error
