"""OSI symbols and the ids of a chain's contracts."""

from decimal import Decimal

import pytest

from skewline.servers.runtime.instruments import OsiSymbol, contract_ids, osi_symbol, parse_osi
from skewline.v1 import chain_pb2


def test_symbol_is_padded_to_21_characters() -> None:
    assert osi_symbol("SPXW", "2019-04-26", True, 2900.0) == "SPXW  190426C02900000"
    assert osi_symbol("GOOG", "2015-12-24", False, Decimal("747.5")) == "GOOG  151224P00747500"


@pytest.mark.parametrize("text", ["SPXW  190426C02900000", "SPXW190426C02900000"])
def test_parses_padded_and_unpadded(text: str) -> None:
    assert parse_osi(text) == OsiSymbol("SPXW", "2019-04-26", True, Decimal(2900))
    assert str(parse_osi(text)) == "SPXW  190426C02900000"


def test_strike_keeps_its_mills() -> None:
    assert parse_osi(osi_symbol("AAPL", "2014-06-21", False, 92.857)).strike == Decimal("92.857")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an OSI symbol"),
        ("SPXW 190426X02900000", "not an OSI symbol"),
        ("SPX190231C02900000", "no date"),
    ],
)
def test_refuses_what_is_no_symbol(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_osi(text)


@pytest.mark.parametrize("strike", [float("nan"), -1.0, 100_000.0, 92.85714])
def test_refuses_strikes_without_a_symbol(strike: float) -> None:
    with pytest.raises(ValueError, match="strike"):
        osi_symbol("AAPL", "2014-06-21", True, strike)


def _chain(**columns: object) -> chain_pb2.OptionChain:
    return chain_pb2.OptionChain(
        expiries=[chain_pb2.ChainExpiry(root="SPX", expiry_date="2019-05-17")],
        **columns,  # type: ignore[arg-type]
    )


def test_contract_ids_follow_from_the_columns() -> None:
    chain = _chain(expiry_index=[0, 0], strike=[2900.0, 2905.5], is_call=[True, False])
    assert contract_ids(chain) == ["SPX   190517C02900000", "SPX   190517P02905500"]
    assert contract_ids(chain)[1] == osi_symbol("SPX", "2019-05-17", False, 2905.5)


def test_native_ids_are_taken_as_they_are() -> None:
    assert contract_ids(_chain(symbol=["BTC-29OCT21-50000-C"])) == ["BTC-29OCT21-50000-C"]


@pytest.mark.parametrize("strike", [float("nan"), -5.0, 1e9, 2900.00049])
def test_contract_ids_refuse_strikes_without_a_symbol(strike: float) -> None:
    with pytest.raises(ValueError, match="strike"):
        contract_ids(_chain(expiry_index=[0, 0], strike=[2900.0, strike], is_call=[True, True]))
