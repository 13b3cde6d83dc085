"""Files of Cboe's delayed quotes, as the venue makes them of a chain."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from skewline.servers.runtime.instruments import contract_ids
from skewline.v1 import chain_pb2

_DELAY_S = 900


def delayed_file(chain: chain_pb2.OptionChain, *, symbol: str = "", **changed: Any) -> bytes:
    """The file that shows `chain`; `changed` replaces members at its top, or in its `data`."""
    made = datetime.fromtimestamp(chain.time_ns // 10**9, tz=UTC) + timedelta(seconds=_DELAY_S)
    columns = {
        "bid": chain.bid,
        "ask": chain.ask,
        "bid_size": chain.bid_size or [10.0] * len(chain.strike),
        "ask_size": chain.ask_size or [10.0] * len(chain.strike),
        "iv": chain.vendor_iv or [0.0] * len(chain.strike),
        "volume": chain.volume or [0.0] * len(chain.strike),
        "open_interest": chain.open_interest or [100.0] * len(chain.strike),
    }
    rows = [
        {"option": name.replace(" ", ""), **{field: values[place] for field, values in columns.items()}}
        for place, name in enumerate(contract_ids(chain))
    ]
    named = symbol or chain.underlying
    data = {"options": rows, "symbol": named, "current_price": chain.spot, "last_trade_time": None}
    top: dict[str, Any] = {"timestamp": f"{made:%Y-%m-%d %H:%M:%S}", "data": data, "symbol": named}
    for name, value in changed.items():
        (top if name in top else data)[name] = value
    return json.dumps(top).encode()
