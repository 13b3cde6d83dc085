"""Queues that several processes pull from: nobody holds what another could do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from nats.aio.client import Client
from waiting import until

from skewline.servers.runtime.bus import Bus, Delivery
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.streams import CHAIN_PARTITIONS, chain_subjects
from skewline.servers.runtime.work_share import WorkShare

UNDERLYINGS = [f"U{number}" for number in range(24)]


@dataclass
class Worker:
    """Works on each message for as long as it is told to, and notes how many it had at once."""

    free: asyncio.Event = field(default_factory=asyncio.Event)
    done: list[str] = field(default_factory=list)
    begun: int = 0
    most_at_once: int = 0

    async def __call__(self, delivery: Delivery) -> None:
        self.begun += 1
        self.most_at_once = max(self.most_at_once, self.begun - len(self.done))
        await self.free.wait()
        self.done.append(delivery.message_id)


async def share_chains(bus: Bus, worker: Worker, processes: int) -> None:
    share = WorkShare(processes)
    for partition in range(CHAIN_PARTITIONS):
        await bus.consume(
            "MARKET", f"shared-{partition}", chain_subjects(partition), worker, batch=1, share=share
        )


async def publish(bus: Bus, rounds: int) -> list[str]:
    names = [f"{name}:{number}" for number in range(rounds) for name in UNDERLYINGS]
    for name in names:
        await bus.publish(f"market.chain.{name.split(':')[0]}", b"", message_id=name)
    await bus.flush()
    return names


async def test_each_message_is_done_once_in_the_order_of_its_underlying(nats_server: NatsServer) -> None:
    log: list[str] = []
    async with (
        await Bus.connect(nats_server.url, "one") as one,
        await Bus.connect(nats_server.url, "two") as two,
    ):
        names = await publish(one, 4)
        workers = Worker(), Worker()
        for bus, worker in zip((one, two), workers, strict=True):
            worker.done = log
            worker.free.set()
            await share_chains(bus, worker, 2)
        await until(lambda: len(log) == len(names))
    assert sorted(log) == sorted(names)
    order = defaultdict(list)
    for name in log:
        order[name.split(":")[0]].append(name)
    assert all(done == sorted(done) for done in order.values())


async def test_a_process_at_work_leaves_the_rest_to_one_that_is_idle(nats_server: NatsServer) -> None:
    async with (
        await Bus.connect(nats_server.url, "busy") as first,
        await Bus.connect(nats_server.url, "idle") as second,
    ):
        busy, idle = Worker(), Worker()
        await share_chains(first, busy, 2)
        await first.publish_confirmed("market.chain.FIRST", b"", message_id="first")
        await until(lambda: busy.begun == 1)
        idle.free.set()
        await share_chains(second, idle, 2)
        names = await publish(first, 1)
        # All but what shares its part of the stream with the one in hand.
        parts = await parts_of(nats_server.url)
        others = {name for name in names if parts[name.split(":")[0]] != parts["FIRST"]}
        await until(lambda: others <= {*idle.done})
        assert busy.begun == 1
        busy.free.set()
        await until(lambda: len(idle.done) + len(busy.done) == len(names) + 1)
        assert busy.most_at_once == idle.most_at_once == 1


async def test_alone_a_process_takes_one_after_another(nats_server: NatsServer) -> None:
    async with await Bus.connect(nats_server.url, "alone") as bus:
        worker = Worker()
        worker.free.set()
        await share_chains(bus, worker, 1)
        names = await publish(bus, 2)
        await until(lambda: len(worker.done) == len(names))
        assert worker.most_at_once == 1


async def test_every_chain_is_in_one_part_and_those_of_before_in_the_first(nats_server: NatsServer) -> None:
    assert "market.chain.*" in chain_subjects(0)
    async with await Bus.connect(nats_server.url, "publisher") as bus:
        await publish(bus, 1)
    parts = set((await parts_of(nats_server.url)).values())
    assert parts <= {str(partition) for partition in range(CHAIN_PARTITIONS)}
    assert len(parts) > CHAIN_PARTITIONS // 2


async def parts_of(url: str) -> dict[str, str]:
    """Under which part the server files each underlying that it has chains of."""
    client = Client()
    await client.connect(url)
    stored = (await client.jetstream().stream_info("MARKET", subjects_filter="market.chain.>")).state.subjects
    await client.close()
    return {subject.split(".")[3]: subject.split(".")[2] for subject in stored or {}}
