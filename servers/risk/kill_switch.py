"""The kill switch: whether trading is allowed, and the loss that stops it."""

from __future__ import annotations

from typing import Final

from skewline.v1 import risk_pb2

_BY_RISK: Final = "risk"


class KillSwitch:
    """Tripped by hand, or by a loss from the highest equity since the start or the last resumption."""

    def __init__(self, state: risk_pb2.RiskState | None, peak_equity: float) -> None:
        """`state` is None at the first start: trading is allowed."""
        self.state = state or risk_pb2.RiskState(
            state=risk_pb2.TRADING_STATE_ACTIVE, reason="first start", changed_by=_BY_RISK
        )
        self.peak_equity = peak_equity

    @property
    def is_tripped(self) -> bool:
        """Whether trading is halted."""
        return self.state.state == risk_pb2.TRADING_STATE_HALTED

    def watch(self, equity: float, max_drawdown: float, time_ns: int) -> None:
        """Trip when `equity` is more than `max_drawdown` below its peak."""
        self.peak_equity = max(self.peak_equity, equity)
        loss = self.peak_equity - equity
        if loss > max_drawdown and not self.is_tripped:
            reason = f"MAX_DRAWDOWN: {loss:,.2f} below the peak, more than {max_drawdown:,.2f}"
            self.halt(reason, _BY_RISK, time_ns)

    def halt(self, reason: str, by: str, time_ns: int) -> None:
        """Trip it."""
        self._turn(risk_pb2.TRADING_STATE_HALTED, reason, by, time_ns)

    def resume(self, reason: str, by: str, time_ns: int, equity: float) -> None:
        """Let trading go on; the loss counts from `equity`."""
        self.peak_equity = equity
        self._turn(risk_pb2.TRADING_STATE_ACTIVE, reason, by, time_ns)

    def _turn(self, to: risk_pb2.TradingState.ValueType, reason: str, by: str, time_ns: int) -> None:
        self.state = risk_pb2.RiskState(state=to, reason=reason, changed_by=by, time_ns=time_ns)
