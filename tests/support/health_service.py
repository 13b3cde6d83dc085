"""A process with nothing but gRPC health, for the supervisor to run: `health_service.py NAME [BEHAVIOUR]`."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


async def serve(name: str, behaviour: str) -> None:
    journal = Path(os.environ["SKEWLINE_HOME"]) / "journal"
    with journal.open("a") as lines:
        lines.write(f"{name} started\n")
    if behaviour == "broken":
        print("the tick table is missing; install it")
        sys.exit(3)
    if behaviour == "crashing" and journal.read_text().count(f"{name} started") > 1:
        sys.exit(4)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(f"127.0.0.1:{os.environ[f'SKEWLINE_NETWORK__PORTS__{name.upper()}']}")
    if behaviour != "mute":
        await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    else:
        await servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    await server.start()
    stop = asyncio.Event()
    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(0)
    with journal.open("a") as lines:
        lines.write(f"{name} stopped\n")


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
