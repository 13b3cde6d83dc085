import numpy as np
from numpy.typing import NDArray

from skewline.cyext.arguments import Codes, Doubles, Flags

most_dividends: int
greeks_group: int
group: int
vol_group_size: int

class Chain:
    def __init__(
        self,
        is_call: Flags,
        spot: Doubles,
        strike: Doubles,
        expiry: Doubles,
        rate: Doubles,
        carry: Doubles,
        fifth: Doubles,
        times: Doubles,
        amounts: Doubles,
        points: int,
        steps: int,
        width: float,
        most_call: float,
        most_put: float,
    ) -> None: ...

def kinds(chain: Chain, out: Doubles, keys: NDArray[np.uint64]) -> None: ...
def price(
    chain: Chain, order: NDArray[np.intp], starts: NDArray[np.intp], out: Doubles, threads: int
) -> None: ...
def greeks(
    chain: Chain, order: NDArray[np.intp], starts: NDArray[np.intp], out: Doubles, threads: int
) -> None: ...
def vol_kinds(chain: Chain, out: Doubles, status: Codes, keys: NDArray[np.uint64]) -> None: ...
def implied_vol(
    chain: Chain,
    order: NDArray[np.intp],
    starts: NDArray[np.intp],
    out: Doubles,
    status: Codes,
    threads: int,
) -> None: ...
