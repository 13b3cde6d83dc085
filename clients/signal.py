"""SignalService: what is mispriced."""

from __future__ import annotations

from collections.abc import Iterable

from skewline.clients import methods
from skewline.clients.questions import Call, Listing, Subscribe, names
from skewline.clients.values import Instant, ns_of
from skewline.v1 import signal_pb2
from skewline.v1 import signal_service_pb2 as rpc


def _get_signal(signal_id: str) -> Call[rpc.GetSignalResponse, signal_pb2.Signal]:
    """One signal."""
    return Call("GetSignal", rpc.GetSignalRequest(signal_id=signal_id), lambda r: r.signal)


def _list_signals(
    *,
    underlying: str = "",
    strategy: signal_pb2.Strategy.ValueType = signal_pb2.STRATEGY_UNSPECIFIED,
    min_confidence: float = 0.0,
    since: Instant = 0,
    until: Instant = 0,
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListSignalsResponse, signal_pb2.Signal]:
    """Signals stored, newest first; data time from `since` on and before `until`."""
    request = rpc.ListSignalsRequest(
        underlying=underlying,
        strategy=strategy,
        min_confidence=min_confidence,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        page_size=page_size,
    )
    return Listing("ListSignals", request, lambda r: r.signals, limit)


def _explain_signal(signal_id: str) -> Call[rpc.ExplainSignalResponse, rpc.ExplainSignalResponse]:
    """One signal with what it rests on: its components and what it saw, in words."""
    return Call("ExplainSignal", rpc.ExplainSignalRequest(signal_id=signal_id), lambda r: r)


def _stream_signals(
    underlyings: Iterable[str] = (), *, resume_after: int = 0
) -> Subscribe[signal_pb2.SignalSet]:
    """Live signal sets, none skipped."""
    return Subscribe(
        "StreamSignals",
        rpc.StreamSignalsRequest,
        signal_pb2.SignalSet,
        ("snapshot", "update"),
        names(underlyings),
        resume_after,
    )


class AsyncSignalService(methods.AsyncService):
    """SignalService for asyncio."""

    get_signal = methods.async_call(_get_signal)
    list_signals = methods.async_listing(_list_signals)
    explain_signal = methods.async_call(_explain_signal)
    stream_signals = methods.async_subscription(_stream_signals)


class SignalService(methods.Service):
    """SignalService with blocking calls."""

    get_signal = methods.call(_get_signal)
    list_signals = methods.listing(_list_signals)
    explain_signal = methods.call(_explain_signal)
    stream_signals = methods.subscription(_stream_signals)
