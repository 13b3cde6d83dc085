"""Pages of lists: how many, and from where on, as an opaque token."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from skewline.servers.runtime.errors import FieldViolation, InvalidArgument

DEFAULT_PAGE_SIZE: Final = 100
MAX_PAGE_SIZE: Final = 1000
_CHECK_BYTES: Final = 6

PageKey: TypeAlias = tuple[str | int, ...]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page:
    """What a list call asks for: at most `size` things after the one whose key is `after`.

    `after` is None on the first page.
    """

    size: int
    after: PageKey | None


def page_of(page_size: int, page_token: str, query: str) -> Page:
    """The page that a request asks for.

    `query` is whatever else decides the list, such as its filters: a token goes on with the list
    that it came from only. Raises InvalidArgument for a size below 0 or above 1000, and for a token
    that was not made by `token_after` for the same query.
    """
    violations = []
    if not 0 <= page_size <= MAX_PAGE_SIZE:
        fix = f"must be from 1 to {MAX_PAGE_SIZE}, or 0 for {DEFAULT_PAGE_SIZE}; not {page_size}"
        violations.append(FieldViolation("page_size", fix))
    after = None
    if page_token:
        try:
            after = _decode(page_token, query)
        except ValueError:
            fix = "is not a token of this list; pass next_page_token unchanged, with the same filters"
            violations.append(FieldViolation("page_token", fix))
    if violations:
        raise InvalidArgument(violations)
    return Page(page_size or DEFAULT_PAGE_SIZE, after)


def token_after(key: PageKey, query: str) -> str:
    """The token of the page that follows the thing with this sort key, for the same `query`."""
    body = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_check(body, query) + body).decode().rstrip("=")


def cut(
    found: Sequence[Item], page: Page, query: str, key: Callable[[Item], PageKey]
) -> tuple[Sequence[Item], str]:
    """The page, and the token of the next ("" if there is none): `found` is the page and one thing more."""
    if len(found) <= page.size:
        return found, ""
    listed = found[: page.size]
    return listed, token_after(key(listed[-1]), query)


def _decode(token: str, query: str) -> PageKey:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64") from error
    check, body = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    if check != _check(body, query):
        raise ValueError("changed, or of another list")
    return tuple(json.loads(body))


def _check(body: bytes, query: str) -> bytes:
    """A checksum, not a signature: a token says where to go on and gives no right to anything."""
    return hashlib.sha256(query.encode() + b"\0" + body).digest()[:_CHECK_BYTES]
