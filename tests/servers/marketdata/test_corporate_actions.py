"""Corporate actions in the market data service: made known, carried by snapshots, kept in the master."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from chain_samples import DAY_NS, FRIDAY_NS, small_chain
from market_service import market_data_service, settings_of
from nats.aio.client import Client
from splits import dividend, split, symbol_change

from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.nats_server import NatsServer
from skewline.v1 import chain_pb2, corporate_action_pb2, event_pb2
from skewline.v1 import market_data_service_pb2 as pb

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

SAMPLE = small_chain()
NAME = SAMPLE.underlying


@pytest.fixture
async def stub(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[MarketDataServiceAsyncStub]:
    async with market_data_service(settings_of(tmp_path, nats_server.url)) as connected:
        yield connected


def told(action: corporate_action_pb2.CorporateAction) -> corporate_action_pb2.CorporateAction:
    """As a client tells it."""
    bare = corporate_action_pb2.CorporateAction()
    bare.CopyFrom(action)
    bare.ClearField("action_id")
    bare.ClearField("effective_ns")
    return bare


async def publish(stub: MarketDataServiceAsyncStub, chain: chain_pb2.OptionChain) -> chain_pb2.OptionChain:
    async def requests() -> AsyncIterator[pb.PublishChainsRequest]:
        yield pb.PublishChainsRequest(request_id="r", chain=chain)

    answers = [answer.summary async for answer in stub.PublishChains(requests())]
    assert answers[0].status == chain_pb2.CHAIN_STATUS_ACCEPTED, answers[0].detail
    return (await stub.GetChain(pb.GetChainRequest(snapshot_id=answers[0].snapshot_id))).chain


def tuesday() -> corporate_action_pb2.CorporateAction:
    """A split of the sample's underlying, between Friday's snapshot and Tuesday's."""
    return split(NAME, "2019-05-28", 2)


async def test_a_recorded_split_is_carried_from_its_first_snapshot_on_and_linked_in_the_master(
    stub: MarketDataServiceAsyncStub, nats_server: NatsServer
) -> None:
    asked = pb.RecordCorporateActionsRequest(request_id="r", corporate_actions=[told(tuesday())])
    answer = await stub.RecordCorporateActions(asked)
    assert list(answer.recorded) == [tuesday()]
    assert not answer.late
    again = await stub.RecordCorporateActions(asked)
    assert (list(again.recorded), again.known) == ([], 1)
    friday = await publish(stub, small_chain(time_ns=FRIDAY_NS))
    assert not friday.corporate_actions
    halved = small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS, spot=friday.spot / 2)
    for index, strike in enumerate(halved.strike):
        halved.strike[index] = strike / 2
    after = await publish(stub, halved)
    assert list(after.corporate_actions) == [tuesday()]
    listed = await stub.ListInstruments(pb.ListInstrumentsRequest(underlying=NAME, page_size=1000))
    links = {each.instrument_id: each for each in listed.instruments if each.successor_id}
    assert links
    for each in links.values():
        made = await stub.GetInstrument(pb.GetInstrumentRequest(instrument_id=each.successor_id))
        assert made.instrument.predecessor_id == each.instrument_id
        assert to_decimal(made.instrument.strike) * 2 == to_decimal(each.strike)
    actions = await stub.ListCorporateActions(pb.ListCorporateActionsRequest(underlying=NAME))
    assert list(actions.corporate_actions) == [tuesday()]
    daily = pb.ListBarsRequest(underlying=NAME, interval_ns=DAY_NS)
    assert [bar.close for bar in (await stub.ListBars(daily)).bars] == [50.0, 50.0]
    daily.to_ns = FRIDAY_NS + DAY_NS
    assert [bar.close for bar in (await stub.ListBars(daily)).bars] == [100.0]
    asked_vol = pb.GetRealisedVolatilityRequest(underlying=NAME, windows=[5])
    assert (await stub.GetRealisedVolatility(asked_vol)).bars == 2
    client = Client()
    await client.connect(nats_server.url)
    message = await client.jetstream().get_last_msg("MARKET", f"market.action.{NAME}")
    assert event_pb2.Event.FromString(message.data or b"").corporate_action == tuesday()
    await client.close()


