"""Whether a chain can be fitted at all: its columns must belong together."""

from __future__ import annotations

import math

import numpy as np

from skewline.servers.runtime.validation import Validation
from skewline.v1 import chain_pb2

_COLUMNS = ("strike", "is_call", "bid", "ask")
_OPTIONAL = ("bid_size", "ask_size", "open_interest", "symbol")


def check_chain(validation: Validation, chain: chain_pb2.OptionChain) -> None:
    """Record what is wrong with `chain`; bad quotes are no fault of it, the fit sets them aside."""
    validation.required("underlying", chain.underlying)
    validation.time_ns("time_ns", chain.time_ns)
    columns = {"expiry_index": chain.expiry_index} | {name: getattr(chain, name) for name in _COLUMNS}
    columns |= {name: column for name in _OPTIONAL if len(column := getattr(chain, name))}
    validation.equal_length(columns)
    instants = np.array([each.expiry_ns for each in chain.expiries], dtype=np.int64)
    fallen = np.flatnonzero(instants[1:] < instants[:-1]) + 1
    if fallen.size:
        # Forwards, levels and calendars are read off along the expiries.
        fix = f"must not be before that of expiries[{fallen[0] - 1}]; send the expiries ascending"
        validation.check(False, f"expiries[{fallen[0]}].expiry_ns", fix)
    for at, each in enumerate(chain.expiries):
        stated = not each.on_future or 0.0 < each.forward < math.inf
        validation.check(stated, f"expiries[{at}].forward", "must be the price of the future it delivers")
    index = np.asarray(chain.expiry_index, dtype=np.int64)
    if index.size:
        highest = int(index.max())
        validation.check(
            highest < len(chain.expiries),
            "expiry_index",
            f"points to expiry {highest}, but there are {len(chain.expiries)}; send every expiry",
        )
