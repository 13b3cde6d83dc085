from skewline.cyext.arguments import Doubles, Flags

BOX: tuple[tuple[float, ...], tuple[float, ...]]

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
    model_vols: Doubles,
    x: Doubles,
    normal: Doubles,
    threads: int,
) -> tuple[float, float, int, int, bool, int, int]: ...
