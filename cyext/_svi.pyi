import numpy as np
from numpy.typing import NDArray

from skewline.cyext.arguments import Codes, Doubles

def calibrate_many(
    forward: Doubles,
    expiry: Doubles,
    strikes: Doubles,
    vols: Doubles,
    weights: Doubles,
    offsets: NDArray[np.int64],
    room: Doubles,
    out: Doubles,
    codes: Codes,
    threads: int,
) -> None: ...
def butterfly(
    k: Doubles, a: Doubles, b: Doubles, rho: Doubles, m: Doubles, sigma: Doubles, out: Doubles
) -> None: ...
def least_butterflies(
    a: Doubles, b: Doubles, rho: Doubles, m: Doubles, sigma: Doubles, out: Doubles
) -> None: ...
