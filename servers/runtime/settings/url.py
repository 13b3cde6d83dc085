"""URLs in settings: which schemes are accepted, and how a password in one is hidden."""

import re
from collections.abc import Callable
from typing import Final

_PASSWORD: Final = re.compile(r"(?P<head>[a-z0-9+.-]+://[^/@:\s]*:)[^@\s]+(?=@)", re.IGNORECASE)
_TOKEN: Final = re.compile(r"(?P<head>[a-z0-9+.-]+://)[^/@:\s]+(?=@)", re.IGNORECASE)
_QUERY_SECRET: Final = re.compile(r"(?P<head>[?&](?:password|token|secret|api_key)=)[^&\s]+", re.IGNORECASE)
MASK: Final = "***"


def mask(text: str) -> str:
    """`text` with every password or token that a URL in it carries replaced by `***`."""
    hidden = _PASSWORD.sub(rf"\g<head>{MASK}", text)
    if hidden == text:
        hidden = _TOKEN.sub(rf"\g<head>{MASK}", text)
    return _QUERY_SECRET.sub(rf"\g<head>{MASK}", hidden)


def one_of_schemes(*schemes: str) -> Callable[[str | None], str | None]:
    """A validator that accepts a URL, or a comma-separated list of them, of `schemes` only."""
    accepted = " or ".join(f"{scheme}://" for scheme in schemes)
    url = re.compile(rf"(?:{'|'.join(map(re.escape, schemes))})://\S+")

    def check(value: str | None) -> str | None:
        if value is not None and not all(url.fullmatch(part) for part in value.split(",")):
            raise ValueError(f"must be a URL that starts with {accepted}")
        return value

    return check
