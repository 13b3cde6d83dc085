"""Commands on a running stack: text for people, JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recorded_stack import TRACE_ID, RecordedStack

READS = [
    ("status",),
    ("feeds",),
    ("feeds", "start", "cboe:SPX"),
    ("chain", "SPX"),
    ("book", "binance:BTCUSDT"),
    ("watch", "books", "--count", "1"),
    ("watch", "trades", "--count", "1"),
    ("volatility", "SPX"),
    ("surface", "SPX"),
    ("signals",),
    ("signals", "explain", "signal-1"),
    ("fills",),
    ("positions",),
    ("pnl",),
    ("actions",),
    ("adjustments",),
    ("risk",),
    ("trace", "fill-1"),
    ("watch", "signals", "--count", "2"),
    ("data", "prune", "--dry-run"),
    ("quarantine", "SPX"),
    ("quarantine", "SPX", "--counts"),
    ("quarantine", "--entry", "entry-1"),
]
UNLABELLED = ("status", "trace", "feeds", "actions", "adjustments", "data", "quarantine")
"""What these show is no market data."""


@pytest.mark.parametrize("arguments", READS, ids=" ".join)
async def test_json_is_an_object_a_line(run: Any, stack: RecordedStack, arguments: tuple[str, ...]) -> None:
    stack.signals.publish("a", "SPX")
    stack.signals.publish("b", "GOOG")
    outcome = await run(*arguments, "--json")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.json
    assert all(isinstance(line, dict) for line in outcome.json)


@pytest.mark.parametrize("arguments", [read for read in READS if read[0] not in UNLABELLED])
async def test_simulated_data_says_so(run: Any, stack: RecordedStack, arguments: tuple[str, ...]) -> None:
    stack.signals.publish("a", "SPX")
    stack.signals.publish("b", "GOOG")
    outcome = await run(*arguments)
    assert outcome.status == 0
    assert "SIMULATED" in outcome.out


async def test_status_shows_each_service(run: Any, stack: RecordedStack) -> None:
    outcome = await run("status")
    assert outcome.status == 0
    assert outcome.out.count("SERVING") == 5
    assert stack.address in outcome.out


async def test_pruning_says_what_went_or_would_go(run: Any, stack: RecordedStack) -> None:
    for arguments, title in (((), "Snapshots deleted"), (("--dry-run",), "Snapshots that would go")):
        outcome = await run("data", "prune", *arguments)
        assert outcome.status == 0
        for word in (title, "rejected", "30", "7", "41"):
            assert word in outcome.out


async def test_the_quarantine_is_shown_with_its_reasons(run: Any, stack: RecordedStack) -> None:
    for arguments, words in (
        ((), ("2019-04-25 19:45:00 UTC", "SPX", "contracts", "CROSSED", "2", "cboe:SPX.csv", "entry-1")),
        (("--counts",), ("SPX", "CROSSED", "1,234", "5,678")),
        (("--entry", "entry-1"), ('"entry_id": "entry-1"', '"reason": "CROSSED"', '"chain"')),
    ):
        outcome = await run("quarantine", "SPX", "--reason", "CROSSED", *arguments)
        assert outcome.status == 0
        for word in words:
            assert word in outcome.out
    missing = await run("quarantine", "--entry", "none")
    assert missing.status == 1
    assert "none" in missing.err


async def test_feeds_are_shown_with_state_and_reason(run: Any, stack: RecordedStack) -> None:
    outcome = await run("feeds")
    assert outcome.status == 0
    for word in ("cboe:SPX", "DOWN", "delayed", "UNREACHABLE: no route to host", "2019-04-25 19:45:00 UTC"):
        assert word in outcome.out


async def test_a_book_is_shown_with_depth_measures_and_how_its_feed_does(
    run: Any, stack: RecordedStack
) -> None:
    outcome = await run("book", "binance:BTCUSDT", "--depth", "2")
    assert outcome.status == 0
    for word in (
        "61,837.63 / 61,837.64",
        "61,837.6375",
        "0.500 at the best",
        "STALE SEQUENCE",
        "not complete",
    ):
        assert word in outcome.out
    assert outcome.out.rstrip().splitlines()[-1].split() == ["0.5", "61,837.62", "–", "–"]
    outcome = await run("book", "binance:NOSUCH")
    assert (outcome.status, "no order book of" in outcome.err) == (1, True)
    outcome = await run("book", "binance:BTCUSDT", "--watch", "--as-of", "2024-08-08")
    assert (outcome.status, "--watch: goes on from now" in outcome.err) == (2, True)


async def test_books_and_trades_are_watched_a_line_each(run: Any, stack: RecordedStack) -> None:
    outcome = await run("watch", "books", "--underlying", "binance:BTCUSDT", "--count", "1")
    for word in ("bid 3.75 at 61,837.63", "ask 1.25 at 61,837.64", "microprice 61,837.6375"):
        assert word in outcome.out
    outcome = await run("watch", "trades", "--count", "1")
    assert "2 trades: bought 0.5000, sold 0.2500, last 61,837.63" in outcome.out


async def test_volatility_is_shown_by_estimator_and_window(run: Any, stack: RecordedStack) -> None:
    outcome = await run("volatility", "SPX", "--window", "10", "--window", "63", "--estimator", "yang-zhang")
    lines = [line.split() for line in outcome.out.splitlines() if "yang zhang" in line]
    assert lines == [["yang", "zhang", bars, "13.75", "%"] for bars in ("10", "63")]


async def test_a_chain_is_shown_around_the_money(run: Any, stack: RecordedStack) -> None:
    outcome = await run("chain", "SPX")
    assert "2019-04-25 19:45:00 UTC" in outcome.out
    assert "2,925" in outcome.out
    assert "3,045" not in outcome.out
    assert "3,045" in (await run("chain", "SPX", "--all")).out
    chosen = await run("chain", "SPX", "--expiry", "2019-05-31")
    assert "SPXW 2019-05-31 (PM-settled)" in chosen.out
    assert "SPXW 2019-04-26 (PM-settled)" not in chosen.out


async def test_a_surface_is_drawn(run: Any, stack: RecordedStack) -> None:
    outcome = await run("surface", "SPX", "--expiry", "2019-05-31")
    assert outcome.status == 0
    assert outcome.out.count("●") == 4  # one in the legend
    assert "11.40 %" in outcome.out
    assert "LEE" in outcome.out
    missing = await run("surface", "SPX", "--expiry", "2019-06-01")
    assert missing.status == 2
    assert "2019-05-31" in missing.err


async def test_a_surface_becomes_a_page(run: Any, stack: RecordedStack, tmp_path: Path) -> None:
    path = tmp_path / "pages" / "spx.html"
    outcome = await run("surface", "SPX", "--plot", "--out", str(path))
    assert outcome.status == 0
    assert str(path) in outcome.out.replace("\n", "")
    page = path.read_text(encoding="utf-8")
    assert all(f'id="{section}"' in page for section in ("surface", "smiles", "density", "models", "checks"))
    assert page.count('type="application/json"') == 5


async def test_factors_and_parameters_over_time(run: Any, stack: RecordedStack, tmp_path: Path) -> None:
    path = tmp_path / "history.html"
    outcome = await run("surface", "SPX", "--history", "--plot", "--out", str(path))
    assert outcome.status == 0
    assert "0.117" in outcome.out
    assert path.read_text(encoding="utf-8").count('type="application/json"') == 1
    chosen = await run("surface", "SPX", "--history", "--parameter", "sabr.nu")
    assert "1.9" in chosen.out
    found = json.loads((await run("surface", "SPX", "--history", "--json")).out)
    assert found["values"]["sabr.rho"] == -0.6
    wrong = await run("surface", "SPX", "--history", "--parameter", "garch.omega")
    assert wrong.status == 1
    assert "names[0]" in wrong.err


@pytest.mark.parametrize(
    ("model", "column"), [("record", "curvature"), ("sabr", "ν"), ("essvi", "ψ"), ("svi", "σ")]
)
async def test_the_expiries_are_shown_by_model(
    run: Any, stack: RecordedStack, model: str, column: str
) -> None:
    outcome = await run("surface", "SPX", "--model", model)
    assert outcome.status == 0
    assert column in outcome.out


async def test_a_surface_of_another_time(run: Any, stack: RecordedStack) -> None:
    assert (await run("surface", "SPX", "--as-of", "2019-04-25T19:45")).status == 0
    assert stack.calibration.asked[-1].as_of_ns == 1_556_221_500_000_000_000
    for option, value in (("--as-of", "yesterday"), ("--model", "garch")):
        wrong = await run("surface", "SPX", option, value)
        assert wrong.status == 2
        assert option in wrong.err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("split", "AAPL", "2026-08-31", "4:1"), ("split", "4 for 1", "command line")),
        (("dividend", "AAPL", "2026-08-10", "0.26"), ("cash dividend", "0.26 USD")),
        (("rename", "FB", "2026-06-09", "META"), ("symbol change", "META")),
    ],
)
async def test_corporate_actions_are_made_known(
    run: Any, stack: RecordedStack, arguments: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    outcome = await run("actions", *arguments)
    assert (outcome.status, outcome.err) == (0, "")
    for word in (*shown, arguments[1], arguments[2]):
        assert word in outcome.out
    (told,) = stack.market_data.recorded_actions
    assert (told.underlying, told.ex_date) == arguments[1:3]
    assert "Too late" not in outcome.out
    stack.market_data.too_late = True
    assert "Too late" in (await run("actions", *arguments)).out


async def test_corporate_actions_and_what_they_changed(run: Any, stack: RecordedStack) -> None:
    told = (await run("actions")).out
    assert "2014-06-09" in told
    assert "7 for 1" in told
    assert "0.47 USD" in told
    changed = (await run("adjustments", "--underlying", "AAPL")).out
    assert "SPLIT 7:1 of AAPL on 2014-06-09" in changed
    assert "AAPL  140719C00092140" in changed


async def test_money_is_exact(run: Any, stack: RecordedStack) -> None:
    outcome = await run("pnl")
    assert "-1,234.560000001" in outcome.out
    assert "1,998,765.439999999" in outcome.out
    assert "2,000,000.00" in outcome.out


async def test_a_submitted_order_is_exact_and_padded(run: Any, stack: RecordedStack) -> None:
    leg = "buy 2 SPXW190426C02900000"
    outcome = await run("orders", "submit", "SPX", "--leg", leg, "--limit", "-1.05", "--json")
    assert outcome.status == 0
    (sent,) = stack.orders.submitted
    assert sent.legs[0].instrument_id == "SPXW  190426C02900000"
    assert (sent.limit_price.units, sent.limit_price.nanos) == (-1, -50_000_000)
    assert outcome.json[0]["status"] == "ORDER_STATUS_WORKING"


async def test_a_denied_order_is_a_failure_with_its_reason(run: Any, stack: RecordedStack) -> None:
    outcome = await run("orders", "submit", "FOE", "--leg", "sell 1 FOE", "--market")
    assert outcome.status == 1
    assert "MAX_VEGA: lower the quantity" in outcome.out


async def test_limits_not_named_stay(run: Any, stack: RecordedStack) -> None:
    outcome = await run("risk", "set-limit", "max_vega=5000", "--json")
    assert outcome.status == 0
    assert (stack.risk.limits.max_vega, stack.risk.limits.capital) == (5000.0, 1e6)


async def test_the_kill_switch(run: Any, stack: RecordedStack) -> None:
    outcome = await run("kill", "--reason", "drill")
    assert outcome.status == 0
    assert "Trading is HALTED: drill" in outcome.out
    assert stack.risk.state.reason == "drill"
    assert stack.risk.state.changed_by


@pytest.mark.parametrize("identity", ["fill-1", "signal-1", TRACE_ID])
async def test_a_trace_is_a_tree(run: Any, stack: RecordedStack, identity: str) -> None:
    outcome = await run("trace", identity, "-v")
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert "3 spans" in lines[0]
    quote, child = (next(line for line in lines if name in line) for name in ("marketdata", "calibration"))
    assert child.index("calibration") > quote.index("marketdata")
    assert "spot = 2926" in outcome.out
    assert any("order.fill" in line for line in lines)


async def test_watching_resumes_after_a_sequence(run: Any, stack: RecordedStack) -> None:
    for name in "abc":
        stack.signals.publish(name)
    outcome = await run("watch", "signals", "--resume-after", "1", "--count", "2", "--json")
    assert [line["sequence"] for line in outcome.json] == [2, 3]
    assert outcome.json[0]["update"]["snapshot_id"] == "b"


async def test_shared_options_may_stand_before_the_command(run: Any, stack: RecordedStack) -> None:
    outcome = await run("--json", "signals", "explain", "signal-1")
    assert outcome.json[0]["signal"]["signal_id"] == "signal-1"


async def test_settings_are_shown_with_their_source(run: Any) -> None:
    outcome = await run("config", "--set", "network.ports.risk=6001", "--section", "network.ports", "--json")
    (risk,) = [line for line in outcome.json if line["field"] == "network.ports.risk"]
    assert risk["value"] == "6001"
    assert risk["source"] != "default"


async def test_the_version(run: Any) -> None:
    assert (await run("version")).out.startswith("skewline ")
