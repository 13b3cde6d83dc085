from skewline.cyext._american_scheme import Scheme
from skewline.cyext.arguments import Codes, Doubles, Flags

on_grid: int
waiting: int

def price(
    is_call: Flags,
    spot: Doubles,
    strike: Doubles,
    expiry: Doubles,
    rate: Doubles,
    carry: Doubles,
    vol: Doubles,
    schemes: tuple[Scheme, ...],
    left: Flags,
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
    schemes: tuple[Scheme, ...],
    left: Flags,
    out: Doubles,
    threads: int,
) -> None: ...
def implied_vol(
    is_call: Flags,
    spot: Doubles,
    strike: Doubles,
    expiry: Doubles,
    rate: Doubles,
    carry: Doubles,
    price: Doubles,
    schemes: tuple[Scheme, ...],
    left: Flags,
    out: Doubles,
    status: Codes,
    threads: int,
) -> None: ...
