import asyncio
from collections.abc import Callable

import pytest
from nats.aio.client import Client
from waiting import DEADLINE_S as DEADLINE
from waiting import until

from skewline.servers.runtime import dead_letter
from skewline.servers.runtime.bus import Bus, BusUnavailable, Consumer, Delivery, Poison, PublishFailed
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.streams import MARKET, STREAMS, ensure_streams


async def publish_numbers(bus: Bus, numbers: range) -> None:
    for number in numbers:
        await bus.publish("market.chain.SPX", str(number).encode(), message_id=f"m{number}")
    await bus.flush()


class Collected:
    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    @property
    def numbers(self) -> list[int]:
        return [int(delivery.data) for delivery in self.deliveries]

    async def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)


async def dead_letters(bus: Bus, durable: str, count: int) -> list[dict[str, str]]:
    client = Client()
    await client.connect(bus.url)
    jetstream = client.jetstream()
    async with asyncio.timeout(DEADLINE):
        while (await jetstream.stream_info("DEAD")).state.messages < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    found = [await jetstream.get_msg("DEAD", sequence) for sequence in range(1, count + 1)]
    await client.close()
    assert {message.subject for message in found} == {f"dead.{durable}"}
    return [dict(message.headers or {}) for message in found]


async def test_delivers_in_order_with_id_trace_and_sequence(nats_server: NatsServer) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    got = Collected()
    async with await Bus.connect(nats_server.url, "test") as bus:
        await bus.publish("market.chain.SPX", b"0", message_id="m0", traceparent=trace)
        await publish_numbers(bus, range(1, 50))
        consumer = await bus.consume(MARKET, "reader", "market.chain.>", got)
        await until(lambda: len(got.deliveries) == 50)
        assert got.numbers == list(range(50))
        first = got.deliveries[0]
        assert (first.subject.split(".")[-1], first.message_id, first.traceparent) == ("SPX", "m0", trace)
        assert (first.stream, first.stream_sequence, first.attempt) == ("MARKET", 1, 1)
        await until(lambda: consumer.counts.handled == 50)


async def test_same_message_id_is_stored_once(nats_server: NatsServer) -> None:
    got = Collected()
    async with await Bus.connect(nats_server.url, "test") as bus:
        first = await bus.publish_confirmed("market.chain.SPX", b"1", message_id="a")
        again = await bus.publish_confirmed("market.chain.SPX", b"1", message_id="a")
        assert (first.duplicate, again.duplicate) == (False, True)
        assert again.sequence == first.sequence
        await publish_numbers(bus, range(5))
        await publish_numbers(bus, range(5))
        await bus.consume(MARKET, "reader", "market.>", got)
        await bus.publish_confirmed("market.chain.SPX", b"99", message_id="end")
        await until(lambda: 99 in got.numbers)
    assert got.numbers == [1, 0, 1, 2, 3, 4, 99]


async def test_durable_goes_on_where_it_stopped(nats_server: NatsServer) -> None:
    before, after = Collected(), Collected()
    async with await Bus.connect(nats_server.url, "test") as bus:
        await publish_numbers(bus, range(10))
        await bus.consume(MARKET, "reader", "market.>", before)
        await until(lambda: len(before.deliveries) == 10)
    async with await Bus.connect(nats_server.url, "test") as bus:
        await publish_numbers(bus, range(10, 20))
        await bus.consume(MARKET, "reader", "market.>", after)
        await until(lambda: 19 in after.numbers)
    assert before.numbers == list(range(10))
    assert after.numbers == list(range(10, 20))


async def test_failing_message_blocks_its_successors_until_it_succeeds(nats_server: NatsServer) -> None:
    attempts: list[tuple[int, int]] = []

    async def handler(delivery: Delivery) -> None:
        number = int(delivery.data)
        attempts.append((number, delivery.attempt))
        if number == 1 and delivery.attempt < 3:
            raise RuntimeError("not yet")

    async with await Bus.connect(nats_server.url, "test") as bus:
        await publish_numbers(bus, range(4))
        consumer = await bus.consume(MARKET, "reader", "market.>", handler, backoff_s=(0.02,))
        await until(lambda: consumer.counts.handled == 4)
        assert consumer.counts.retried == 2
    assert attempts == [(0, 1), (1, 1), (1, 2), (1, 3), (2, 1), (3, 1)]


async def test_unordered_consumer_is_not_held_back_by_a_failing_message(nats_server: NatsServer) -> None:
    order: list[int] = []

    async def handler(delivery: Delivery) -> None:
        number = int(delivery.data)
        if number == 0 and delivery.attempt == 1:
            raise RuntimeError("not yet")
        order.append(number)

    async with await Bus.connect(nats_server.url, "test") as bus:
        await publish_numbers(bus, range(4))
        await bus.consume(MARKET, "reader", "market.>", handler, ordered=False, backoff_s=(0.2,))
        await until(lambda: len(order) == 4)
    assert order == [1, 2, 3, 0]