async def test_one_that_comes_too_late_says_so(stub: MarketDataServiceAsyncStub) -> None:
    await publish(stub, small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS))
    asked = pb.RecordCorporateActionsRequest(request_id="r", corporate_actions=[told(tuesday())])
    answer = await stub.RecordCorporateActions(asked)
    assert list(answer.late) == [tuesday()]


async def test_a_symbol_that_changed_before_the_new_one_was_seen_is_late(
    stub: MarketDataServiceAsyncStub,
) -> None:
    await publish(stub, small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS))
    change = symbol_change("OLD", NAME, "2019-05-28")
    asked = pb.RecordCorporateActionsRequest(request_id="r", corporate_actions=[told(change)])
    assert list((await stub.RecordCorporateActions(asked)).late) == [change]


async def test_two_of_one_kind_and_day_must_say_the_same(stub: MarketDataServiceAsyncStub) -> None:
    regular, special = told(dividend(NAME)), told(dividend(NAME, cents=500))
    asked = pb.RecordCorporateActionsRequest(request_id="r", corporate_actions=[regular, special])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RecordCorporateActions(asked)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    said = "corporate_actions[1].ex_date: has other terms in corporate_actions[0]"
    assert said in (caught.value.details() or "")
    asked = pb.RecordCorporateActionsRequest(request_id="r", corporate_actions=[regular, regular])
    answer = await stub.RecordCorporateActions(asked)
    assert (list(answer.recorded), answer.known) == ([dividend(NAME)], 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": 0}, "corporate_actions[1].kind"),
        ({"underlying": ""}, "corporate_actions[1].underlying"),
        ({"underlying": "A B"}, "corporate_actions[1].underlying"),
        ({"ex_date": "29.4.2019"}, "corporate_actions[1].ex_date"),
        ({"ex_date": "9999-12-31"}, "corporate_actions[1].ex_date"),
        ({"ex_date": "1066-10-14"}, "corporate_actions[1].ex_date"),
        ({"new_symbol": "ABC"}, "corporate_actions[1].new_symbol"),
        ({"new_units": 0}, "corporate_actions[1].new_units"),
        ({"old_units": 2}, "changes nothing"),
        ({"new_units": 10**7}, "at most 10000 for 1"),
        ({"kind": 2}, "corporate_actions[1].amount"),
        ({"kind": 3}, "corporate_actions[1].new_symbol"),
    ],
)
async def test_rubbish_is_refused_with_field_and_fix_and_nothing_of_it_is_kept(
    stub: MarketDataServiceAsyncStub, change: dict[str, object], said: str
) -> None:
    wrong = told(tuesday())
    for field, value in change.items():
        setattr(wrong, field, value)
    request = pb.RecordCorporateActionsRequest(
        request_id="r", corporate_actions=[told(dividend(NAME)), wrong]
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RecordCorporateActions(request)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert said in (caught.value.details() or "")
    listed = await stub.ListCorporateActions(pb.ListCorporateActionsRequest())
    assert not listed.corporate_actions


async def test_a_list_has_pages_and_is_by_effect(stub: MarketDataServiceAsyncStub) -> None:
    actions = [dividend(NAME, f"2019-0{month}-01") for month in (5, 1, 9)]
    asked = pb.RecordCorporateActionsRequest(request_id="r", corporate_actions=[told(a) for a in actions])
    await stub.RecordCorporateActions(asked)
    seen, token = [], ""
    for _ in range(3):
        page = await stub.ListCorporateActions(
            pb.ListCorporateActionsRequest(underlying=NAME, page_size=1, page_token=token)
        )
        seen += [action.ex_date for action in page.corporate_actions]
        token = page.next_page_token
    assert (seen, token) == (["2019-01-01", "2019-05-01", "2019-09-01"], "")


def test_a_change_of_terms_counts_until_the_action_takes_effect() -> None:
    engine = MarketDataEngine()
    declared, changed = dividend(NAME, "2019-05-28"), dividend(NAME, "2019-05-28", 50)
    assert engine.learn([declared]) == [declared]
    assert engine.learn([changed]) == [changed]
    outcome = engine.on_chain(small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS))
    assert outcome.chain is not None
    assert engine.learn([declared]) == []


