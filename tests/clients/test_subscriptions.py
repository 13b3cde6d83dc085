"""Live streams: what comes, what is resumed, and what stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import grpc
import pytest
from either_client import IMPATIENT, Connect, Either
from recorded_services import RecordedFeed, endpoints, serving
from recorded_signals import RecordedSignals
from waiting import until

from skewline.clients import AsyncClient, ClientOptions, Endpoints, Gap, SkewlineError, Unreachable, Update


@pytest.fixture
def recorded() -> RecordedSignals:
    return RecordedSignals()


@pytest.fixture
async def client(connect: Connect, recorded: RecordedSignals, tmp_path: Path) -> AsyncIterator[Either]:
    async with serving("signal", recorded.register, tmp_path) as server:
        yield connect(endpoints("signal", server))


async def take(client: Either, count: int, *args: object, **kwargs: object) -> list[Update[object] | Gap]:
    async with aclosing(client.items("signal.stream_signals", *args, **kwargs)) as items:
        found: list[Update[object] | Gap] = []
        async for item in items:
            found.append(item)
            if len(found) == count:
                break
    return found


async def test_what_is_current_comes_first_then_what_is_new(
    client: Either, recorded: RecordedSignals
) -> None:
    recorded.publish("a")
    recorded.publish("b")
    seen = []
    async with aclosing(client.items("signal.stream_signals")) as items:
        async for item in items:
            seen.append((item.sequence, item.content.snapshot_id, item.is_snapshot))
            if len(seen) == 1:
                recorded.publish("c")
            else:
                break
    assert seen == [(2, "b", True), (3, "c", False)]


async def test_only_the_underlyings_wanted(client: Either, recorded: RecordedSignals) -> None:
    recorded.publish("a", "SPX")
    recorded.publish("b", "GOOG")
    (item,) = await take(client, 1, ["GOOG"])
    assert isinstance(item, Update)
    assert item.sequence == 2


async def test_it_goes_on_after_a_sequence(client: Either, recorded: RecordedSignals) -> None:
    for name in "abcde":
        recorded.publish(name)
    assert [item.sequence for item in await take(client, 3, resume_after=2)] == [3, 4, 5]


async def test_credit_is_granted_as_items_are_taken(client: Either, recorded: RecordedSignals) -> None:
    for n in range(20 * IMPATIENT.credit):
        recorded.publish(str(n))
    found = await take(client, 79, resume_after=1)
    assert [item.sequence for item in found] == list(range(2, 81))


async def test_what_is_no_longer_kept_is_a_gap(client: Either, recorded: RecordedSignals) -> None:
    for name in "abcde":
        recorded.publish(name)
    recorded.feed.oldest = 4
    gap, item = await take(client, 2, resume_after=1)
    assert isinstance(gap, Gap)
    assert (gap.from_sequence, gap.to_sequence, gap.reason) == (2, 3, "EXPIRED")
    assert item.sequence == 4


async def test_a_stream_resumes_when_the_service_comes_back_on_its_port(
    connect: Connect, recorded: RecordedSignals, tmp_path: Path
) -> None:
    async with serving("signal", recorded.register, tmp_path) as server:
        port = server.port
        client = connect(endpoints("signal", server))
        recorded.publish("a")
        items = client.items("signal.stream_signals")
        assert (await anext(items)).content.snapshot_id == "a"
    for name in "bc":  # what is published while the client is away
        recorded.publish(name)
    recorded.feed.restart()
    async with serving("signal", recorded.register, tmp_path, port):
        seen = [await anext(items) for _ in range(2)]
        recorded.publish("d")
        seen.append(await anext(items))
        await items.aclose()
    assert [(item.sequence, item.content.snapshot_id, item.is_snapshot) for item in seen] == [
        (2, "b", False),
        (3, "c", False),
        (4, "d", False),
    ]


async def test_one_who_was_too_slow_for_a_lossless_stream_resumes_from_the_log(
    connect: Connect, tmp_path: Path
) -> None:
    recorded = RecordedSignals(feed=RecordedFeed(lossless=True, capacity=2))
    async with serving("signal", recorded.register, tmp_path) as server:
        client = connect(endpoints("signal", server), ClientOptions(credit=2, first_pause_s=0.01))
        recorded.publish("0")
        items = client.items("signal.stream_signals")
        await anext(items)
        for n in range(1, 30):
            recorded.publish(str(n))
        seen = [(await anext(items)).content.snapshot_id for _ in range(29)]
        await items.aclose()
    assert seen == [str(n) for n in range(1, 30)]


async def test_bad_resumption_is_said_not_retried(client: Either, recorded: RecordedSignals) -> None:
    recorded.publish("a")
    with pytest.raises(SkewlineError, match=r"subscribe\.resume_after: is ahead of the newest") as caught:
        await take(client, 1, resume_after=99)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_nobody_at_the_address_ends_it_soon(connect: Connect) -> None:
    with pytest.raises(Unreachable):
        await take(connect(Endpoints(signal="127.0.0.1:1")), 1)


async def test_closing_a_stream_leaves_nothing_at_the_service(
    client: Either, recorded: RecordedSignals
) -> None:
    recorded.publish("a")
    await take(client, 1)
    await until(lambda: recorded.feed.broadcast.subscribers == 0)


async def test_closing_the_client_ends_its_streams(client: Either, recorded: RecordedSignals) -> None:
    recorded.publish("a")
    items = client.items("signal.stream_signals")
    await anext(items)
    await client.close()
    with pytest.raises(SkewlineError, match="the client is closed"):
        await anext(items)
    await until(lambda: recorded.feed.broadcast.subscribers == 0)


async def test_a_cancelled_task_leaves_nothing_at_the_service(
    recorded: RecordedSignals, tmp_path: Path
) -> None:
    async with (
        serving("signal", recorded.register, tmp_path) as server,
        AsyncClient(endpoints("signal", server), IMPATIENT) as client,
    ):

        async def read() -> None:
            async for _ in client.signal.stream_signals():
                pass

        task = asyncio.create_task(read())
        await until(lambda: recorded.feed.broadcast.subscribers == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: recorded.feed.broadcast.subscribers == 0)
        assert (await client.signal.get_signal("signal-0")).signal_id == "signal-0"


async def test_a_loop_left_early_leaves_nothing_at_the_service(
    recorded: RecordedSignals, tmp_path: Path
) -> None:
    recorded.publish("a")
    async with (
        serving("signal", recorded.register, tmp_path) as server,
        AsyncClient(endpoints("signal", server), IMPATIENT) as client,
    ):
        async for _ in client.signal.stream_signals():
            break
        await until(lambda: recorded.feed.broadcast.subscribers == 0)
