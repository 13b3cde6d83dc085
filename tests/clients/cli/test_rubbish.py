"""Rubbish on the command line gets one line that names what is wrong, and the right exit status."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from recorded_stack import RecordedStack

SUBMIT = ("orders", "submit", "SPX", "--leg", "buy 1 SPXW190426C02900000")
NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("status", "words", "arguments"),
    [
        (1, "there is no signal 'nothing'", ("signals", "explain", "nothing")),
        (1, "there is no underlying 'GOOG'", ("chain", "GOOG")),
        (1, "there is no underlying 'GOOG'", ("volatility", "GOOG")),
        (2, "--estimator: must be one of close-to-close,", ("volatility", "SPX", "--estimator", "arch")),
        (2, "windows: must be counts, not -5", ("volatility", "SPX", "--window", "-5")),
        (1, "feed: must be VENUE:SYMBOL", ("feeds", "start", "SPX")),
        (1, "there is no running feed 'cboe:X'", ("feeds", "stop", "cboe:X")),
        (2, "NEW:OLD: must be two whole numbers", ("actions", "split", "AAPL", "2026-08-31", "4")),
        (2, "NEW:OLD: must be two whole numbers", ("actions", "split", "AAPL", "2026-08-31", "4:-1")),
        (2, "amount: must be a decimal number", ("actions", "dividend", "AAPL", "2026-08-31", "much")),
        (1, "there is no fill, order or signal 'x'", ("trace", "x")),
        (1, "quantity: must be above zero", (*SUBMIT, "--market", "--quantity", "0")),
        (1, "[TOO_LARGE]", (*SUBMIT, "--market", "--quantity", "1001")),
        (1, "limits.max_vega: must be a number above zero", ("risk", "set-limit", "max_vega=-1")),
        (2, "quantity: must be a decimal number", (*SUBMIT, "--market", "--quantity", "x")),
        (2, "limit_price: must have at most 9 decimals", (*SUBMIT, "--limit", "1e-10")),
        (2, "--limit: give a limit price", SUBMIT),
        (2, "--leg: must be 'buy|sell RATIO", ("orders", "submit", "SPX", "--leg", "hold 1 X", "--market")),
        (2, "--leg: must be 'buy|sell RATIO", ("orders", "submit", "SPX", "--leg", "buy x X", "--market")),
        (2, "--time-in-force: must be one of day,", (*SUBMIT, "--time-in-force", "never", "--market")),
        (2, "--status: must be one of pending-risk,", ("orders", "--status", "odd")),
        (2, "--limit: give a new --limit", ("orders", "replace", "order-1")),
        (2, "limit: 'max_vgea' is none of max_order", ("risk", "set-limit", "max_vgea=1")),
        (2, "max_vega: must be a number, not 'much'", ("risk", "set-limit", "max_vega=much")),
        (2, "max_vega: must be a finite number", ("risk", "set-limit", "max_vega=nan")),
        (2, "--expiry: 2019-01-01 is none of this chain", ("chain", "SPX", "--expiry", "2019-01-01")),
        (2, "--address: must be SERVICE=HOST:PORT", ("chain", "SPX", "--address", "marketdata")),
        (2, "'md' is no service; one of", ("chain", "SPX", "--address", "md=127.0.0.1:1")),
        (2, "of marketdata must be host:port", ("chain", "SPX", "--address", "marketdata=x")),
        (2, "network.ports.risk", ("config", "--set", "network.ports.risk=x")),
        (3, f"does not answer at {NOBODY}", ("chain", "SPX", "--address", f"marketdata={NOBODY}")),
        (3, "signal: does not answer", ("watch", "signals", "--address", "signal=127.0.0.1:1")),
    ],
)  # fmt: skip
async def test_it_is_said_in_a_line(
    run: Any, stack: RecordedStack, status: int, words: str, arguments: tuple[str, ...]
) -> None:
    outcome = await run(*arguments)
    assert words in outcome.err
    assert (outcome.status, outcome.out) == (status, "")
    assert "Traceback" not in outcome.err
    if arguments[0] != "config":
        assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("command", [("chain", "SPX"), ("status",), ("kill", "--reason", "x")])
async def test_without_a_stack_it_says_how_to_start_one(run: Any, command: tuple[str, ...]) -> None:
    outcome = await run(*command)
    assert outcome.status == 3
    assert "skewline up" in outcome.err


async def test_a_service_that_does_not_answer_shows_in_the_status(run: Any, stack: RecordedStack) -> None:
    outcome = await run("status", "--address", "risk=127.0.0.1:1")
    assert outcome.status == 1
    assert "NO ANSWER" in outcome.out


@pytest.mark.parametrize("arguments", [("nonsense",), ("watch", "nonsense"), ("signals", "--limit", "0")])
async def test_wrong_usage(run: Any, arguments: tuple[str, ...]) -> None:
    assert (await run(*arguments)).status == 2


def test_help_loads_no_grpc() -> None:
    code = (
        "import sys; from skewline.clients.cli import build; build(); "
        "sys.exit([m for m in ('grpc', 'numpy', 'rich.console', 'google.protobuf') if m in sys.modules] or 0)"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 20
