"""WebSocket to a venue: messages in and out, and every way to fail given a reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Final

import aiohttp

from skewline.servers.marketdata.live.http import refusal
from skewline.servers.marketdata.live.source import SourceFault

_MOST_BYTES: Final = 16 * 1024 * 1024
_SHOWN: Final = 120
_ENDED: Final = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)

Message = dict[str, Any]


class Messages:
    """The conversation on one connection."""

    def __init__(self, url: str, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._url = url
        self._connection = connection

    async def receive(self) -> str | bytes:
        """The next message, as it is. Raises SourceFault."""
        received = await self._connection.receive()
        if received.type in _ENDED:
            code = self._connection.close_code
            raise SourceFault("CONNECTION_LOST", f"{self._url} ended the connection (code {code})")
        if received.type == aiohttp.WSMsgType.ERROR:
            raise SourceFault("CONNECTION_LOST", f"{self._url} broke off: {self._connection.exception()}")
        data: str | bytes = received.data
        return data

    async def next(self, within_s: float) -> Message | None:
        """The next JSON object; None if none came within `within_s` seconds. Raises SourceFault."""
        try:
            async with asyncio.timeout(within_s):
                data = await self.receive()
        except TimeoutError:
            return None
        try:
            message = json.loads(data)
        except (ValueError, RecursionError, TypeError) as error:
            raise SourceFault("UNREADABLE", f"{self._url} sent what is no JSON ({error})") from error
        if not isinstance(message, dict):
            raise SourceFault("UNREADABLE", f"{self._url} sent {str(message)[:_SHOWN]}, which is no object")
        return message

    async def send(self, message: Message | bytes) -> None:
        """Say something, in JSON if it is no bytes. Raises SourceFault."""
        try:
            if isinstance(message, bytes):
                await self._connection.send_bytes(message)
            else:
                await self._connection.send_json(message)
        except (ConnectionError, aiohttp.ClientError) as error:
            raise SourceFault("CONNECTION_LOST", f"{self._url} broke off: {error}") from error


@asynccontextmanager
async def conversation(
    session: aiohttp.ClientSession,
    url: str,
    timeout_s: float,
    *,
    headers: Mapping[str, str] = MappingProxyType({}),
    ping_s: float | None = None,
) -> AsyncIterator[Messages]:
    """A connection to `url`, open within `timeout_s` seconds. Raises SourceFault.

    With `ping_s` it is asked so often whether it is there, and is lost without an answer in half of that.
    """
    try:
        async with asyncio.timeout(timeout_s):
            connection = await session.ws_connect(
                url, max_msg_size=_MOST_BYTES, autoping=True, headers=headers, heartbeat=ping_s
            )
    except TimeoutError as error:
        raise SourceFault("TIMEOUT", f"{url} did not answer within {timeout_s:g} s") from error
    except aiohttp.WSServerHandshakeError as error:
        retry_after = error.headers.get("Retry-After", "") if error.headers is not None else ""
        raise refusal(error.status, f"{url} answered {error.status} {error.message}", retry_after) from error
    except (aiohttp.ClientError, OSError) as error:
        raise SourceFault("UNREACHABLE", f"{url} cannot be reached: {error}") from error
    try:
        yield Messages(url, connection)
    finally:
        await connection.close()
