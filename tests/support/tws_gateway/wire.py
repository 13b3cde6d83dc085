"""The framing of TWS's protocol: a length of four bytes, and fields that end with a NUL."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

Fields = Sequence[str]


def encoded(*fields: object) -> bytes:
    """A message on the wire; truths are 1 and 0."""
    text = "".join(f"{int(field) if isinstance(field, bool) else field}\0" for field in fields)
    return framed(text.encode())


def framed(body: bytes) -> bytes:
    """A body behind its length."""
    return struct.pack(">I", len(body)) + body


async def read_body(reader: asyncio.StreamReader) -> bytes:
    """The next message's body. Raises IncompleteReadError at the end."""
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    return await reader.readexactly(length)


async def read_fields(reader: asyncio.StreamReader) -> list[str]:
    """The next message's fields. Raises IncompleteReadError at the end."""
    return (await read_body(reader)).decode().split("\0")[:-1]
