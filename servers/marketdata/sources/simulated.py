"""Evolves recorded chains by a seeded model, where a source has only one snapshot of an underlying.

The recorded snapshot comes first, unchanged. Each later one is a minute on and labelled SIMULATED:

* the underlying moves as a lognormal diffusion at the chain's own at-the-money vol, and forwards with it;
* the level of all vols follows exp(y), y an Ornstein-Uhlenbeck process (half-life 20 minutes, stationary
  standard deviation 5 %), correlated -0.6 with the underlying;
* the vol of a strike is that of the recorded smile times the level, plus a mispricing in units of its quoted
  width in vol: now and then (once in 400 strike-minutes) a strike is knocked 1.5 to 3 widths off, 3 points of
  vol at most, and comes back with a half-life of 6 minutes. That is what a volatility arbitrage has to find;
* bid and ask keep their widths in vol; prices are Black-76 to the cent, bid < ask; time passes.

Equal seed, equal snapshots. It is a test bed: what is earned on it says nothing of what a market would pay.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.cyext import black
from skewline.servers.marketdata.chain_columns import Columns, Doubles, Heading, build_chain, columns_of
from skewline.servers.marketdata.sources.carry import Carry, carry_of
from skewline.servers.marketdata.sources.source import SnapshotRef, Source, in_order
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.servers.runtime.decimals import to_decimal
from skewline.v1 import chain_pb2, common_pb2

DEFAULT_STEPS: Final = 60
STEP_NS: Final = 60_000_000_000
_STEP_YEARS: Final = STEP_NS / YEAR_NS

_LEVEL_HALF_LIFE: Final = 20.0
_LEVEL_STDEV: Final = 0.05
_CORRELATION: Final = -0.6
_KNOCK_CHANCE: Final = 1 / 400
_KNOCK_WIDTHS: Final = (1.5, 3.0)
_KNOCK_MOST: Final = 0.03
_KNOCK_HALF_LIFE: Final = 6.0
_LEAST_VOL: Final = 0.01
_CENT: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Path:
    """Everything random about an underlying's future: log-moves of spot and vol level, and mispricings.

    `knock` is steps by smile points, in widths.
    """

    spot: Doubles
    level: Doubles
    knock: Doubles


@dataclass(frozen=True, slots=True)
class _Smile:
    """The recorded chain in vols: `point` is the smile point, one an (expiry, strike), of each contract."""

    chain: chain_pb2.OptionChain
    columns: Columns
    carry: Carry
    bid_iv: Doubles
    ask_iv: Doubles
    point: npt.NDArray[np.int64]
    points: int


class SimulatedSource:
    """`source`, with `steps` simulated snapshots after an underlying's snapshot if it has only one."""

    def __init__(self, source: Source, *, steps: int, seed: int) -> None:
        self._source = source
        self._steps = steps
        self._seed = seed
        self._futures: dict[str, tuple[_Smile, _Path]] = {}

    def plan(self) -> list[SnapshotRef]:
        """The source's own, and those after it."""
        recorded = self._source.plan()
        snapshots = Counter(ref.underlying for ref in recorded)
        return in_order(
            [
                SnapshotRef(ref.underlying, ref.time_ns + step * STEP_NS, f"{step}|{ref.key}")
                for ref in recorded
                for step in range(self._steps + 1 if snapshots[ref.underlying] == 1 else 1)
            ]
        )

    def load(self, ref: SnapshotRef) -> chain_pb2.OptionChain:
        """One snapshot, whichever is asked for first."""
        text, _, key = ref.key.partition("|")
        step = int(text)
        recorded = SnapshotRef(ref.underlying, ref.time_ns - step * STEP_NS, key)
        if step == 0:
            return self._source.load(recorded)
        if ref.underlying not in self._futures:
            smile = _smile_of(self._source.load(recorded))
            self._futures[ref.underlying] = (smile, self._path(smile))
        smile, path = self._futures[ref.underlying]
        return _evolved(smile, path, step, f"{smile.chain.source}+simulated:seed={self._seed}")

    def _path(self, smile: _Smile) -> _Path:
        chain = smile.chain
        digest = hashlib.sha256(f"{self._seed}:{chain.underlying}:{chain.time_ns}".encode()).digest()
        draw = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))
        shocks = draw.standard_normal((self._steps, 2))
        stdev = _at_the_money(smile) * math.sqrt(_STEP_YEARS)
        spot = np.cumsum(stdev * shocks[:, 0] - stdev**2 / 2)
        joint = _CORRELATION * shocks[:, 0] + math.sqrt(1 - _CORRELATION**2) * shocks[:, 1]
        knocked = draw.random((self._steps, smile.points)) < _KNOCK_CHANCE
        sizes = draw.uniform(*_KNOCK_WIDTHS, (self._steps, smile.points))
        signs = np.where(draw.random((self._steps, smile.points)) < 0.5, -1.0, 1.0)
        keep_level, keep_knock = 0.5 ** (1 / _LEVEL_HALF_LIFE), 0.5 ** (1 / _KNOCK_HALF_LIFE)
        level = _decaying(_LEVEL_STDEV * math.sqrt(1 - keep_level**2) * joint, keep_level)
        return _Path(spot, level, _decaying(np.where(knocked, signs * sizes, 0.0), keep_knock))


