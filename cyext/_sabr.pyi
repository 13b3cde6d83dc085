import numpy as np
from numpy.typing import NDArray

from skewline.cyext.arguments import Codes, Doubles

def implied_vol(
    forward: Doubles,
    strike: Doubles,
    expiry: Doubles,
    alpha: Doubles,
    beta: Doubles,
    rho: Doubles,
    nu: Doubles,
    shift: Doubles,
    obloj: bool,
    out: Doubles,
    threads: int,
) -> None: ...
def calibrate_many(
    forward: Doubles,
    expiry: Doubles,
    strikes: Doubles,
    vols: Doubles,
    weights: Doubles,
    offsets: NDArray[np.int64],
    beta: Doubles,
    shift: Doubles,
    obloj: bool,
    out: Doubles,
    codes: Codes,
    threads: int,
) -> None: ...
