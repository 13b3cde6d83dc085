"""The order states as a table for the documentation: `python -m skewline.servers.order.state_table`."""

from __future__ import annotations

from skewline.servers.order.state_machine import FINAL, TRANSITIONS, Status, event_name, status_name


def markdown() -> str:
    """A row a legal step, in the order in which an order lives; final states are marked."""
    lines = ["| state | event | state after |", "|---|---|---|"]
    lines += [
        f"| {status_name(before)} | {event_name(event)} | {_after(later)} |"
        for (before, event), later in TRANSITIONS.items()
    ]
    return "\n".join(lines)


def _after(status: Status) -> str:
    return f"{status_name(status)} (final)" if status in FINAL else status_name(status)


if __name__ == "__main__":
    print(markdown())
