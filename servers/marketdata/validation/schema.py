"""Whether a chain message holds together at all: what the columnar form requires."""

from __future__ import annotations

from typing import Final

import numpy as np

from skewline.servers.marketdata.validation.action_schema import check_actions, is_date
from skewline.servers.runtime.errors import FieldViolation
from skewline.servers.runtime.validation import Validation
from skewline.v1 import chain_pb2, instrument_pb2

_COLUMNS: Final = ("expiry_index", "strike", "is_call", "bid", "ask")
_OPTIONAL: Final = ("bid_size", "ask_size", "volume", "open_interest", "vendor_iv", "symbol")
_LONGEST_NAME: Final = 64
# Exact decimals of their products must fit.
_MOST_SPOT: Final = 1e12
_MOST_MULTIPLIER: Final = 1_000_000
_MOST_DISCOUNT: Final = 2.0
# Underlyings are tokens of bus subjects.
_FORBIDDEN: Final = frozenset(" .*>\t\r\n")


def schema_violations(chain: chain_pb2.OptionChain, prefix: str = "") -> tuple[FieldViolation, ...]:
    """What makes `chain` unusable as a message, by field with its fix; empty if it holds together."""
    validation = Validation(prefix)
    if validation.required("underlying", chain.underlying):
        validation.max_length("underlying", chain.underlying, _LONGEST_NAME)
        validation.check(
            not _FORBIDDEN & set(chain.underlying), "underlying", "must have no space, dot, '*' or '>'"
        )
    validation.max_length("source", chain.source, 4 * _LONGEST_NAME)
    validation.check(not chain.snapshot_id, "snapshot_id", "is derived by the service; leave it empty")
    validation.time_ns("time_ns", chain.time_ns)
    validation.enum("exercise", chain.exercise, instrument_pb2.ExerciseStyle)
    validation.required("currency", chain.currency)
    if validation.present("multiplier", chain.HasField("multiplier")):
        validation.positive_decimal("multiplier", chain.multiplier)
        fix = f"must be at most {_MOST_MULTIPLIER}, not {chain.multiplier.units}"
        validation.check(chain.multiplier.units <= _MOST_MULTIPLIER, "multiplier", fix)
    validation.check(
        np.isnan(chain.spot) or 0 < chain.spot <= _MOST_SPOT,
        "spot",
        f"must be a number above zero and up to {_MOST_SPOT:g}, or NaN if unknown; not {chain.spot}",
    )
    columns = {name: getattr(chain, name) for name in _COLUMNS}
    columns |= {name: getattr(chain, name) for name in _OPTIONAL if len(getattr(chain, name))}
    validation.equal_length(columns)
    _check_expiries(chain, validation)
    check_actions(chain.corporate_actions, validation)
    return validation.violations


def _check_expiries(chain: chain_pb2.OptionChain, validation: Validation) -> None:
    known: dict[tuple[str, str], int] = {}
    for place, expiry in enumerate(chain.expiries):
        within = validation.within("expiries", place)
        within.required("root", expiry.root)
        within.check(
            is_date(expiry.expiry_date), "expiry_date", f"must be YYYY-MM-DD, not {expiry.expiry_date!r}"
        )
        within.time_ns("expiry_ns", expiry.expiry_ns)
        within.non_negative("forward", expiry.forward)
        within.between("discount", expiry.discount, 0.0, _MOST_DISCOUNT)
        within.enum("settlement", expiry.settlement, instrument_pb2.SettlementStyle)
        first = known.setdefault((expiry.root, expiry.expiry_date), place)
        within.check(first == place, "root", f"repeats expiries[{first}]; merge the two")
    index = np.asarray(chain.expiry_index, dtype=np.int64)
    beyond = index >= len(chain.expiries)
    if beyond.any():
        place = int(np.argmax(beyond))
        fix = f"must be below {len(chain.expiries)}, the number of expiries; not {index[place]}"
        validation.check(False, f"expiry_index[{place}]", fix)