async def test_poison_goes_to_dead_with_the_reason_at_once(nats_server: NatsServer) -> None:
    good: list[int] = []

    async def handler(delivery: Delivery) -> None:
        if delivery.data == b"1":
            raise Poison("not a chain:\nno bids")
        good.append(int(delivery.data))

    async with await Bus.connect(nats_server.url, "test") as bus:
        await publish_numbers(bus, range(3))
        consumer = await bus.consume(MARKET, "reader", "market.>", handler)
        await until(lambda: good == [0, 2])
        (letter,) = await dead_letters(bus, "reader", 1)
        assert consumer.counts.dead == 1
    assert letter[dead_letter.REASON] == "not a chain: no bids"
    assert letter[dead_letter.SUBJECT].endswith(".SPX")
    assert letter[dead_letter.STREAM] == "MARKET"
    assert letter[dead_letter.SEQUENCE] == "2"
    assert letter[dead_letter.ATTEMPTS] == "1"
    assert letter[dead_letter.MESSAGE_ID] == "m1"


async def test_message_that_keeps_failing_goes_to_dead_after_max_deliver(nats_server: NatsServer) -> None:
    tried: list[int] = []

    async def handler(delivery: Delivery) -> None:
        if delivery.data == b"0":
            tried.append(delivery.attempt)
            raise RuntimeError("database away")

    async with await Bus.connect(nats_server.url, "test") as bus:
        await publish_numbers(bus, range(2))
        consumer = await bus.consume(MARKET, "reader", "market.>", handler, max_deliver=3, backoff_s=(0.01,))
        (letter,) = await dead_letters(bus, "reader", 1)
        await until(lambda: consumer.counts.handled == 1)
    assert tried == [1, 2, 3]
    assert letter[dead_letter.REASON] == "RuntimeError: database away"
    assert letter[dead_letter.ATTEMPTS] == "3"


