from __future__ import annotations

import itertools

import pytest

from skewline.servers.order import state_machine as states
from skewline.servers.order.state_table import markdown
from skewline.v1 import order_pb2

STATUSES = list(order_pb2.OrderStatus.values())
EVENTS = [event for event in order_pb2.OrderEventType.values() if event]


@pytest.mark.parametrize(("status", "event"), list(itertools.product(STATUSES, EVENTS)))
def test_every_state_and_event_is_legal_or_a_typed_error(
    status: states.Status, event: states.EventType
) -> None:
    if (status, event) in states.TRANSITIONS:
        assert states.after(status, event) == states.TRANSITIONS[status, event]
    else:
        with pytest.raises(states.IllegalTransition, match=states.event_name(event)) as refused:
            states.after(status, event)
        assert (refused.value.status, refused.value.event) == (status, event)


def test_final_states_are_never_left() -> None:
    assert not [status for status, _ in states.TRANSITIONS if status in states.FINAL]


def test_every_state_is_reached_and_every_other_one_is_left() -> None:
    reached = set(states.TRANSITIONS.values()) | {states.NEW}
    assert reached == set(STATUSES)
    left = {status for status, _ in states.TRANSITIONS}
    assert left == set(STATUSES) - states.FINAL


def test_every_event_can_happen() -> None:
    assert {event for _, event in states.TRANSITIONS} == set(EVENTS)


def test_the_table_for_the_documentation_has_a_row_a_step() -> None:
    lines = markdown().splitlines()
    assert len(lines) == len(states.TRANSITIONS) + 2
    assert "| WORKING | FILL | FILLED (final) |" in lines
