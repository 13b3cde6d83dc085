"""What an intent must be before it can be valued at all."""

from __future__ import annotations

from typing import Final

from skewline.servers.runtime.errors import InvalidArgument
from skewline.servers.runtime.validation import Validation
from skewline.v1 import common_pb2, risk_pb2, risk_service_pb2

NAME: Final = "VALID_INTENT"
MOST_INTENTS: Final = 1000
_MOST_LEGS: Final = 64
_LONGEST_ID: Final = 128


def validate_request(request: risk_service_pb2.CheckIntentsRequest) -> None:
    """What the batch needs as a whole. Raises InvalidArgument; a bad intent alone is refused as data."""
    v = Validation()
    if v.required("request_id", request.request_id):
        v.max_length("request_id", request.request_id, _LONGEST_ID)
    v.max_length("intents", request.intents, MOST_INTENTS)
    v.time_ns("time_ns", request.time_ns)
    first: dict[str, int] = {}
    for index, intent in enumerate(request.intents):
        inner = v.within("intents", index)
        if inner.required("intent_id", intent.intent_id):
            other = first.setdefault(intent.intent_id, index)
            inner.check(other == index, "intent_id", f"is also that of intents[{other}]; give each its own")
    v.raise_if_any()


def invalid(intent: risk_pb2.OrderIntent) -> risk_pb2.RiskCheck | None:
    """The failed check of an intent that cannot be valued; None for one that can."""
    v = Validation()
    v.required("underlying", intent.underlying)
    v.required("legs", intent.legs)
    v.max_length("legs", intent.legs, _MOST_LEGS)
    first: dict[str, int] = {}
    for index, leg in enumerate(intent.legs):
        inner = v.within("legs", index)
        inner.required("instrument_id", leg.instrument_id)
        other = first.setdefault(leg.instrument_id, index)
        inner.check(other == index, "instrument_id", f"is also that of legs[{other}]; make them one leg")
        inner.enum("side", leg.side, common_pb2.Side)
        inner.check(leg.ratio >= 1, "ratio", "must be at least 1")
    v.decimal("limit_price", intent.limit_price)
    v.positive_decimal("multiplier", intent.multiplier)
    if v.non_negative_decimal("quantity", intent.quantity):
        v.check(intent.quantity.nanos == 0, "quantity", "must be whole units, or zero to have risk size it")
    for name in ("edge", "edge_stdev", "confidence"):
        v.finite(name, getattr(intent, name))
    try:
        v.raise_if_any()
    except InvalidArgument as wrong:
        count = float(len(wrong.violations))
        return risk_pb2.RiskCheck(
            name=NAME, passed=False, limit=0.0, value=count, unit="fields", message=str(wrong)
        )
    return None


def valid() -> risk_pb2.RiskCheck:
    """The passed check."""
    return risk_pb2.RiskCheck(name=NAME, passed=True, limit=0.0, value=0.0, unit="fields")