def _decaying(added: Doubles, keep: float) -> Doubles:
    sums = np.empty_like(added)
    total = np.zeros(added.shape[1:])
    for step, more in enumerate(added):
        total = keep * total + more
        sums[step] = total
    return sums


def _smile_of(chain: chain_pb2.OptionChain) -> _Smile:
    columns, carry = columns_of(chain), carry_of(chain)
    forward, discount = carry.forward[columns.expiry_index], carry.discount[columns.expiry_index]
    years = carry.years[columns.expiry_index]
    bid_iv, ask_iv = (
        np.nan_to_num(black.implied_vol(columns.is_call, price, forward, columns.strike, years, discount))
        for price in (columns.bid, columns.ask)
    )
    keys = np.stack([columns.expiry_index.astype(np.float64), columns.strike], axis=1)
    _, point = np.unique(keys, axis=0, return_inverse=True)
    point = point.reshape(-1).astype(np.int64)
    points = int(point.max()) + 1 if point.size else 0
    # The side out of the money says what the vol is; in the money a cent of price is many points of vol.
    outside = columns.is_call == (columns.strike >= forward)
    for vols in (bid_iv, ask_iv):
        at_point = np.zeros(points)
        at_point[point[outside]] = vols[outside]
        vols[:] = np.where(at_point[point] > 0, at_point[point], vols)
    return _Smile(chain, columns, carry, bid_iv, ask_iv, point, points)


def _at_the_money(smile: _Smile) -> float:
    columns = smile.columns
    near = np.abs(np.log(columns.strike / smile.carry.forward[columns.expiry_index]))
    quoted = (smile.bid_iv > 0) & (smile.ask_iv > 0)
    near[~quoted] = np.inf
    first = (
        np.where(columns.expiry_index == columns.expiry_index[quoted].min(), near, np.inf)
        if quoted.any()
        else near
    )
    place = int(np.argmin(first))
    return float((smile.bid_iv[place] + smile.ask_iv[place]) / 2) if quoted.any() else 0.2


def _evolved(smile: _Smile, path: _Path, step: int, source: str) -> chain_pb2.OptionChain:
    chain, columns, carry = smile.chain, smile.columns, smile.carry
    time_ns = chain.time_ns + step * STEP_NS
    instants = np.array([expiry.expiry_ns for expiry in chain.expiries], dtype=np.float64)
    years = (instants - time_ns) / YEAR_NS
    # What carry is left shrinks with the time that is left.
    left = np.maximum(years, 0.0) / carry.years
    moved = carry.spot * math.exp(path.spot[step - 1])
    forward = moved * (carry.forward / carry.spot) ** left
    discount = carry.discount**left
    index = columns.expiry_index
    alive = years[index] > 0
    width = np.maximum(smile.ask_iv - smile.bid_iv, 0.0)
    shift = np.clip(path.knock[step - 1][smile.point] * width, -_KNOCK_MOST, _KNOCK_MOST)
    level = math.exp(path.level[step - 1])
    prices = []
    for vols in (smile.bid_iv, smile.ask_iv):
        vol = vols * level + shift
        price = black.price(
            columns.is_call, forward[index], columns.strike, years[index], discount[index], vol
        )
        prices.append(np.where((vols > 0) & (vol >= _LEAST_VOL), np.round(np.nan_to_num(price), 2), 0.0))
    bid, ask = prices
    ask = np.where(ask > 0, np.round(np.maximum(ask, bid + _CENT), 2), 0.0)
    bid = np.where(ask > 0, bid, 0.0)
    return build_chain(
        Heading(
            underlying=chain.underlying,
            time_ns=time_ns,
            source=source,
            provenance=common_pb2.PROVENANCE_SIMULATED,
            spot=round(moved, 4) if math.isfinite(chain.spot) else math.nan,
            exercise=chain.exercise,
            multiplier=to_decimal(chain.multiplier),
            currency=chain.currency,
        ),
        list(chain.expiries),
        Columns(
            expiry_index=index[alive],
            strike=columns.strike[alive],
            is_call=columns.is_call[alive],
            bid=bid[alive],
            ask=ask[alive],
            more={
                name: columns.more[name][alive]
                for name in ("bid_size", "ask_size", "open_interest")
                if name in columns.more
            },
            symbol=_where(columns.symbol, alive),
        ),
    )


def _where(symbols: Sequence[str], chosen: npt.NDArray[np.bool_]) -> list[str]:
    return [symbols[place] for place in np.flatnonzero(chosen).tolist()] if symbols else []
