import numpy as np
import pytest
from chain_samples import small_chain

from skewline.servers.marketdata.present_contracts import ContractKeys
from skewline.servers.runtime.instruments import contract_ids
from skewline.v1 import chain_pb2


def test_what_appears_and_what_goes_is_told_by_id_and_place() -> None:
    keys = ContractKeys()
    first, second = small_chain(), small_chain()
    second.strike[4], second.strike[5] = 107.5, 107.5
    before, now = keys.of_chain(first), keys.of_chain(second)
    assert keys.beyond(now, before) == {contract_ids(second)[4]: 4, contract_ids(second)[5]: 5}
    assert set(keys.beyond(before, now)) == {contract_ids(first)[4], contract_ids(first)[5]}
    assert keys.beyond(now, now) == {}


def test_ids_of_the_tables_mean_the_contracts_of_a_chain() -> None:
    chain = small_chain()
    chain.strike[0] = 99_999.999
    chain.expiries[1].root = "XYZ1"
    keys = ContractKeys()
    stored = keys.of_ids(["XYZ", *contract_ids(chain)])
    assert dict(stored.others) == {"XYZ": 0}
    assert np.array_equal(stored.keys, keys.of_chain(chain).keys)
    everything = keys.beyond(keys.of_chain(chain), keys.of_ids(()))
    assert everything == {name: place for place, name in enumerate(contract_ids(chain))}


@pytest.mark.parametrize(
    "name", ["", "BTC-29OCT21-50000-C", "XYZ   190621X00095000", "XYZ   190621C0009500²"]
)
def test_an_id_of_another_form_stands_for_itself(name: str) -> None:
    keys = ContractKeys()
    assert keys.beyond(keys.of_ids([name]), keys.of_ids(())) == {name: 0}


def test_exchange_native_ids_are_told_apart_too() -> None:
    keys = ContractKeys()
    first = chain_pb2.OptionChain(symbol=["A", "B"])
    second = chain_pb2.OptionChain(symbol=["B", "C"])
    assert keys.beyond(keys.of_chain(second), keys.of_chain(first)) == {"C": 1}
    assert keys.beyond(keys.of_chain(first), keys.of_chain(second)) == {"A": 0}


def test_a_contract_without_a_symbol_is_refused() -> None:
    chain = small_chain()
    chain.strike[3] = 100.00049
    with pytest.raises(ValueError, match="more than 3 decimals"):
        ContractKeys().of_chain(chain)
