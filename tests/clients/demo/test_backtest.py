import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from skewline.clients.cli import build


def backtest(*options: str) -> Any:
    result = CliRunner().invoke(build(), ["backtest", "--json", *options])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_two_days_of_real_chains_decide_the_same_twice(market_data: Path, tmp_path: Path) -> None:
    options = ("--home", str(tmp_path), "--source", f"cboe:{market_data / 'spx-2019'}", "--limit", "2")
    report = tmp_path / "report.html"
    first, second = backtest(*options), backtest(*options, "--report", str(report))
    assert first["decision_digest"] == second["decision_digest"]
    assert (first["chains_seen"], first["chains_accepted"]) == (2, 2)
    assert first["quotes_seen"] > 20_000
    assert first["fits"][0]["good"] == 2
    assert first["provenance"] == {"recorded": 2}
    assert not first["simulated"]
    assert second["report"] == str(report)
    assert "SPXW" in report.read_text(encoding="utf-8")


def test_a_choice_without_snapshots_is_named(market_data: Path, tmp_path: Path) -> None:
    source = f"cboe:{market_data / 'spx-2019'}"
    arguments = ["backtest", "--home", str(tmp_path), "--source", source, "--symbol", "NOPE"]
    result = CliRunner().invoke(build(), arguments)
    assert result.exit_code == 2
    assert "--source: " in result.stderr
    assert "symbols" in result.stderr
