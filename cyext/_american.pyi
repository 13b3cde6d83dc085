from skewline.cyext.arguments import Codes, Doubles, Flags

class Rule:
    def __init__(
        self,
        points: int,
        most_iterations: int,
        tolerance: float,
        boundary: Doubles,
        price: Doubles,
    ) -> None: ...

def price(
    is_call: Flags,
    spot: Doubles,
    strike: Doubles,
    expiry: Doubles,
    rate: Doubles,
    carry: Doubles,
    vol: Doubles,
    rule: Rule,
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
    rule: Rule,
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
    rule: Rule,
    out: Doubles,
    status: Codes,
    threads: int,
) -> None: ...
