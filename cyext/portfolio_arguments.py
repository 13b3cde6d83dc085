"""Checks and lays out what `portfolio` is given: positions, one entry an option, and scenarios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skewline.cyext.arguments import Broadcast, Doubles, Flags, doubles, flags


@dataclass(frozen=True, slots=True)
class Book:
    """Positions, columns of one length; `base` is what each option's profit counts from."""

    is_call: Flags
    forward: Doubles
    strike: Doubles
    expiry: Doubles
    discount: Doubles
    vol: Doubles
    vol_weight: Doubles
    quantity: Doubles
    base: Doubles
    underlying: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        is_call: ArrayLike,
        numbers: dict[str, ArrayLike],
        underlying: ArrayLike | None,
        underlyings: int | None,
    ) -> Book:
        """From one value an option or one for all; `numbers` by the names of the fields."""
        arrays = {name: doubles(name, value) for name, value in numbers.items()}
        rows = np.asarray(0 if underlying is None else underlying)
        if rows.dtype.kind not in "iu":
            raise TypeError(f"underlying must hold integers, not {rows.dtype}")
        call = flags("is_call", is_call)
        b = Broadcast(is_call=call, underlying=rows, **arrays)
        if len(b.shape) > 1:
            raise ValueError(f"positions must be one-dimensional, not of shape {b.shape}")
        if underlying is None and (underlyings or 1) > 1:
            raise ValueError("scenarios of several underlyings need the option's row: underlying")
        beyond = rows.size and underlyings is not None and rows.max() >= underlyings
        if rows.size and (rows.min() < 0 or beyond):
            raise ValueError(f"underlying must name rows of the scenarios, 0 to {(underlyings or 1) - 1}")
        if underlyings is None:
            rows = np.zeros((), dtype=np.intp)
        return cls(
            is_call=b.flat(call),
            underlying=b.flat(rows.astype(np.intp, copy=not rows.flags.aligned)),
            **{name: b.flat(array) for name, array in arrays.items()},
        )

    @property
    def size(self) -> int:
        """How many options there are."""
        return self.forward.size


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Shocks, one entry a scenario; the first two have a row for each underlying, or one for all."""

    forward_factor: Doubles
    vol_shock: Doubles
    time_passed: Doubles
    rate_shift: Doubles
    carry_shift: Doubles
    underlyings: int | None
    terms: bool

    @classmethod
    def of(
        cls,
        spot_factor: ArrayLike,
        vol_shock: ArrayLike,
        time_passed: ArrayLike,
        rate_shift: ArrayLike,
        carry_shift: ArrayLike,
    ) -> Scenarios:
        """From (scenarios,) for all underlyings or (underlyings, scenarios), and scalars or (scenarios,)."""
        factor, shock = doubles("spot_factor", spot_factor), doubles("vol_shock", vol_shock)
        terms = {"time_passed": doubles("time_passed", time_passed)}
        terms |= {"rate_shift": doubles("rate_shift", rate_shift)}
        terms |= {"carry_shift": doubles("carry_shift", carry_shift)}
        b = Broadcast(spot_factor=factor, vol_shock=shock, **terms)
        if len(b.shape) > 2 or any(array.ndim > 1 for array in terms.values()):
            raise ValueError(f"scenarios must be (scenarios,) or (underlyings, scenarios), not {b.shape}")
        shape = (b.shape or (1,))[-1:]
        time, rate, carry = (np.broadcast_to(array, shape) for array in terms.values())
        table = ((1,) * 2 + b.shape)[-2:]
        shock = np.ascontiguousarray(np.broadcast_to(shock, table))
        # A scenario that is none has no value, whatever its other shocks would do.
        usable = np.isfinite(shock) & np.isfinite(time) & np.isfinite(rate) & np.isfinite(carry) & (time >= 0)
        return cls(
            forward_factor=np.where(usable, factor, np.nan),
            vol_shock=shock,
            time_passed=time,
            rate_shift=rate,
            carry_shift=carry,
            underlyings=table[0] if len(b.shape) == 2 else None,
            terms=bool(time.any() or rate.any() or carry.any()),
        )

    @property
    def count(self) -> int:
        """How many scenarios there are."""
        return int(self.forward_factor.shape[1])
