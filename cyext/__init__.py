"""Numerical kernels: option models, smiles, portfolios in scenarios, Ornstein–Uhlenbeck, order book.

Conventions of every module (`docs` of a function say only what differs):

* Everything is priced off the forward: `forward`, `strike`, `expiry` (years, ACT/365F), `discount` (to
  payment).
* Volatility is an annualised fraction (0.20), rates are continuously compounded.
* Greeks: `delta` per 1 of underlying, `gamma` per 1², `vega` per 1.00 of vol, `theta` per calendar day,
  `rho` per 1.00 of rate, `vanna` ∂²V/∂S∂σ, `volga` ∂²V/∂σ², `charm` ∂delta/∂t per calendar day.
* Arguments broadcast like NumPy ufuncs and come back as float64 arrays of the broadcast shape; `threads` is
  the most threads that may work on the call, the caller's among them; the answer does not depend on it, and
  the GIL is free meanwhile. All calls of a process together have as many helpers as there are other cores
  (of the affinity mask or the container's quota; the environment variable SKEWLINE_THREADS names another
  number).
* A bad element yields NaN and a `Status`, its neighbours are untouched. Exceptions mean a misuse of the
  call: shapes or types.
* `isa()` names the instruction-set level in use: the processor's highest of portable, v2, v3 (AVX2) and v4
  (AVX-512), or that which the environment variable SKEWLINE_ISA asks for. Two levels' prices agree to 1e-12.
"""

from skewline.cyext._isa import isa
from skewline.cyext.status import Status

__all__ = ["Status", "isa"]