async def test_handler_slower_than_ack_wait_is_not_given_the_message_again(nats_server: NatsServer) -> None:
    attempts: list[int] = []

    async def handler(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        await asyncio.sleep(1.0)

    async with await Bus.connect(nats_server.url, "test") as bus:
        await publish_numbers(bus, range(2))
        consumer = await bus.consume(MARKET, "reader", "market.>", handler, ack_wait=0.3, ordered=False)
        await until(lambda: consumer.counts.handled == 2)
    assert attempts == [1, 1]


async def test_message_of_a_lost_consumer_comes_again_after_ack_wait(nats_server: NatsServer) -> None:
    stuck = asyncio.Event()
    got = Collected()

    async def never_ends(_delivery: Delivery) -> None:
        stuck.set()
        await asyncio.Event().wait()

    lost = await Bus.connect(nats_server.url, "lost")
    await publish_numbers(lost, range(3))
    consumer = await lost.consume(MARKET, "reader", "market.>", never_ends, ack_wait=0.4)
    await asyncio.wait_for(stuck.wait(), DEADLINE)
    abandon(consumer)
    async with await Bus.connect(nats_server.url, "test") as bus:
        await bus.consume(MARKET, "reader", "market.>", got, ack_wait=0.4)
        await until(lambda: got.numbers == [0, 1, 2])
    assert [delivery.attempt for delivery in got.deliveries] == [2, 1, 1]
    await lost.close()


async def test_stop_lets_the_handler_end_and_hands_back_the_rest(nats_server: NatsServer) -> None:
    started, release = asyncio.Event(), asyncio.Event()
    done: list[int] = []
    rest = Collected()

    async def handler(delivery: Delivery) -> None:
        started.set()
        await release.wait()
        done.append(int(delivery.data))

    async with await Bus.connect(nats_server.url, "test") as bus:
        await publish_numbers(bus, range(5))
        consumer = await bus.consume(MARKET, "reader", "market.>", handler, ack_wait=60.0, ordered=False)
        await asyncio.wait_for(started.wait(), DEADLINE)
        stopping = asyncio.create_task(consumer.stop())
        await asyncio.sleep(0)
        release.set()
        await stopping
        await bus.consume(MARKET, "reader", "market.>", rest, ack_wait=60.0, ordered=False)
        await until(lambda: len(rest.deliveries) == 4)
    assert done == [0]
    assert sorted(rest.numbers) == [1, 2, 3, 4]


async def test_nothing_is_lost_when_the_server_is_killed_and_comes_back(nats_server: NatsServer) -> None:
    seen: set[int] = set()
    tailed = Collected()

    async def handler(delivery: Delivery) -> None:
        seen.add(int(delivery.data))
        await asyncio.sleep(0.001)

    async with await Bus.connect(nats_server.url, "test", ack_timeout=1.0) as bus:
        await bus.consume(MARKET, "reader", "market.>", handler, ack_wait=1.0)
        await bus.tail("market.>", tailed)
        crash = asyncio.create_task(crash_and_return(nats_server, after=lambda: len(seen) > 100))
        waiting = {f"m{number}": number for number in range(600)}
        async with asyncio.timeout(DEADLINE):
            while waiting:
                await publish_all(bus, waiting)
                if len(waiting) == 600:
                    await asyncio.sleep(0.05)
        await crash
        await until(lambda: len(seen) == 600 and len(tailed.deliveries) == 600)
    assert sorted(tailed.numbers) == list(range(600))


async def crash_and_return(server: NatsServer, after: Callable[[], bool]) -> None:
    await until(after)
    server.kill()
    await asyncio.sleep(0.3)
    await server.start_async()


async def publish_all(bus: Bus, waiting: dict[str, int]) -> None:
    unconfirmed = dict(waiting)
    try:
        for message_id, number in waiting.items():
            await bus.publish("market.chain.SPX", str(number).encode(), message_id=message_id)
            await asyncio.sleep(0.001)
        await bus.flush()
    except PublishFailed:
        await asyncio.sleep(0.1)
        return
    for message_id in unconfirmed:
        del waiting[message_id]


async def test_failed_acknowledgement_closes_the_window_and_names_the_messages(
    nats_server: NatsServer,
) -> None:
    async with await Bus.connect(nats_server.url, "test", streams=(MARKET,)) as bus:
        await bus.publish("market.chain.SPX", b"1", message_id="good")
        await bus.publish("surface.SPX", b"2", message_id="homeless")
        with pytest.raises(PublishFailed) as failure:
            await bus.flush()
        assert failure.value.message_ids == ("homeless",)
        await bus.publish("market.chain.SPX", b"3", message_id="later")
        await bus.flush()


async def test_publish_after_a_failure_is_refused_with_its_own_id(nats_server: NatsServer) -> None:
    async with await Bus.connect(nats_server.url, "test", streams=(MARKET,), window=1) as bus:
        await bus.publish("surface.SPX", b"1", message_id="homeless")
        with pytest.raises(PublishFailed) as failure:
            await bus.publish("market.chain.SPX", b"2", message_id="behind")
        assert set(failure.value.message_ids) == {"homeless", "behind"}


async def test_publishing_without_a_server_fails_in_time(nats_server: NatsServer) -> None:
    bus = await Bus.connect(nats_server.url, "test", ack_timeout=0.3)
    nats_server.kill()
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(PublishFailed):
            await bus.publish_confirmed("market.chain.SPX", b"1", message_id="a")
        with pytest.raises(PublishFailed, match="not confirmed"):
            await publish_numbers(bus, range(1))
    await bus.close()


async def test_consumer_survives_the_loss_of_its_stream(nats_server: NatsServer) -> None:
    got = Collected()
    async with await Bus.connect(nats_server.url, "test") as bus:
        await bus.consume(MARKET, "reader", "market.>", got)
        tailed = Collected()
        await bus.tail("market.>", tailed)
        await bus.publish_confirmed("market.chain.SPX", b"1", message_id="before")
        await until(lambda: got.numbers == [1] and tailed.numbers == [1])
        client = Client()
        await client.connect(nats_server.url)
        await client.jetstream().delete_stream("MARKET")
        await client.close()
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    await bus.publish_confirmed("market.chain.SPX", b"2", message_id="after")
                    break
                except PublishFailed:
                    await asyncio.sleep(0.05)
        await until(lambda: got.numbers == [1, 2] and tailed.numbers == [1, 2])


async def test_tail_starts_from_the_newest_of_each_subject(nats_server: NatsServer) -> None:
    newest, later = Collected(), Collected()
    async with await Bus.connect(nats_server.url, "test") as bus:
        for number, subject in enumerate(["market.chain.A", "market.chain.A", "market.chain.B"]):
            await bus.publish_confirmed(subject, str(number).encode(), message_id=f"m{number}")
        await bus.tail("market.chain.>", newest, start="last_per_subject")
        await bus.tail("market.chain.>", later)
        await bus.publish_confirmed("market.chain.A", b"3", message_id="m3")
        await until(lambda: len(newest.deliveries) == 3 and len(later.deliveries) == 1)
    assert newest.numbers == [1, 2, 3]
    assert later.numbers == [3]


async def test_tail_of_two_streams_is_refused(nats_server: NatsServer) -> None:
    async with await Bus.connect(nats_server.url, "test") as bus:
        with pytest.raises(ValueError, match="one stream at a time"):
            await bus.tail(("market.>", "order.>"), Collected())
        with pytest.raises(ValueError, match="belongs to no stream"):
            await bus.tail("weather.>", Collected())


async def test_streams_are_created_once_and_updated(nats_server: NatsServer) -> None:
    client = Client()
    await client.connect(nats_server.url)
    jetstream = client.jetstream()
    await asyncio.gather(*(ensure_streams(jetstream) for _ in range(3)))
    changed = tuple(stream for stream in STREAMS if stream is not MARKET)
    await ensure_streams(jetstream, changed)
    names = sorted([info.config.name or "" for info in await jetstream.streams_info()])
    assert names == sorted(stream.name for stream in STREAMS)
    await client.close()


async def test_unreachable_server_is_named() -> None:
    with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:1 "):
        await Bus.connect("nats://127.0.0.1:1", "test", connect_timeout=0.3)


def abandon(consumer: Consumer) -> None:
    """Let the consumer vanish as with its process: no answer, no heartbeat."""
    for task in consumer._tasks:
        task.cancel()
