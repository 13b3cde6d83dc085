from collections.abc import Sequence

from skewline.cyext.arguments import Codes, Doubles, Flags

class Rule:
    def __init__(self, turn: Doubles, rows: Doubles) -> None: ...

class Stage:
    def __init__(self, points: int, sweeps: int, share: Doubles, prolong: Doubles, rule: Rule) -> None: ...

class Scheme:
    def __init__(self, stages: Sequence[Stage], premium: Rule, tolerance: float) -> None: ...

def price(
    is_call: Flags,
    spot: Doubles,
    strike: Doubles,
    expiry: Doubles,
    rate: Doubles,
    carry: Doubles,
    vol: Doubles,
    schemes: tuple[Scheme, Scheme, Scheme],
    out: Doubles,
    threads: int,
) -> None: ...
def greeks(
    is_call: Flags,
    spot: Doubles,
    strike: Doubles,
    expiry: Doubles,
    rate: Doubles,
    carry: Doubles,
    vol: Doubles,
    schemes: tuple[Scheme, Scheme, Scheme],
    out: Doubles,
    threads: int,
) -> None: ...
def implied_vol(
    is_call: Flags,
    price: Doubles,
    spot: Doubles,
    strike: Doubles,
    expiry: Doubles,
    rate: Doubles,
    carry: Doubles,
    schemes: tuple[Scheme, Scheme, Scheme],
    out: Doubles,
    status: Codes,
    threads: int,
) -> None: ...
