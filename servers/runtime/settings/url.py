"""URLs in settings: which schemes are accepted, and how a password in one is hidden."""

import re
from collections.abc import Callable
from typing import Final

_USER_INFO: Final = re.compile(
    r"(?P<scheme>[a-z0-9+.-]+://)(?P<user>[^/@:\s]*)(?P<colon>:?)[^@\s,]*@", re.IGNORECASE
)
_QUERY_SECRET: Final = re.compile(r"(?P<head>[?&](?:password|token|secret|api_key)=)[^&\s]+", re.IGNORECASE)
MASK: Final = "***"


def mask(text: str) -> str:
    """`text` with every password that a URL in it carries replaced by `***`.

    A name without a password is hidden too: NATS takes a token there.
    """

    def hide(found: re.Match[str]) -> str:
        user = f"{found['user']}:" if found["colon"] else ""
        return f"{found['scheme']}{user}{MASK}@"

    return _QUERY_SECRET.sub(rf"\g<head>{MASK}", _USER_INFO.sub(hide, text))


def one_of_schemes(*schemes: str) -> Callable[[str | None], str | None]:
    """A validator that accepts a URL, or a comma-separated list of them, of `schemes` only."""
    accepted = " or ".join(f"{scheme}://" for scheme in schemes)
    url = re.compile(rf"(?:{'|'.join(map(re.escape, schemes))})://\S+")

    def check(value: str | None) -> str | None:
        if value is not None and not all(url.fullmatch(part) for part in value.split(",")):
            raise ValueError(f"must be a URL that starts with {accepted}")
        return value

    return check
