import numpy as np
from numpy.typing import NDArray

from skewline.cyext.arguments import Doubles

def normalised_prices(
    parameters: Doubles,
    log_moneyness: Doubles,
    expiry: Doubles,
    bounds: NDArray[np.int64],
    out: Doubles,
    threads: int,
) -> None: ...
def descend(
    x: Doubles,
    low: Doubles,
    high: Doubles,
    log_moneyness: Doubles,
    expiry: Doubles,
    vols: Doubles,
    weights: Doubles,
    bounds: NDArray[np.int64],
    model_vols: Doubles,
    normal: Doubles,
    most_iterations: int,
    tolerance: float,
    threads: int,
) -> tuple[float, float, int, bool]: ...