def test_a_snapshot_carries_dividends_to_come_and_no_split_to_come() -> None:
    engine = MarketDataEngine()
    chain = small_chain(time_ns=FRIDAY_NS)
    last = max(expiry.expiry_date for expiry in chain.expiries)
    inside = dividend(NAME, last)
    later = split(NAME, "2038-01-04", 2)
    engine.learn([inside, dividend(NAME, "2039-01-03"), later, symbol_change("OLD", NAME, "2019-05-20")])
    outcome = engine.on_chain(chain)
    assert outcome.chain is not None
    assert [a.ex_date for a in outcome.chain.corporate_actions] == ["2019-05-20", last]


def test_a_dividend_behind_a_split_yet_to_come_is_carried_once_the_split_is_in_effect() -> None:
    engine = MarketDataEngine()
    before, behind = dividend(NAME, "2019-05-27"), dividend(NAME, "2019-05-29")
    engine.learn([before, behind, tuesday()])
    carried = []
    for day in (0, 4):
        outcome = engine.on_chain(small_chain(time_ns=FRIDAY_NS + day * DAY_NS, spot=100.0 + day))
        assert outcome.chain is not None, outcome.summary.detail
        carried.append([each.ex_date for each in outcome.chain.corporate_actions])
    assert carried == [["2019-05-27"], ["2019-05-27", "2019-05-28", "2019-05-29"]]


def test_what_a_chain_brings_is_learnt_once() -> None:
    engine = MarketDataEngine()
    chain = small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS)
    chain.corporate_actions.append(told(tuesday()))
    assert engine.on_chain(chain).actions == [tuesday()]
    later = small_chain(time_ns=FRIDAY_NS + 5 * DAY_NS, spot=99.0)
    later.corporate_actions.append(told(tuesday()))
    outcome = engine.on_chain(later)
    assert outcome.actions == []
    assert outcome.chain is not None
    assert list(outcome.chain.corporate_actions) == [tuesday()]


def test_a_split_in_a_long_pause_is_carried_by_the_first_snapshot_after_it() -> None:
    engine = MarketDataEngine()
    engine.on_chain(small_chain(time_ns=FRIDAY_NS))
    engine.learn([tuesday()])
    carried = []
    for day in (38, 39):
        outcome = engine.on_chain(small_chain(time_ns=FRIDAY_NS + day * DAY_NS, spot=100.0 + day))
        assert outcome.chain is not None, outcome.summary.detail
        carried.append(list(outcome.chain.corporate_actions))
    assert carried == [[tuesday()], []]


def test_a_split_of_the_earlier_symbol_is_carried_under_the_new_one() -> None:
    engine = MarketDataEngine()
    engine.on_chain(small_chain(time_ns=FRIDAY_NS))
    change = symbol_change(NAME, "NEW", "2019-05-28")
    engine.learn([tuesday(), change])
    renamed = small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS)
    renamed.underlying = "NEW"
    outcome = engine.on_chain(renamed)
    assert outcome.chain is not None
    assert {each.action_id for each in outcome.chain.corporate_actions} == {
        tuesday().action_id,
        change.action_id,
    }


async def test_contracts_split_on_the_day_of_a_new_symbol_are_linked_to_what_is_listed_after_both(
    stub: MarketDataServiceAsyncStub,
) -> None:
    change = symbol_change(NAME, "NEW", "2019-05-28")
    asked = pb.RecordCorporateActionsRequest(
        request_id="r", corporate_actions=[told(change), told(tuesday())]
    )
    await stub.RecordCorporateActions(asked)
    friday = await publish(stub, small_chain(time_ns=FRIDAY_NS))
    assert not friday.corporate_actions
    renamed = small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS, spot=friday.spot / 2)
    renamed.underlying = "NEW"
    for index, strike in enumerate(renamed.strike):
        renamed.strike[index] = strike / 2
    for expiry in renamed.expiries:
        expiry.root = expiry.root.replace(NAME, "NEW", 1)
    after = await publish(stub, renamed)
    assert after.strike
    listed = await stub.ListInstruments(pb.ListInstrumentsRequest(underlying=NAME, page_size=1000))
    links = [each for each in listed.instruments if each.successor_id and each.root]
    assert len(links) == len(after.strike)
    for each in links:
        made = (await stub.GetInstrument(pb.GetInstrumentRequest(instrument_id=each.successor_id))).instrument
        assert to_decimal(made.strike) * 2 == to_decimal(each.strike)
        assert (made.underlying, made.predecessor_id) == ("NEW", each.instrument_id)
