import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest
from waiting import until

from skewline.servers.runtime.broadcast import Broadcast
from skewline.servers.runtime.conversation import converse, terms_of
from skewline.servers.runtime.errors import InvalidArgument, ResourceExhausted
from skewline.servers.runtime.subscription import (
    Entry,
    Gap,
    Grant,
    Heartbeat,
    History,
    Item,
    Reply,
    Snapshot,
    Terms,
    Update,
)
from skewline.v1 import common_pb2


class Log:
    """An event log in memory, pruned from the front, read by pages."""

    def __init__(self, page: int = 3) -> None:
        self.entries: list[Entry[str]] = []
        self.newest = 0
        self.reads = 0
        self._page = page
        self.before_read: list[asyncio.Event] = []

    def append(self, hub: Broadcast[str], key: str) -> None:
        self.newest += 1
        self.entries.append(Entry(self.newest, key, f"{key}{self.newest}"))
        hub.offer(key, self.newest, f"{key}{self.newest}")

    async def since(self, sequence: int) -> History[str]:
        self.reads += 1
        later = tuple(entry for entry in self.entries if entry.sequence > sequence)[: self._page]
        oldest, newest = self.entries[0].sequence if self.entries else 0, self.newest
        if self.before_read:
            await self.before_read[0].wait()
        return History(later, oldest, newest)


async def take(items: AsyncGenerator[Item[str], None], count: int) -> list[Item[str]]:
    async with asyncio.timeout(10):
        return [await anext(items) for _ in range(count)]


def brief(items: list[Item[str]]) -> list[str]:
    return [str(item.item) for item in items if isinstance(item, Snapshot | Update)]


async def test_starts_with_what_is_current_then_updates() -> None:
    hub = Broadcast[str]()
    for sequence, key in enumerate("AABC", start=1):
        hub.offer(key, sequence, f"{key}{sequence}")
    with hub.subscriber() as subscriber:
        subscriber.open(Terms(keys=frozenset("AB")))
        async with aclosing(subscriber.items()) as items:
            assert await take(items, 2) == [Snapshot(2, "A", "A2"), Snapshot(3, "B", "B3")]
            hub.offer("C", 5, "C5")
            hub.offer("B", 6, "B6")
            assert await take(items, 1) == [Update(6, "B", "B6")]


async def test_no_credit_conflates_per_key_and_tells_the_gap() -> None:
    hub = Broadcast[str]()
    with hub.subscriber() as subscriber:
        subscriber.open(Terms(credit=1))
        async with aclosing(subscriber.items()) as items:
            hub.offer("A", 1, "A1")
            assert brief(await take(items, 1)) == ["A1"]
            for sequence, key in enumerate("ABAAB", start=2):
                hub.offer(key, sequence, f"{key}{sequence}")
            subscriber.grant(2)
            assert await take(items, 3) == [
                Gap(2, 4, "CONFLATED", sequence=1, skipped=3),
                Update(5, "A", "A5"),
                Update(6, "B", "B6"),
            ]


async def test_a_reader_that_does_not_read_holds_bounded_memory_and_gets_the_newest() -> None:
    hub = Broadcast[str](capacity=8)
    with hub.subscriber() as slow, hub.subscriber() as fast:
        slow.open(Terms())
        fast.open(Terms())
        async with aclosing(fast.items()) as items:
            for sequence in range(1, 1001):
                hub.offer("A", sequence, f"A{sequence}")
                assert brief(await take(items, 1)) == [f"A{sequence}"]
        async with aclosing(slow.items()) as late:
            received = await take(late, 9)
    assert brief(received) == [*(f"A{sequence}" for sequence in range(1, 8)), "A1000"]
    assert Gap(8, 999, "CONFLATED", sequence=7, skipped=992) in received


async def test_lossless_subscriber_that_is_too_slow_is_told_where_to_resume() -> None:
    log = Log()
    hub = Broadcast[str](since=log.since, lossless=True, capacity=4, current=False)
    with hub.subscriber() as subscriber:
        subscriber.open(Terms())
        async with aclosing(subscriber.items()) as items:
            for _ in range(4):
                log.append(hub, "A")
            assert brief(await take(items, 2)) == ["A1", "A2"]
            for _ in range(3):
                log.append(hub, "A")
            with pytest.raises(ResourceExhausted, match="resume after sequence 2"):
                await take(items, 1)
    with hub.subscriber() as again:
        again.open(Terms(resume_after=2))
        async with aclosing(again.items()) as items:
            assert brief(await take(items, 5)) == ["A3", "A4", "A5", "A6", "A7"]


async def test_resume_joins_the_log_and_live_items_without_hole_or_repeat() -> None:
    log = Log(page=3)
    hub = Broadcast[str](since=log.since)
    for _ in range(10):
        log.append(hub, "A")
    with hub.subscriber() as subscriber:
        subscriber.open(Terms(resume_after=2))
        async with aclosing(subscriber.items()) as items:
            received = await take(items, 3)
            log.append(hub, "A")
            received += await take(items, 6)
            blocked = asyncio.Event()
            log.before_read.append(blocked)
            reads = log.reads
            rest = asyncio.create_task(take(items, 1))
            await until(lambda: log.reads > reads)
            log.append(hub, "A")
            blocked.set()
            received += await rest
            log.append(hub, "A")
            received += await take(items, 1)
    assert brief(received) == [f"A{sequence}" for sequence in range(3, 14)]


