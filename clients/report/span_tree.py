"""The tree of a trace, written out as rows."""

from __future__ import annotations

from collections.abc import Sequence

from skewline.v1 import order_service_pb2


def depth_first(spans: Sequence[order_service_pb2.Span]) -> list[tuple[int, order_service_pb2.Span]]:
    """Each span with its depth, parents before their children, siblings by start.

    A span whose parent is not among `spans` counts as a root, so none is lost.
    """
    known = {span.span_id for span in spans}
    children: dict[str, list[order_service_pb2.Span]] = {}
    for span in sorted(spans, key=lambda s: (s.start_ns, s.span_id)):
        parent = span.parent_span_id if span.parent_span_id in known else ""
        children.setdefault(parent, []).append(span)
    rows: list[tuple[int, order_service_pb2.Span]] = []
    pending = [(0, root) for root in reversed(children.get("", []))]
    while pending:
        depth, span = pending.pop()
        rows.append((depth, span))
        pending.extend((depth + 1, child) for child in reversed(children.get(span.span_id, [])))
    return rows
