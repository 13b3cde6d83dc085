"""A signal explained, a line a step."""

from __future__ import annotations

from collections.abc import Sequence

from skewline.v1 import common_pb2, signal_pb2

_STRATEGY = "STRATEGY_"
_SHOWN = {"vol": ".2%", "probability": ".1%", "count": ".0f", "sd": "+.2f", "years": ".4f"}


def lines_of(signal: signal_pb2.Signal, components: Sequence[signal_pb2.Signal]) -> list[str]:
    """What it trades, why, what it saw, what is in it for whom, and what it combines."""
    lines = [f"{_name(signal)} on {signal.underlying}: {signal.explanation}"]
    for leg in signal.legs:
        word, price = ("buy", leg.ask) if leg.side == common_pb2.SIDE_BUY else ("sell", leg.bid)
        lines.append(
            f"{word} {leg.ratio} × {leg.instrument_id} at {price:g} (bid {leg.bid:g}, ask {leg.ask:g}, "
            f"worth {leg.model_price:.2f})"
        )
    lines += [f"{seen.name} = {_shown(seen)}" for seen in signal.evidence]
    lines.append(
        f"edge {signal.edge:.2f} after crossing the spread ({signal.edge_vol:.2%} of vol), standard "
        f"deviation of the outcome {signal.edge_stdev:.2f}, confidence {signal.confidence:.1%}, "
        f"over {signal.horizon_ns / 86_400e9:.1f} days"
    )
    lines += [
        f"combines {_name(each)} ({each.signal_id}), confidence {each.confidence:.1%}, edge {each.edge:.2f}"
        for each in components
    ]
    return lines


def _name(signal: signal_pb2.Signal) -> str:
    return signal_pb2.Strategy.Name(signal.strategy).removeprefix(_STRATEGY).replace("_", " ").lower()


def _shown(seen: signal_pb2.Evidence) -> str:
    text = format(seen.value, _SHOWN.get(seen.unit, ".2f"))
    return text if seen.unit in ("vol", "probability") else f"{text} {seen.unit}"
