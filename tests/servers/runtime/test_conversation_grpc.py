"""The conversation over real gRPC."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import grpc
from waiting import until

from skewline.servers.runtime.broadcast import Broadcast
from skewline.servers.runtime.conversation import converse, terms_of
from skewline.servers.runtime.subscription import Grant, Reply, Snapshot, Terms, Update
from skewline.v1 import common_pb2

METHOD = "/test.Feed/Stream"

OpenStream: TypeAlias = "grpc.aio.StreamStreamMultiCallable[common_pb2.Subscription, bytes]"


async def as_terms(request: common_pb2.Subscription) -> Terms | Grant | Reply:
    return terms_of(request)


@asynccontextmanager
async def feed(hub: Broadcast[bytes]) -> AsyncIterator[str]:
    async def stream(
        requests: AsyncIterator[common_pb2.Subscription], _context: object
    ) -> AsyncIterator[bytes]:
        async for item in converse(hub, requests, as_terms):
            if isinstance(item, Snapshot | Update):
                yield item.item

    handler: grpc.RpcMethodHandler[common_pb2.Subscription, bytes] = grpc.stream_stream_rpc_method_handler(
        stream, request_deserializer=common_pb2.Subscription.FromString
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Feed", {"Stream": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def test_500_cancelled_streams_leave_no_subscriber_and_no_task() -> None:
    hub = Broadcast[bytes]()
    async with feed(hub) as address, grpc.aio.insecure_channel(address) as channel:
        open_stream: OpenStream = channel.stream_stream(
            METHOD, request_serializer=common_pb2.Subscription.SerializeToString
        )
        tasks_before = len(asyncio.all_tasks())
        for _ in range(10):
            calls = [open_stream() for _ in range(50)]
            for call in calls:
                await call.write(common_pb2.Subscription())
            await until(lambda: hub.subscribers == 50)
            hub.offer("A", hub.newest + 1, b"x")
            for call in calls:
                assert await call.read() == b"x"
                call.cancel()
            del calls, call
            await until(lambda: hub.subscribers == 0)
        gc.collect()
        await until(lambda: len(asyncio.all_tasks()) <= tasks_before + 2)


async def test_client_that_does_not_read_slows_neither_publisher_nor_reader() -> None:
    hub = Broadcast[bytes](capacity=4)
    blob = b"x" * 200_000
    async with feed(hub) as address, grpc.aio.insecure_channel(address) as channel:
        open_stream: OpenStream = channel.stream_stream(
            METHOD, request_serializer=common_pb2.Subscription.SerializeToString
        )
        lazy, eager = open_stream(), open_stream()
        for call in (lazy, eager):
            await call.write(common_pb2.Subscription())
        await until(lambda: hub.subscribers == 2)
        async with asyncio.timeout(20):
            for sequence in range(1, 201):
                hub.offer("A", sequence, sequence.to_bytes(2, "big") + blob)
                received = await eager.read()
                assert isinstance(received, bytes)
                assert int.from_bytes(received[:2], "big") == sequence
            seen = 0
            count = 0
            while seen < 200:
                late = await lazy.read()
                assert isinstance(late, bytes)
                seen, count = int.from_bytes(late[:2], "big"), count + 1
        assert count < 150
