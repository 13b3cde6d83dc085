"""A venue that speaks HTTP on the loopback interface, serves recorded files, and fails as it is told to."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpVenue:
    """Files by path, with entity tags; each request takes the next fault of the list, if there is one."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: deque[Fault] = deque()
        self.requests: list[str] = []
        self.unchanged = 0
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What a request gets."""
        path = request.path_qs.lstrip("/")
        self.requests.append(path)
        if self.faults:
            return await self.faults.popleft()(request)
        body = self.files.get(path)
        if body is None:
            return web.Response(status=404, text="no such file")
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            self.unchanged += 1
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=body, headers={"ETag": tag}, content_type="application/json")

    @property
    def url(self) -> str:
        """Where it is, or was before it was closed."""
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Listen; again on the same port after `close`."""
        application = web.Application()
        application.router.add_get("/{path:.*}", self.answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Connections end, and new ones are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def status(code: int, **headers: str) -> Fault:
    """Answers with an error."""

    async def answer(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, text="<html>not now</html>", headers=named)

    return answer


def saying(body: bytes) -> Fault:
    """Answers with something else, once."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body)

    return answer


def half(body: bytes) -> Fault:
    """Promises the whole, sends the first half, and hangs up."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


def silence() -> Fault:
    """Never answers."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    return answer


@asynccontextmanager
async def http_venue() -> AsyncIterator[HttpVenue]:
    """A venue that listens."""
    venue = HttpVenue()
    await venue.open()
    try:
        yield venue
    finally:
        await venue.close()
