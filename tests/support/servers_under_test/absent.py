"""What a test does when the program that it needs is not installed."""

import os
from typing import NoReturn

import pytest


def absent(what: str, fix: str) -> NoReturn:
    """Skip with the reason; in CI fail instead, so that a suite cannot go green by skipping."""
    reason = f"{what} is not installed: {fix}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
