"""A fitted surface taken apart."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import Message

from skewline.v1 import surface_pb2


def every_message(surface: surface_pb2.VolSurface) -> Iterator[Message]:
    """The surface and all that it is made of whose numbers are promised to be finite."""
    yield surface
    yield from (surface.heston, surface.ou, *surface.checks, *surface.models)
    for each in surface.slices:
        yield from (each, each.sabr, each.record, each.essvi, each.svi, *each.checks)


def checks_of(checks: object, model: surface_pb2.VolModel.ValueType) -> dict[str, surface_pb2.FitCheck]:
    """Checks of one model by name."""
    return {each.name: each for each in checks if each.model == model}  # type: ignore[attr-defined]
