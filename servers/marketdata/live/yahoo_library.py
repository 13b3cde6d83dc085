"""Questions to Yahoo by yfinance, whose care are cookies, crumbs, consent and a browser's manners.

Imported when the first feed of Yahoo's connects: it needs the extra `yahoo`, and takes a second to load.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit

from curl_cffi import requests
from yfinance.data import YfData
from yfinance.exceptions import YFException

from skewline.servers.marketdata.live.http import refusal
from skewline.servers.marketdata.live.source import SourceFault

_FIRST_ERROR: Final = 400
_TOO_MANY: Final = 429
_LONGEST_SHOWN: Final = 200
# What one question may lead to shares its time; each thread has a context of its own.
_deadline: ContextVar[float] = ContextVar("deadline")


class YahooLibrary:
    """yfinance on one session, whose cookie all feeds share; it is called from threads.

    Its `Ticker` takes an answer that is an error for one without options, so it is asked for the answers
    themselves.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        session: Any = requests.Session(impersonate="chrome")
        self._send = session.request
        session.request = self._request
        self._data: Any = YfData(session=session)

    def get(self, path: str, query: Mapping[str, str], timeout_s: float) -> bytes:
        """The body at `path`. Raises SourceFault."""
        url = f"{self._url}/{path}"
        _deadline.set(time.monotonic() + timeout_s)
        try:
            response = self._data.get(url, params=dict(query), timeout=timeout_s)
        except (requests.exceptions.Timeout, TimeoutError) as error:
            raise SourceFault("TIMEOUT", f"{url} did not answer within {timeout_s:g} s") from error
        except requests.exceptions.HTTPError as error:
            raise SourceFault("CONNECTION_LOST", f"{url} broke off its answer: {error}") from error
        except requests.exceptions.ConnectionError as error:
            raise SourceFault("UNREACHABLE", f"{url} cannot be reached: {error}") from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise SourceFault("CONNECTION_LOST", f"{url} broke off: {error}") from error
        except YFException as error:
            raise SourceFault("VENUE_ERROR", f"{url}: {error}") from error
        if response.status_code >= _FIRST_ERROR:
            raise _refused(response, url)
        body: bytes = response.content
        return body

    def _request(self, method: str, url: str, **options: Any) -> Any:
        left = _deadline.get() - time.monotonic()
        if left <= 0:
            raise TimeoutError
        given = options.get("timeout")
        options["timeout"] = min(given, left) if isinstance(given, int | float) else left
        address = self._address(url)
        response = self._send(method, address, **options)
        if response.status_code == _TOO_MANY:
            # The library would ask once more, and does not pass on how long it is to wait.
            raise _refused(response, address)
        return response

    def _address(self, url: str) -> str:
        parts = urlsplit(url)
        if not (parts.hostname or "").endswith("yahoo.com") or _is_yahoo(self._url):
            return url
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._url}{parts.path}{query}"


def _is_yahoo(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith("yahoo.com")


def _refused(response: Any, url: str) -> SourceFault:
    said = " ".join(response.text[:_LONGEST_SHOWN].split())
    return refusal(
        response.status_code,
        f"{url} answered {response.status_code}{': ' if said else ''}{said}",
        response.headers.get("Retry-After", ""),
    )
