import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from skewline.clients.cli import build


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), list(arguments))


@pytest.mark.parametrize("command", ["demo", "backtest"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--source", "yahoo:x"], "--source: 'yahoo:x' names no source"),
        (["--source", "cboe:/no/such"], "--source: /no/such does not exist"),
        (["--date", "yesterday"], "--date: must be a day, YYYY-MM-DD, not 'yesterday'"),
        (["--set", "network.ports.risk=99999"], "network.ports.risk = '99999' (flag --set"),
        (["--set", "risk.no_such=1"], "risk.no_such (flag --set risk.no_such): no such setting"),
        (["--config", "/no/such.toml"], "/no/such.toml"),
    ],
)
def test_wrong_options_end_in_one_line_that_names_option_and_fix(
    command: str, options: list[str], says: str, tmp_path: Path
) -> None:
    result = run(command, "--home", str(tmp_path / "home"), *options)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert not (tmp_path / "home").exists()


def test_up_says_which_setting_is_wrong(tmp_path: Path) -> None:
    result = run("up", "--home", str(tmp_path / "home"), "--set", "network.host=10.0.0.1")
    assert result.exit_code == 2
    assert "network.host" in result.stderr
    assert "127.0.0.1" in result.stderr


def test_help_does_not_load_the_servers() -> None:
    code = (
        "import sys; from skewline.clients.cli import build; build(); "
        "print([m for m in sys.modules if m.startswith(('skewline.servers', 'grpc', 'plotly'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["demo", "backtest"])
def test_a_report_that_cannot_be_written_is_refused_before_the_run(command: str, tmp_path: Path) -> None:
    result = run(command, "--home", str(tmp_path / "home"), "--report", str(tmp_path))
    assert result.exit_code == 2
    assert f"--report: {tmp_path} is a folder; name a file" in result.stderr
    (tmp_path / "file").touch()
    result = run(command, "--home", str(tmp_path / "home"), "--report", str(tmp_path / "file" / "r.html"))
    assert result.exit_code == 2
    assert "--report:" in result.stderr
