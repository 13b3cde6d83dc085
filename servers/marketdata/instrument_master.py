"""The instrument master: what was ever quoted, since when and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.present_contracts import ContractKeys, Present
from skewline.servers.runtime.corporate_actions import adjusted, newly_in_effect
from skewline.servers.runtime.decimals import from_decimal, price_from_float, to_decimal
from skewline.storage.marketdata import instruments
from skewline.storage.marketdata.instruments import InstrumentRow
from skewline.v1 import chain_pb2, instrument_pb2

# The place of the underlying itself, which stands beside the chain's contracts.
_UNDERLYING: Final = -1


class InstrumentMaster:
    """Keeps the instruments table in step with accepted chains, writing only what appears and what goes."""

    def __init__(self) -> None:
        self._keys = ContractKeys()
        self._present: dict[str, Present] = {}
        self._times: dict[str, int] = {}

    def restore(self, present: Mapping[str, Sequence[str]], newest: Sequence[chain_pb2.OptionChain]) -> None:
        """Take up where the tables are: who is present, and the newest accepted chains."""
        self._keys = ContractKeys()
        self._present = {underlying: self._keys.of_ids(ids) for underlying, ids in present.items()}
        self._times = {chain.underlying: chain.time_ns for chain in newest}

    def observe(self, connection: Connection, chain: chain_pb2.OptionChain) -> None:
        """Take note of the contracts of an accepted chain, in the open transaction."""
        contracts = self._keys.of_chain(chain)
        now = replace(contracts, others={**contracts.others, chain.underlying: _UNDERLYING})
        before = self._present.get(chain.underlying) or self._keys.of_ids(())
        successors = self._successors(connection, chain)
        if gone := self._keys.beyond(before, now):
            instruments.mark(connection, list(gone), self._times[chain.underlying])
        if appeared := self._keys.beyond(now, before):
            known = instruments.known(connection, list(appeared))
            if known:
                instruments.mark(connection, sorted(known), None)
            new = {name: place for name, place in appeared.items() if name not in known}
            instruments.add(connection, _rows(chain, new))
        if successors:
            listed = self._keys.beyond(now, self._keys.of_ids(()))
            made = {old: name for old, name in successors.items() if name in listed}
            instruments.succeed(connection, made)
        self._present[chain.underlying] = now
        self._times[chain.underlying] = chain.time_ns

    def _successors(self, connection: Connection, chain: chain_pb2.OptionChain) -> dict[str, str]:
        """What corporate actions made of contracts since the last snapshot: ids after by ids before."""
        made: dict[str, str] = {}
        # What became of the contracts of each symbol, the one with a symbol changed under its new one.
        now: dict[str, dict[str, str]] = {}
        nothing = self._keys.of_ids(())
        actions = newly_in_effect(
            chain.corporate_actions, chain.underlying, lambda name: self._times.get(name, 0), chain.time_ns
        )
        for action in actions:
            name = action.underlying
            held = now.pop(name, None)
            if held is None:
                present = self._keys.beyond(self._present.get(name, nothing), nothing)
                if present and name != chain.underlying:
                    instruments.mark(connection, list(present), self._times[name])
                    del self._present[name]
                    made[name] = chain.underlying
                held = {instrument_id: instrument_id for instrument_id in present if instrument_id != name}
            for before, latest in held.items():
                found = adjusted(action, latest, name, Decimal(1))
                if found is not None:
                    held[before] = made[before] = found.instrument_id
            now[action.new_symbol or name] = held
        return made


def instrument_of(row: InstrumentRow) -> instrument_pb2.Instrument:
    """The message for a row."""
    optional = {
        "strike": row.strike,
        "tick_below": row.tick_below,
        "tick_threshold": row.tick_threshold,
        "tick_above": row.tick_above,
    }
    return instrument_pb2.Instrument(
        instrument_id=row.instrument_id,
        kind=instrument_pb2.InstrumentKind.ValueType(row.kind),
        underlying=row.underlying,
        root=row.root,
        right=instrument_pb2.OptionRight.ValueType(row.right),
        expiry_date=row.expiry_date,
        expiry_ns=row.expiry_ns,
        settlement=instrument_pb2.SettlementStyle.ValueType(row.settlement),
        exercise=instrument_pb2.ExerciseStyle.ValueType(row.exercise),
        multiplier=from_decimal(row.multiplier),
        currency=row.currency,
        first_seen_ns=row.first_seen_ns,
        last_seen_ns=row.last_seen_ns,
        successor_id=row.successor_id,
        predecessor_id=row.predecessor_id,
        **{name: from_decimal(value) for name, value in optional.items() if value is not None},
    )


def _rows(chain: chain_pb2.OptionChain, new: Mapping[str, int]) -> list[InstrumentRow]:
    """Entries of the contracts at those places of `chain`, by id."""
    # Once, not once a contract: a first day brings thousands.
    ticks, multiplier = contract_terms.ticks_of(chain.underlying), to_decimal(chain.multiplier)
    heads = [
        (expiry.root, expiry.expiry_date, expiry.expiry_ns, expiry.settlement) for expiry in chain.expiries
    ]
    price_of = lru_cache(maxsize=None)(price_from_float)
    rows = []
    for instrument_id, place in new.items():
        if place == _UNDERLYING:
            rows.append(_underlying_row(chain))
            continue
        root, expiry_date, expiry_ns, settlement = heads[chain.expiry_index[place]]
        is_call = chain.is_call[place]
        rows.append(
            InstrumentRow(
                instrument_id=instrument_id,
                kind=instrument_pb2.INSTRUMENT_KIND_OPTION,
                underlying=chain.underlying,
                root=root,
                right=instrument_pb2.OPTION_RIGHT_CALL if is_call else instrument_pb2.OPTION_RIGHT_PUT,
                strike=price_of(chain.strike[place]),
                expiry_date=expiry_date,
                expiry_ns=expiry_ns,
                settlement=settlement,
                exercise=chain.exercise,
                multiplier=multiplier,
                currency=chain.currency,
                tick_below=ticks.below,
                tick_threshold=ticks.threshold,
                tick_above=ticks.above,
                first_seen_ns=chain.time_ns,
            )
        )
    return rows


def _underlying_row(chain: chain_pb2.OptionChain) -> InstrumentRow:
    return InstrumentRow(
        instrument_id=chain.underlying,
        kind=contract_terms.kind_of(chain),
        underlying=chain.underlying,
        root="",
        right=instrument_pb2.OPTION_RIGHT_UNSPECIFIED,
        strike=None,
        expiry_date="",
        expiry_ns=0,
        settlement=instrument_pb2.SETTLEMENT_STYLE_UNSPECIFIED,
        exercise=instrument_pb2.EXERCISE_STYLE_UNSPECIFIED,
        multiplier=Decimal(1),
        currency=chain.currency,
        tick_below=None,
        tick_threshold=None,
        tick_above=None,
        first_seen_ns=chain.time_ns,
    )
