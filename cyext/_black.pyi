from skewline.cyext.arguments import Codes, Doubles, Flags

def price(
    is_call: Flags,
    forward: Doubles,
    strike: Doubles,
    expiry: Doubles,
    discount: Doubles,
    vol: Doubles,
    out: Doubles,
    threads: int,
) -> None: ...
def greeks(
    is_call: Flags,
    forward: Doubles,
    strike: Doubles,
    expiry: Doubles,
    discount: Doubles,
    vol: Doubles,
    out: Doubles,
    threads: int,
) -> None: ...
def implied_vol(
    is_call: Flags,
    price: Doubles,
    forward: Doubles,
    strike: Doubles,
    expiry: Doubles,
    discount: Doubles,
    out: Doubles,
    status: Codes,
    threads: int,
) -> None: ...
