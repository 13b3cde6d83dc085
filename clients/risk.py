"""RiskService: checks, portfolio, limits, the kill switch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skewline.clients import methods
from skewline.clients.questions import Ask, Call, Listing, Subscribe, fresh_request_id, names
from skewline.clients.values import Instant, ns_of
from skewline.v1 import risk_pb2
from skewline.v1 import risk_service_pb2 as rpc


def _get_portfolio() -> Call[rpc.GetPortfolioResponse, risk_pb2.PortfolioSnapshot]:
    """Greeks, value at risk and state of the portfolio now."""
    return Call("GetPortfolio", rpc.GetPortfolioRequest(), lambda r: r.portfolio)


def _list_portfolios(
    *, since: Instant = 0, until: Instant = 0, limit: int | None = None, page_size: int = 0
) -> Listing[rpc.ListPortfoliosResponse, risk_pb2.PortfolioSnapshot]:
    """Portfolio snapshots stored, newest first; data time from `since` on and before `until`."""
    request = rpc.ListPortfoliosRequest(
        from_ns=ns_of("since", since), to_ns=ns_of("until", until), page_size=page_size
    )
    return Listing("ListPortfolios", request, lambda r: r.portfolios, limit)


def _get_value_at_risk(
    confidence: Sequence[float] = (), *, horizon_days: float = 0.0
) -> Call[rpc.GetValueAtRiskResponse, Sequence[risk_pb2.ValueAtRisk]]:
    """Value at risk, one a confidence level; without any: 0.95 and 0.99 over one trading day."""
    request = rpc.GetValueAtRiskRequest(confidence=confidence, horizon_days=horizon_days)
    return Call("GetValueAtRisk", request, lambda r: r.value_at_risk)


def _list_decisions(
    *, signal_id: str = "", refused_only: bool = False, limit: int | None = None, page_size: int = 0
) -> Listing[rpc.ListDecisionsResponse, risk_pb2.RiskDecision]:
    """Decisions stored, newest first."""
    request = rpc.ListDecisionsRequest(signal_id=signal_id, refused_only=refused_only, page_size=page_size)
    return Listing("ListDecisions", request, lambda r: r.decisions, limit)


def _get_limits() -> Call[rpc.GetLimitsResponse, risk_pb2.RiskLimits]:
    """Limits in force."""
    return Call("GetLimits", rpc.GetLimitsRequest(), lambda r: r.limits)


def _set_limits(
    limits: risk_pb2.RiskLimits, *, changed_by: str, request_id: str = ""
) -> Call[rpc.SetLimitsResponse, risk_pb2.RiskLimits]:
    """Put `limits`, all of them, in force; returns them."""
    request = rpc.SetLimitsRequest(
        request_id=request_id or fresh_request_id(), limits=limits, changed_by=changed_by
    )
    return Call("SetLimits", request, lambda r: r.limits)


def _get_state() -> Call[rpc.GetStateResponse, risk_pb2.RiskState]:
    """State of the kill switch."""
    return Call("GetState", rpc.GetStateRequest(), lambda r: r.state)


def _halt_trading(
    reason: str, *, changed_by: str, request_id: str = ""
) -> Call[rpc.HaltTradingResponse, risk_pb2.RiskState]:
    """Trip the kill switch: every intent is refused, working orders are cancelled."""
    request = rpc.HaltTradingRequest(
        request_id=request_id or fresh_request_id(), reason=reason, changed_by=changed_by
    )
    return Call("HaltTrading", request, lambda r: r.state)


def _resume_trading(
    reason: str, *, changed_by: str, request_id: str = ""
) -> Call[rpc.ResumeTradingResponse, risk_pb2.RiskState]:
    """Let trading go on."""
    request = rpc.ResumeTradingRequest(
        request_id=request_id or fresh_request_id(), reason=reason, changed_by=changed_by
    )
    return Call("ResumeTrading", request, lambda r: r.state)


def _stream_portfolio(
    underlyings: Iterable[str] = (), *, resume_after: int = 0
) -> Subscribe[risk_pb2.PortfolioSnapshot | risk_pb2.RiskState]:
    """Live portfolio snapshots and changes of the kill switch; conflated when the caller is behind."""
    return Subscribe(
        "StreamPortfolio",
        rpc.StreamPortfolioRequest,
        (risk_pb2.PortfolioSnapshot, risk_pb2.RiskState),
        ("snapshot", "update", "state"),
        names(underlyings),
        resume_after,
    )


def _to_check(batch: rpc.CheckIntentsRequest) -> rpc.CheckIntentsRequest:
    if batch.request_id:
        return batch
    request = rpc.CheckIntentsRequest(request_id=fresh_request_id())
    request.MergeFrom(batch)
    return request


def _checked(response: rpc.CheckIntentsResponse) -> Sequence[risk_pb2.RiskDecision]:
    return response.decisions


_CHECK_INTENTS = Ask(
    "CheckIntents",
    "Batches of intents in, a decision for each intent out; a request_id is made where a batch has none.",
    _to_check,
    _checked,
)


class AsyncRiskService(methods.AsyncService):
    """RiskService for asyncio."""

    check_intents = methods.async_exchange(_CHECK_INTENTS)
    get_portfolio = methods.async_call(_get_portfolio)
    list_portfolios = methods.async_listing(_list_portfolios)
    get_value_at_risk = methods.async_call(_get_value_at_risk)
    list_decisions = methods.async_listing(_list_decisions)
    get_limits = methods.async_call(_get_limits)
    set_limits = methods.async_call(_set_limits)
    get_state = methods.async_call(_get_state)
    halt_trading = methods.async_call(_halt_trading)
    resume_trading = methods.async_call(_resume_trading)
    stream_portfolio = methods.async_subscription(_stream_portfolio)


class RiskService(methods.Service):
    """RiskService with blocking calls."""

    check_intents = methods.exchange(_CHECK_INTENTS)
    get_portfolio = methods.call(_get_portfolio)
    list_portfolios = methods.listing(_list_portfolios)
    get_value_at_risk = methods.call(_get_value_at_risk)
    list_decisions = methods.listing(_list_decisions)
    get_limits = methods.call(_get_limits)
    set_limits = methods.call(_set_limits)
    get_state = methods.call(_get_state)
    halt_trading = methods.call(_halt_trading)
    resume_trading = methods.call(_resume_trading)
    stream_portfolio = methods.subscription(_stream_portfolio)
