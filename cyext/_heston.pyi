from typing import TypeAlias

from skewline.cyext.arguments import Doubles, Flags

_Five: TypeAlias = tuple[float, float, float, float, float]

BOX: tuple[_Five, _Five]

def prices(
    parameters: Doubles,
    is_call: Flags,
    forward: Doubles,
    strike: Doubles,
    expiry: Doubles,
    discount: Doubles,
    out: Doubles,
    threads: int,
) -> None: ...
def fit(
    forward: Doubles,
    strike: Doubles,
    expiry: Doubles,
    vols: Doubles,
    weights: Doubles,
    initial: Doubles | None,
    enforce_feller: bool,
    model_vols: Doubles,
    threads: int,
) -> tuple[_Five, _Five, _Five, tuple[float, float, float, int, int, bool, int, int]] | None: ...
