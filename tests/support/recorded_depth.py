"""The recorded minutes of Binance's BTCUSDT: depth updates, the snapshot among them, best bid and ask."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """Messages in the order in which they came, and the decimals of the instrument."""

    snapshot: Message
    updates: list[Message]
    tops: list[Message]
    price_decimals: int
    quantity_decimals: int

    @property
    def after(self) -> list[Message]:
        """Updates that are not in the snapshot."""
        return [update for update in self.updates if update["u"] > self.snapshot["lastUpdateId"]]


def covers(update: Message) -> tuple[int, int]:
    """(after, final) of an update: perpetuals name the id before it, spot's ids have no holes."""
    return update.get("pu", update["U"] - 1), update["u"]


def recording(market_data: Path, market: str) -> Recording:
    """`market` is "spot" or "usdm", the perpetual."""
    snapshot: Message = {}
    updates, tops = [], []
    with gzip.open(market_data / "order-book" / f"{market}_btcusdt_20240808.gz", "rt") as lines:
        for line in lines:
            message = json.loads(line.partition(" ")[2])
            stream = message.get("stream", "")
            if "@depth" in stream:
                updates.append(message["data"])
            elif "@bookTicker" in stream:
                tops.append(message["data"])
            elif not stream:
                snapshot = message
    # Spot quantities go to the coin's smallest part, beyond the step that orders keep to.
    return Recording(snapshot, updates, tops, *((2, 8) if market == "spot" else (1, 3)))
