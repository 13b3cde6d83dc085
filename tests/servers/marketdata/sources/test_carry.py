"""Forwards and discount factors out of quotes."""

import math

import numpy as np
import pytest
from chain_samples import small_chain

from skewline.servers.marketdata.sources.carry import carry_of
from skewline.v1 import chain_pb2


def parity_chain(forward: float, discount: float, spread: float) -> chain_pb2.OptionChain:
    chain = small_chain()
    for place, (strike, is_call) in enumerate(zip(chain.strike, chain.is_call, strict=True)):
        mid = 20.0 + (discount * (forward - strike) if is_call else 0.0)
        chain.bid[place], chain.ask[place] = mid - spread, mid + spread
    return chain


@pytest.mark.parametrize("spread", [0.01, 2.0])
def test_parity_gives_forward_and_discount(spread: float) -> None:
    carry = carry_of(parity_chain(101.5, 0.97, spread))
    np.testing.assert_allclose(carry.forward, 101.5)
    np.testing.assert_allclose(carry.discount, 0.97)
    assert carry.spot == 100.0
    np.testing.assert_allclose(carry.years * 365, (28 + 1 / 24, 56 + 1 / 24))


def test_an_expiry_with_one_side_only_gets_the_spot() -> None:
    chain = parity_chain(101.5, 0.97, 0.01)
    for place in range(6):
        if chain.is_call[place]:
            chain.bid[place] = 0.0
    carry = carry_of(chain)
    assert carry.forward.tolist() == [100.0, pytest.approx(101.5)]
    assert carry.discount.tolist() == [1.0, pytest.approx(0.97)]


def test_an_unknown_spot_is_the_nearest_forward() -> None:
    chain = parity_chain(101.5, 0.97, 0.01)
    chain.spot = math.nan
    assert carry_of(chain).spot == pytest.approx(101.5)
