from typing import Final

import numpy as np
from numpy.typing import NDArray

from skewline.cyext.arguments import Codes, Doubles

MORE_KNOTS: Final[int]

def calibrate(
    k: Doubles,
    lower: Doubles,
    upper: Doubles,
    middle: Doubles,
    offsets: NDArray[np.int64],
    slices: Doubles,
    roughness: float,
    spacing: float,
    curve: Doubles,
    out: Doubles,
    codes: Codes,
) -> None: ...
def evaluate(knot: Doubles, variance: Doubles, curvature: Doubles, k: Doubles, out: Doubles) -> None: ...
