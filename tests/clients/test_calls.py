"""Calls over real servers: answers, pages, deadlines, retries, errors."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from either_client import IMPATIENT, Connect, Either
from recorded_services import endpoints, serving
from recorded_signals import BUSY, HALTED, TIME_NS, RecordedSignals

from skewline.clients import (
    ClientClosed,
    Endpoints,
    FieldViolation,
    NoStack,
    SkewlineError,
    Unreachable,
)

NOBODY = Endpoints().at({"signal": "127.0.0.1:1"})


@pytest.fixture
def recorded() -> RecordedSignals:
    return RecordedSignals()


@pytest.fixture
async def client(connect: Connect, recorded: RecordedSignals, tmp_path: Path) -> AsyncIterator[Either]:
    async with serving("signal", recorded.register, tmp_path) as server:
        yield connect(endpoints("signal", server))


async def test_an_answer_is_the_message_asked_for(client: Either) -> None:
    found = await client.ask("signal.get_signal", "signal-3")
    assert found.signal_id == "signal-3"
    assert found.time_ns == TIME_NS + 3


async def test_a_list_goes_over_all_pages(client: Either, recorded: RecordedSignals) -> None:
    found = [s.signal_id async for s in client.items("signal.list_signals")]
    assert found == [f"signal-{n}" for n in range(7)]
    assert recorded.calls == 3


async def test_a_list_fetches_no_page_that_is_not_wanted(client: Either, recorded: RecordedSignals) -> None:
    found = [s.signal_id async for s in client.items("signal.list_signals", limit=3)]
    assert found == ["signal-0", "signal-1", "signal-2"]
    assert recorded.calls == 1


async def test_what_does_not_exist_is_named(client: Either) -> None:
    with pytest.raises(SkewlineError, match="signal: there is no signal 'nothing'") as caught:
        await client.ask("signal.get_signal", "nothing")
    assert caught.value.code is grpc.StatusCode.NOT_FOUND


async def test_bad_input_names_field_and_fix(client: Either) -> None:
    with pytest.raises(
        SkewlineError, match=r"signal: min_confidence: must be from 0 to 1, not 2\.0"
    ) as caught:
        [s async for s in client.items("signal.list_signals", min_confidence=2.0)]
    assert caught.value.violations == (FieldViolation("min_confidence", "must be from 0 to 1, not 2.0"),)


async def test_a_time_without_zone_is_refused_before_asking(
    client: Either, recorded: RecordedSignals
) -> None:
    naive = datetime(2019, 4, 25, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(SkewlineError, match="since: must have a time zone"):
        [s async for s in client.items("signal.list_signals", since=naive)]
    assert recorded.calls == 0


async def test_a_refusal_carries_its_reason_and_is_not_repeated(
    client: Either, recorded: RecordedSignals
) -> None:
    recorded.failures = [HALTED]
    with pytest.raises(SkewlineError, match=r"trading is halted \[KILL_SWITCH\]") as caught:
        await client.ask("signal.get_signal", "signal-0")
    assert (caught.value.reason, caught.value.metadata) == ("KILL_SWITCH", {"by": "desk"})
    assert recorded.calls == 1


async def test_a_busy_service_is_asked_again_when_it_says(client: Either, recorded: RecordedSignals) -> None:
    recorded.failures = [BUSY, BUSY]
    assert (await client.ask("signal.get_signal", "signal-0")).signal_id == "signal-0"
    assert recorded.calls == 3


async def test_attempts_end(client: Either, recorded: RecordedSignals) -> None:
    recorded.failures = [BUSY] * 9
    with pytest.raises(SkewlineError, match="the service is starting"):
        await client.ask("signal.get_signal", "signal-0")
    assert recorded.calls == IMPATIENT.attempts


async def test_an_internal_error_is_not_repeated(client: Either, recorded: RecordedSignals) -> None:
    recorded.failures = [RuntimeError("secret")]
    with pytest.raises(SkewlineError) as caught:
        await client.ask("signal.get_signal", "signal-0")
    assert caught.value.code is grpc.StatusCode.INTERNAL
    assert "secret" not in str(caught.value)
    assert recorded.calls == 1


async def test_a_deadline_ends_a_call(connect: Connect, recorded: RecordedSignals, tmp_path: Path) -> None:
    recorded.slow = True
    async with serving("signal", recorded.register, tmp_path) as server:
        client = connect(endpoints("signal", server), dataclasses.replace(IMPATIENT, timeout_s=0.2))
        with pytest.raises(SkewlineError, match=r"signal: did not answer within 0\.2 s"):
            await client.ask("signal.get_signal", "signal-0")


async def test_a_service_may_be_given_another_deadline(client: Either, recorded: RecordedSignals) -> None:
    recorded.slow = True
    begun = time.monotonic()
    with pytest.raises(SkewlineError, match=r"within 0\.1 s"):
        await client.within(0.1).ask("signal.get_signal", "signal-0")
    assert time.monotonic() - begun < IMPATIENT.timeout_s


async def test_nobody_at_the_address_is_unreachable(connect: Connect) -> None:
    with pytest.raises(Unreachable, match=r"signal: does not answer at 127\.0\.0\.1:1.*skewline up"):
        await connect(NOBODY).ask("signal.get_signal", "signal-0")


async def test_an_unknown_address_says_how_to_give_one(connect: Connect) -> None:
    with pytest.raises(NoStack, match=r"risk: no address known.*--address risk=HOST:PORT"):
        await connect(NOBODY).ask("risk.get_state")


async def test_another_service_at_the_address_is_said(
    connect: Connect, recorded: RecordedSignals, tmp_path: Path
) -> None:
    async with serving("signal", recorded.register, tmp_path) as server:
        client = connect(Endpoints(risk=server.address))
        with pytest.raises(SkewlineError, match="does not offer this call; check the address"):
            await client.ask("risk.get_state")


async def test_a_closed_client_says_so(client: Either) -> None:
    await client.ask("signal.get_signal", "signal-0")
    await client.close()
    with pytest.raises(ClientClosed):
        await client.ask("signal.get_signal", "signal-0")


async def test_health_is_asked(client: Either) -> None:
    assert await client.ask("signal.is_serving")
