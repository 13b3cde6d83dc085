"""The instrument master: what was ever quoted, since when and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from skewline.servers.marketdata import contract_terms
from skewline.servers.runtime.decimals import from_decimal, price_from_float, to_decimal
from skewline.servers.runtime.instruments import contract_ids
from skewline.storage.marketdata import instruments
from skewline.storage.marketdata.instruments import InstrumentRow
from skewline.v1 import chain_pb2, instrument_pb2


class InstrumentMaster:
    """Keeps the instruments table in step with accepted chains, writing only what appears and what goes."""

    def __init__(self) -> None:
        self._present: dict[str, dict[str, None]] = {}
        self._times: dict[str, int] = {}

    def restore(self, present: Mapping[str, Sequence[str]], newest: Sequence[chain_pb2.OptionChain]) -> None:
        """Take up where the tables are: who is present, and the newest accepted chains."""
        self._present = {underlying: dict.fromkeys(ids) for underlying, ids in present.items()}
        self._times = {chain.underlying: chain.time_ns for chain in newest}

    def observe(self, connection: Connection, chain: chain_pb2.OptionChain) -> None:
        """Take note of the contracts of an accepted chain, in the open transaction."""
        ids = [chain.underlying, *contract_ids(chain)]
        before = self._present.get(chain.underlying, {})
        now = dict.fromkeys(ids)
        if gone := [instrument_id for instrument_id in before if instrument_id not in now]:
            instruments.mark(connection, gone, self._times[chain.underlying])
        appeared = [place for place, instrument_id in enumerate(ids) if instrument_id not in before]
        known = instruments.known(connection, [ids[place] for place in appeared])
        if back := [ids[place] for place in appeared if ids[place] in known]:
            instruments.mark(connection, back, None)
        new = [place for place in appeared if ids[place] not in known]
        instruments.add(connection, _rows(chain, ids, new))
        self._present[chain.underlying] = now
        self._times[chain.underlying] = chain.time_ns


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
        **{name: from_decimal(value) for name, value in optional.items() if value is not None},
    )


def _rows(chain: chain_pb2.OptionChain, ids: Sequence[str], places: Sequence[int]) -> list[InstrumentRow]:
    # Once, not once a contract: a first day brings thousands.
    expiries, indices = list(chain.expiries), list(chain.expiry_index)
    strikes, calls = list(chain.strike), list(chain.is_call)
    prices = {strike: price_from_float(strike) for strike in dict.fromkeys(strikes)}
    ticks, multiplier = contract_terms.ticks_of(chain.underlying), to_decimal(chain.multiplier)
    heads = [(expiry.root, expiry.expiry_date, expiry.expiry_ns, expiry.settlement) for expiry in expiries]
    rows = []
    for place in places:
        # The underlying itself comes first.
        if place == 0:
            rows.append(_underlying_row(chain))
            continue
        root, expiry_date, expiry_ns, settlement = heads[indices[place - 1]]
        right = instrument_pb2.OPTION_RIGHT_CALL if calls[place - 1] else instrument_pb2.OPTION_RIGHT_PUT
        rows.append(
            InstrumentRow(
                instrument_id=ids[place],
                kind=instrument_pb2.INSTRUMENT_KIND_OPTION,
                underlying=chain.underlying,
                root=root,
                right=right,
                strike=prices[strikes[place - 1]],
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
