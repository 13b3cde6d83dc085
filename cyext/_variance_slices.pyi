import numpy as np
from numpy.typing import NDArray

from skewline.cyext.arguments import Codes, Doubles

def essvi(
    k: Doubles,
    vol: Doubles,
    width: Doubles,
    years: Doubles,
    offsets: NDArray[np.int64],
    slices: Doubles,
    rmse: Doubles,
    codes: Codes,
) -> None: ...