async def test_resume_from_before_the_log_begins_with_a_gap() -> None:
    log = Log(page=10)
    hub = Broadcast[str](since=log.since)
    for _ in range(10):
        log.append(hub, "A")
    del log.entries[:6]
    with hub.subscriber() as subscriber:
        subscriber.open(Terms(resume_after=2))
        async with aclosing(subscriber.items()) as items:
            received = await take(items, 5)
    assert received[0] == Gap(3, 6, "EXPIRED", sequence=2)
    assert brief(received) == ["A7", "A8", "A9", "A10"]


async def test_resume_ahead_of_the_log_is_refused() -> None:
    log = Log()
    hub = Broadcast[str](since=log.since)
    log.append(hub, "A")
    with hub.subscriber() as subscriber:
        subscriber.open(Terms(resume_after=7))
        async with aclosing(subscriber.items()) as items:
            with pytest.raises(InvalidArgument, match=r"resume_after: is ahead of the newest sequence 1"):
                await take(items, 1)


async def test_replacing_the_subscription_drops_what_waited_under_the_old_one() -> None:
    hub = Broadcast[str]()
    with hub.subscriber() as subscriber:
        subscriber.open(Terms(keys=frozenset("A")))
        async with aclosing(subscriber.items()) as items:
            hub.offer("A", 1, "A1")
            hub.offer("B", 2, "B2")
            subscriber.open(Terms(keys=frozenset("B")))
            assert await take(items, 1) == [Snapshot(2, "B", "B2")]


async def test_idle_stream_sends_heartbeats_with_the_place_to_resume() -> None:
    hub = Broadcast[str](heartbeat_s=0.01)
    hub.offer("A", 4, "A4")
    with hub.subscriber() as subscriber:
        subscriber.open(Terms(keys=frozenset("B")))
        async with aclosing(subscriber.items()) as items:
            hub.offer("A", 5, "A5")
            assert (await take(items, 2))[-1] == Heartbeat(newest=5, sequence=5)


async def never() -> AsyncIterator[common_pb2.Subscription]:
    yield common_pb2.Subscription(underlyings=["A"], credit=2)
    await asyncio.Event().wait()


async def as_terms(request: common_pb2.Subscription) -> Terms | Grant | Reply:
    return terms_of(request)


async def test_500_cancelled_conversations_leave_nothing_behind() -> None:
    hub = Broadcast[str]()
    tasks_before = len(asyncio.all_tasks())

    async def converse_for_ever() -> None:
        async with aclosing(converse(hub, never(), as_terms, draining=asyncio.Event())) as items:
            async for _ in items:
                pass

    running = [asyncio.create_task(converse_for_ever()) for _ in range(500)]
    await until(lambda: hub.subscribers == 500)
    hub.offer("A", 1, "A1")
    await asyncio.sleep(0)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert hub.subscribers == 0
    assert len(asyncio.all_tasks()) == tasks_before
    hub.offer("A", 2, "A2")


async def test_conversation_ends_when_the_server_drains() -> None:
    hub, draining = Broadcast[str](), asyncio.Event()
    hub.offer("A", 1, "A1")
    async with aclosing(converse(hub, never(), as_terms, draining=draining)) as items:
        assert brief(await take(items, 1)) == ["A1"]
        draining.set()
        async with asyncio.timeout(10):
            assert [item async for item in items] == []


async def test_commands_are_answered_before_updates_and_an_error_ends_the_stream() -> None:
    hub = Broadcast[str]()
    hub.offer("A", 1, "A1")

    async def requests() -> AsyncIterator[str]:
        for request in ("order", "subscribe", "nonsense"):
            yield request

    async def command(request: str) -> Terms | Grant | Reply:
        if request == "nonsense":
            raise terms_error()
        return Terms() if request == "subscribe" else Reply(f"{request} taken")

    async with aclosing(converse(hub, requests(), command)) as items:
        assert await take(items, 1) == [Reply("order taken")]
        with pytest.raises(InvalidArgument, match=r"subscribe\.underlyings"):
            await take(items, 2)


def terms_error() -> Exception:
    with pytest.raises(InvalidArgument) as caught:
        terms_of(common_pb2.Subscription(underlyings=[""]))
    return caught.value


async def test_client_that_only_sends_commands_and_leaves_ends_the_stream() -> None:
    async def requests() -> AsyncIterator[str]:
        for number in range(200):
            yield str(number)

    async def command(request: str) -> Terms | Grant | Reply:
        return Reply(request)

    async with asyncio.timeout(10):
        answers = [item async for item in converse(Broadcast[str](), requests(), command)]
    assert [item.value for item in answers if isinstance(item, Reply)] == [str(n) for n in range(200)]


def test_terms_of_a_subscription_without_credit_have_no_limit() -> None:
    assert terms_of(common_pb2.Subscription(resume_after=3)) == Terms(resume_after=3, credit=None)
    assert terms_of(common_pb2.Subscription(underlyings=["SPX"], credit=5)) == Terms(frozenset({"SPX"}), 0, 5)
