from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from trading_examples import EXPIRY_NS, NOW, call, chain

from skewline.servers.order.ledger import Holding, Ledger
from skewline.servers.order.quotes import Book, Contract
from skewline.servers.runtime.decimals import to_decimal
from skewline.v1 import common_pb2

RECORDED = common_pb2.PROVENANCE_RECORDED
SIMULATED = common_pb2.PROVENANCE_SIMULATED
CALL = Contract(call(2900), "SPX", True, Decimal(2900), EXPIRY_NS, Decimal(100), "USD")

cents = st.integers(min_value=1, max_value=1_000_000).map(lambda n: Decimal(n) / 100)
contracts = st.integers(min_value=-50, max_value=50).filter(bool).map(Decimal)
trades = st.lists(st.tuples(contracts, cents, cents), min_size=1, max_size=40)


def record(ledger: Ledger, signed: str | Decimal, price: str | Decimal, fee: str | Decimal = "0") -> Holding:
    return ledger.record(
        CALL, Decimal(signed), Decimal(price), Decimal(fee), time_ns=NOW, provenance=SIMULATED
    )


@settings(max_examples=300, deadline=None)
@given(trades, cents)
def test_profit_is_cash_plus_market_value_to_the_last_digit(
    made: list[tuple[Decimal, Decimal, Decimal]], mark: Decimal
) -> None:
    ledger = Ledger()
    cash = fees = Decimal(0)
    for signed, price, fee in made:
        held = record(ledger, signed, price, fee)
        cash -= signed * price * 100
        fees += fee
    held.mark = mark
    pnl = ledger.pnl(NOW)[0]
    assert to_decimal(pnl.realised) + to_decimal(pnl.unrealised) == cash + held.quantity * 100 * mark
    assert to_decimal(pnl.net) == cash + held.quantity * 100 * mark - fees
    assert held.quantity == sum(signed for signed, _, _ in made)


@settings(max_examples=100, deadline=None)
@given(trades)
def test_a_closed_position_has_no_cost_and_all_profit_is_realised(
    made: list[tuple[Decimal, Decimal, Decimal]],
) -> None:
    ledger = Ledger()
    for signed, price, fee in made:
        held = record(ledger, signed, price, fee)
    if held.quantity:
        held = record(ledger, -held.quantity, "7.77")
    assert held.cost == 0
    assert held.market_value == 0
    assert to_decimal(ledger.pnl(NOW)[0].unrealised) == 0


@settings(max_examples=100, deadline=None)
@given(trades)
def test_a_restored_ledger_goes_on_as_the_undisturbed_one(
    made: list[tuple[Decimal, Decimal, Decimal]],
) -> None:
    undisturbed, restored = Ledger(), Ledger()
    for signed, price, fee in made:
        record(undisturbed, signed, price, fee)
        record(restored, signed, price, fee)
        restored = Ledger(holding for holding in [restored.get(CALL.instrument_id)] if holding is not None)
    assert restored.pnl(NOW) == undisturbed.pnl(NOW)


def test_a_partial_close_releases_its_share_of_the_cost() -> None:
    ledger = Ledger()
    record(ledger, "3", "10")
    held = record(ledger, "-1", "12")
    assert held.realised == 200
    assert held.cost == 2000
    assert to_decimal(held.message().average_price) == 10


def test_crossing_through_zero_opens_the_other_side_at_the_new_price() -> None:
    ledger = Ledger()
    record(ledger, "2", "10")
    held = record(ledger, "-5", "11")
    assert held.realised == 200
    assert held.quantity == -3
    assert held.cost == -3300
    assert to_decimal(held.message().average_price) == 11


def test_a_short_position_gains_when_it_is_bought_back_lower() -> None:
    ledger = Ledger()
    record(ledger, "-10", "5")
    held = record(ledger, "4", "6")
    assert held.realised == -400
    assert held.cost == -3000


def test_marks_are_mids_and_a_contract_without_a_quote_keeps_its_mark() -> None:
    ledger = Ledger()
    held = record(ledger, "1", "40")
    ledger.mark(Book(chain(quotes={call(2900): (40.0, 41.0)}), 10))
    assert held.mark == Decimal("40.5")
    ledger.mark(Book(chain(quotes={call(2950): (1.0, 2.0)}, time_ns=NOW + 1), 10))
    assert (held.mark, held.mark_ns) == (Decimal("40.5"), NOW)


def test_currencies_are_kept_apart() -> None:
    ledger = Ledger()
    record(ledger, "1", "40")
    other = Contract("X", "DAX", True, Decimal(1), EXPIRY_NS, Decimal(5), "EUR")
    ledger.record(other, Decimal(1), Decimal(2), Decimal("1.1"), time_ns=NOW, provenance=SIMULATED)
    fees = {point.currency: to_decimal(point.fees) for point in ledger.pnl(NOW)}
    assert fees == {"EUR": Decimal("1.1"), "USD": Decimal(0)}


def marked_at(provenance: common_pb2.Provenance.ValueType) -> Book:
    quoted = chain()
    quoted.provenance = provenance
    return Book(quoted, 10)


def test_profit_is_simulated_as_soon_as_a_fill_or_a_mark_of_what_is_open_is() -> None:
    ledger = Ledger()
    bought = ledger.record(CALL, Decimal(2), Decimal(41), Decimal(0), time_ns=NOW, provenance=RECORDED)
    assert ledger.pnl(NOW)[0].provenance == bought.message().provenance == RECORDED
    ledger.mark(marked_at(SIMULATED))
    assert ledger.pnl(NOW)[0].provenance == bought.message().provenance == SIMULATED
    ledger.mark(marked_at(RECORDED))
    assert ledger.pnl(NOW)[0].provenance == bought.message().provenance == RECORDED
    ledger.record(CALL, Decimal(-1), Decimal(42), Decimal(0), time_ns=NOW, provenance=SIMULATED)
    ledger.mark(marked_at(RECORDED))
    assert ledger.pnl(NOW)[0].provenance == bought.message().provenance == SIMULATED
    assert Ledger([bought]).pnl(NOW) == ledger.pnl(NOW)
