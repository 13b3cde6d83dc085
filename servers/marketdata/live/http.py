"""HTTP to a venue: polite, bounded in time and size, and every way to fail given a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import aiohttp
from yarl import URL

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.rate_limit import RateLimit
from skewline.servers.marketdata.live.source import SourceFault

_MOST_BYTES: Final = 128 * 1024 * 1024
_NOT_MODIFIED: Final = 304
_REASONS: Final = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 429: "RATE_LIMITED"}
_FIRST_REFUSAL: Final = 300
_LONGEST_SHOWN: Final = 200
_USER_AGENT: Final = "skewline"


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and its entity tag, by which the next question can be answered with "unchanged"."""

    body: bytes
    etag: str


class Http:
    """GETs of one venue below `url`, at most `requests_per_s` a second, each within `timeout_s` seconds.

    `headers` may hold keys: they are sent to nobody that an answer leads to. `advice` is what to do about a
    status.
    """

    def __init__(
        self,
        url: str,
        *,
        requests_per_s: float,
        timeout_s: float,
        clock: Clock,
        headers: Mapping[str, str] = MappingProxyType({}),
        advice: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        self._url = url
        self._headers = headers
        self._advice = advice
        self._limit = RateLimit(requests_per_s, clock)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """The connections of one stream; closed at the end of the block."""
        async with aiohttp.ClientSession(
            timeout=self._timeout, headers={"User-Agent": _USER_AGENT}, auto_decompress=True
        ) as session:
            yield session

    async def get(self, session: aiohttp.ClientSession, path: str, etag: str = "") -> Answer | None:
        """The body at `path`, with its query; None if it is still that of `etag`. Raises SourceFault."""
        await self._limit.turn()
        url = URL(f"{self._url}/{path}", encoded=True)
        headers = {**self._headers, "If-None-Match": etag} if etag else self._headers
        try:
            async with session.get(url, headers=headers, allow_redirects=not self._headers) as response:
                if response.status == _NOT_MODIFIED:
                    return None
                if response.status >= _FIRST_REFUSAL:
                    raise await self._refusal(response, url)
                return Answer(await _body(response, url), response.headers.get("ETag", ""))
        except TimeoutError as error:
            raise SourceFault("TIMEOUT", f"{url} did not answer within {self._timeout.total:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise SourceFault("UNREACHABLE", f"{url} cannot be reached: {error}") from error
        except aiohttp.ClientError as error:
            detail = f"{url} broke off its answer: {type(error).__name__}: {error}"
            raise SourceFault("CONNECTION_LOST", detail) from error

    async def _refusal(self, response: aiohttp.ClientResponse, url: URL) -> SourceFault:
        start = (await response.content.read(_LONGEST_SHOWN)).decode(errors="replace")
        said = " ".join(start.split())
        detail = f"{url} answered {response.status} {response.reason or ''}{': ' if said else ''}{said}"
        if advice := self._advice.get(response.status):
            detail = f"{detail}; {advice}"
        return refusal(response.status, detail, response.headers.get("Retry-After", ""))


async def _body(response: aiohttp.ClientResponse, url: URL) -> bytes:
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > _MOST_BYTES:
            raise SourceFault("UNREADABLE", f"{url} answered with more than {_MOST_BYTES} bytes")
    return b"".join(pieces)


def refusal(status: int, detail: str, retry_after: str = "") -> SourceFault:
    """The fault of an HTTP status that is an error, with what the header Retry-After says."""
    return SourceFault(_REASONS.get(status, "HTTP_STATUS"), detail, _retry_after_s(retry_after))


def _retry_after_s(header: str) -> float:
    """Seconds, where the venue says a number of them; dates are left to the usual pause."""
    return float(header) if header.isascii() and header.isdigit() else 0.0
