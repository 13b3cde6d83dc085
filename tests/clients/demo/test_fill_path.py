from run_records import fill, span

from skewline.clients.demo.fill_path import path_of_fill
from skewline.v1 import order_service_pb2


def tagged(number: int, name: str, **attributes: str) -> order_service_pb2.Span:
    made = span(number, 0, name, "order")
    for key, value in attributes.items():
        made.attributes[f"skewline.{key}"] = value
    return made


def test_leaves_out_what_belongs_to_other_orders_and_fills() -> None:
    spans = [
        tagged(0, "marketdata.snapshot"),
        tagged(1, "broker.submit", order_id="order-1"),
        tagged(2, "order.fill", order_id="order-1", fill_id="fill-1"),
        tagged(3, "order.fill", order_id="order-1", fill_id="fill-1b"),
        tagged(4, "broker.submit", order_id="order-2"),
        tagged(5, "order.fill", order_id="order-2", fill_id="fill-2"),
    ]
    assert [s.span_id for s in path_of_fill(spans, fill(1))] == [s.span_id for s in spans[:3]]
