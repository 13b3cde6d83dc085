"""The spans of a trace as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from skewline.clients.cli.wording import time_text

if TYPE_CHECKING:
    from skewline.v1 import order_service_pb2


def span_tree(response: order_service_pb2.GetTraceResponse, verbose: bool) -> Tree:
    """Children under their parents, by start; a span whose parent is unknown stands at the top."""
    spans = sorted(response.spans, key=lambda span: (span.start_ns, span.span_id))
    begin = spans[0].start_ns if spans else 0
    processes = len({(span.service, span.process_id) for span in spans})
    head = f"trace {response.trace_id}: {len(spans)} spans in {processes} processes"
    root = Tree(Text(f"{head}, from {time_text(begin)}", style="bold"))
    known = {span.span_id for span in spans}
    branches = {"": root}
    waiting = [(span, span.parent_span_id if span.parent_span_id in known else "") for span in spans]
    # A parent may start later than its child by another process's clock: go on until all are placed.
    while waiting:
        placed = [(span, parent) for span, parent in waiting if parent in branches]
        for span, parent in placed or [(waiting[0][0], "")]:
            branches[span.span_id] = branches[parent].add(_line(span, begin, verbose))
        waiting = [(span, parent) for span, parent in waiting if span.span_id not in branches]
    return root


def _line(span: order_service_pb2.Span, begin_ns: int, verbose: bool) -> Text:
    line = Text(span.name, style="red" if span.status.startswith("ERROR") else "cyan")
    line.append(f"  {(span.end_ns - span.start_ns) / 1e6:.2f} ms", "default")
    line.append(f"  +{(span.start_ns - begin_ns) / 1e6:.2f} ms  {span.service} [{span.process_id}]", "dim")
    if span.status not in ("", "OK"):
        line.append(f"  {span.status}", "red")
    if verbose:
        for name in sorted(span.attributes):
            line.append(f"\n  {name} = {span.attributes[name]}", "dim")
    return line
