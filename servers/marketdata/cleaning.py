"""What is left of a chain when the rules for contracts were applied, and what went for which reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skewline.servers.marketdata.chain_columns import Columns, add_columns, columns_of, in_order, taken
from skewline.servers.marketdata.validation.contract_rules import SetAside, set_aside
from skewline.servers.marketdata.validation.contracts import Accepted, Standstill, contracts_of
from skewline.servers.marketdata.validation.notes import noted
from skewline.v1 import chain_pb2, common_pb2


@dataclass(frozen=True, slots=True)
class Aside:
    """Contracts that were set aside for one reason, as they were sent."""

    reason: str
    contracts: chain_pb2.OptionChain


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What stays of a chain, what went, and how its quotes moved beside the spot."""

    kept: Accepted
    aside: Sequence[Aside]
    standstill: Standstill


def nothing_left() -> Cleaned:
    """Of a message that does not hold together."""
    empty = chain_pb2.OptionChain()
    none = np.zeros(0, dtype=np.bool_)
    return Cleaned(Accepted(empty, columns_of(empty)), (), Standstill(none, none))


def cleaned(chain: chain_pb2.OptionChain, snapshot_id: str, last: Accepted | None) -> Cleaned:
    """Apply the rules for contracts to `chain`, which holds together; `last` is what it is compared with."""
    by_time = sorted(
        range(len(chain.expiries)), key=lambda i: (chain.expiries[i].expiry_ns, chain.expiries[i].root)
    )
    rank = np.zeros(max(len(by_time), 1), dtype=np.int64)
    rank[by_time] = np.arange(len(by_time))
    sent = columns_of(chain)
    ranked = in_order(replace(sent, expiry_index=rank[sent.expiry_index]))
    expiries = [chain.expiries[place] for place in by_time]
    contracts = contracts_of(chain, expiries, ranked, last)
    keep, gone = set_aside(contracts)
    kept = ranked if keep.all() else taken(ranked, np.flatnonzero(keep))
    # Expiries that no contract is left of go, so that nobody fits a surface to nothing.
    held = np.bincount(kept.expiry_index, minlength=rank.size) > 0
    kept = replace(kept, expiry_index=(np.cumsum(held) - 1)[kept.expiry_index])
    clean = _headed(chain, snapshot_id)
    clean.expiries.extend(expiries[place] for place in np.flatnonzero(held).tolist())
    clean.rejected.extend(chain.rejected)  # what the source could not read
    clean.rejected.extend(common_pb2.ReasonCount(reason=each.reason, count=each.places.size) for each in gone)
    clean.noted.extend(noted(kept))
    add_columns(clean, kept)
    aside = [_aside(chain, snapshot_id, expiries, ranked, each) for each in gone]
    return Cleaned(Accepted(clean, kept), aside, contracts.standstill)


def _aside(
    chain: chain_pb2.OptionChain,
    snapshot_id: str,
    expiries: Sequence[chain_pb2.ChainExpiry],
    columns: Columns,
    gone: SetAside,
) -> Aside:
    part, contracts = _headed(chain, snapshot_id), taken(columns, gone.places)
    used, index = np.unique(contracts.expiry_index, return_inverse=True)
    part.expiries.extend(expiries[place] for place in used.tolist())
    add_columns(part, replace(contracts, expiry_index=index))
    return Aside(gone.reason, part)


def _headed(chain: chain_pb2.OptionChain, snapshot_id: str) -> chain_pb2.OptionChain:
    return chain_pb2.OptionChain(
        snapshot_id=snapshot_id,
        underlying=chain.underlying,
        time_ns=chain.time_ns,
        source=chain.source,
        provenance=chain.provenance,
        spot=chain.spot if math.isfinite(chain.spot) else math.nan,
        exercise=chain.exercise,
        multiplier=chain.multiplier,
        currency=chain.currency,
    )
