import random
from dataclasses import replace

from run_records import fill, order, order_event, run_record, signal

from skewline.clients.demo.digest import decision_digest, record_digest


def test_is_the_same_however_the_messages_were_fetched() -> None:
    signals = [signal(n) for n in range(6)]
    orders = [order(n) for n in range(6)]
    events = [order_event(n, k) for n in range(6) for k in (1, 2, 3)]
    fills = [fill(n) for n in range(6)]
    expected = decision_digest(signals, orders, events, fills)
    for shuffled in (signals, orders, events, fills):
        random.Random(7).shuffle(shuffled)
    assert decision_digest(signals, orders, events, fills) == expected


def test_leaves_trace_ids_out_and_the_messages_alone() -> None:
    record = run_record()
    other = signal(0)
    other.trace_id = "f" * 32
    retraced = replace(record, signals=(other, *record.signals[1:]))
    assert record_digest(retraced) == record_digest(record)
    assert other.trace_id == "f" * 32


def test_every_number_id_and_time_counts() -> None:
    record = run_record()
    seen = {record_digest(record)}
    changed_signal, changed_order, changed_event, changed_fill = (
        signal(0),
        order(0),
        order_event(0, 1),
        fill(0),
    )
    changed_signal.edge = 12.500000000000002
    changed_order.average_price.nanos = 1
    changed_event.time_ns += 1
    changed_fill.fill_id = "another"
    for variant in (
        replace(record, signals=(changed_signal, *record.signals[1:])),
        replace(record, orders=(changed_order, *record.orders[1:])),
        replace(record, order_events=(changed_event, *record.order_events[1:])),
        replace(record, fills=(changed_fill, *record.fills[1:])),
        replace(record, fills=record.fills[1:]),
    ):
        seen.add(record_digest(variant))
    assert len(seen) == 6


def test_of_nothing_differs_from_that_of_something() -> None:
    assert decision_digest([], [], [], []) != decision_digest([signal(0)], [], [], [])
