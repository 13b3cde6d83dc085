"""Both clients behind one face, so that each test speaks of behaviour once."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable
from typing import Any

from skewline.clients import AsyncClient, Client, ClientOptions

IMPATIENT = ClientOptions(timeout_s=5.0, first_pause_s=0.02, credit=4)
_END = object()


class Either:
    """`AsyncClient`, or `Client` in a thread; methods by name, such as `signal.get_signal`."""

    def __init__(self, client: AsyncClient | Client, timeout_s: float | None = None) -> None:
        self.client = client
        self._timeout_s = timeout_s

    def within(self, timeout_s: float) -> Either:
        """The same client with another deadline for each call."""
        return Either(self.client, timeout_s)

    def method(self, name: str) -> Callable[..., Any]:
        service_name, method_name = name.split(".")
        service = getattr(self.client, service_name)
        if self._timeout_s is not None:
            service = service.within(self._timeout_s)
        method: Callable[..., Any] = getattr(service, method_name)
        return method

    async def ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self.client, AsyncClient):
            return await self.method(name)(*args, **kwargs)
        return await asyncio.to_thread(functools.partial(self.method(name), *args, **kwargs))

    async def items(self, name: str, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        iterated = self.method(name)(*args, **kwargs)
        if isinstance(self.client, AsyncClient):
            try:
                async for item in iterated:
                    yield item
            finally:
                await iterated.aclose()
            return
        try:
            while (item := await asyncio.to_thread(next, iterated, _END)) is not _END:
                yield item
        finally:
            await asyncio.to_thread(iterated.close)

    async def close(self) -> None:
        if isinstance(self.client, AsyncClient):
            await self.client.close()
        else:
            await asyncio.to_thread(self.client.close)


Connect = Callable[..., Either]
