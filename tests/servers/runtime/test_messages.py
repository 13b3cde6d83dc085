import math

import numpy as np
import pytest
from numpy.typing import NDArray

from skewline.servers.runtime.messages import copy_into, extend_packed
from skewline.v1 import chain_pb2, event_pb2

RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("bid", RANDOM.normal(size=300)),
        ("bid", np.array([math.nan, math.inf, -0.0, 5e-324])),
        ("bid", np.arange(10.0)[::-2]),
        ("bid", np.array([])),
        ("is_call", RANDOM.normal(size=300) > 0),
        ("expiry_index", RANDOM.integers(0, 127, 300)),
        ("expiry_index", np.array([127, 128, 2**32 - 1])),
        ("expiry_index", np.array([], dtype=np.int64)),
    ],
)
def test_an_array_is_appended_as_its_values_are(field: str, values: NDArray[np.float64]) -> None:
    fast, plain = chain_pb2.OptionChain(), chain_pb2.OptionChain()
    for _ in range(2):
        extend_packed(fast, field, values)
        getattr(plain, field).extend(values.tolist())
    assert fast.SerializeToString(deterministic=True) == plain.SerializeToString(deterministic=True)


def test_what_is_no_such_column_is_refused() -> None:
    chain = chain_pb2.OptionChain()
    with pytest.raises(KeyError):
        extend_packed(chain, "nonsense", np.zeros(2))
    with pytest.raises(TypeError, match=r"OptionChain\.symbol is no repeated double, bool or uint32"):
        extend_packed(chain, "symbol", np.zeros(2))
    with pytest.raises(TypeError, match=r"OptionChain\.spot"):
        extend_packed(chain, "spot", np.zeros(2))
    with pytest.raises(ValueError, match="-1"):
        extend_packed(chain, "expiry_index", np.array([-1]))
    assert chain == chain_pb2.OptionChain()


def test_a_copied_field_is_set_and_a_thing_of_its_own() -> None:
    chain = chain_pb2.OptionChain(underlying="SPX", bid=[1.0])
    event = event_pb2.Event()
    copy_into(event.chain, chain)
    chain.bid.append(2.0)
    assert list(event.chain.bid) == [1.0]
    empty = event_pb2.Event()
    copy_into(empty.alert, event_pb2.Alert())
    assert empty.WhichOneof("payload") == "alert"
