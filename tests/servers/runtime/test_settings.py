"""Settings: precedence, origins, and what the operator is told when something is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from skewline.servers.runtime.settings import (
    SERVICES,
    Settings,
    SettingsError,
    as_environment,
    describe,
    load_settings,
)


def _error(
    config: Path | None = None, overrides: tuple[str, ...] = (), environment: dict[str, str] | None = None
) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(config, overrides, environment or {})
    return str(caught.value)


def _file(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_flags_beat_environment_beats_file_beats_defaults(tmp_path: Path) -> None:
    config = _file(tmp_path, "[bus]\nack_wait_s = 1\nmax_deliver = 2\npublish_window = 3\n")
    environment = {"SKEWLINE_BUS__ACK_WAIT_S": "4", "SKEWLINE_BUS__MAX_DELIVER": "5"}
    settings = load_settings(config, ["bus.ack_wait_s=6"], environment)
    bus = settings.bus
    assert (bus.ack_wait_s, bus.max_deliver, bus.publish_window, bus.fetch_batch) == (6, 5, 3, 64)
    source = {row.field: row.source for row in describe(settings)}
    assert source["bus.ack_wait_s"] == "flag --set bus.ack_wait_s=6"
    assert source["bus.max_deliver"] == "environment SKEWLINE_BUS__MAX_DELIVER"
    assert source["bus.publish_window"] == f"file {config}"
    assert source["bus.fetch_batch"] == "default"


def test_the_file_is_found_in_home_or_by_variable(tmp_path: Path) -> None:
    (tmp_path / "skewline.toml").write_text("[logging]\nlevel = 'error'\n")
    other = _file(tmp_path, "[logging]\nlevel = 'debug'\n")
    home = {"SKEWLINE_HOME": str(tmp_path)}
    assert load_settings(None, [], home).logging.level == "error"
    assert load_settings(None, [], {**home, "SKEWLINE_CONFIG": str(other)}).logging.level == "debug"
    assert load_settings(None, [f"home={tmp_path / 'none'}"], {}).logging.level == "info"


def test_every_setting_has_a_meaning_and_a_row() -> None:
    rows = describe(Settings())
    assert len({row.field for row in rows}) == len(rows)
    assert [row.field for row in rows if not row.meaning] == []


def test_lists_decimals_and_none_can_be_given_as_text() -> None:
    overrides = ["bus.backoff_s=[1, 2.5]", "risk.capital=0.1", "database.url=none"]
    environment = {"SKEWLINE_DATABASE__URL": "postgresql+psycopg://h/x"}
    settings = load_settings(None, overrides, environment)
    assert settings.bus.backoff_s == (1.0, 2.5)
    assert str(settings.risk.capital) == "0.1"
    assert settings.database.url is None


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().bus.max_deliver = 3


def test_another_process_gets_the_same_through_the_environment(tmp_path: Path) -> None:
    overrides = [f"home={tmp_path}", "bus.backoff_s=[0.5]", "network.ports.risk=0", "risk.capital=12.34"]
    settings = load_settings(None, overrides, {})
    assert load_settings(None, [], as_environment(settings)).model_dump() == settings.model_dump()


def test_secrets_are_masked_where_settings_are_shown(tmp_path: Path) -> None:
    overrides = [
        "database.url=postgresql+psycopg://me:hunter2@host/db",
        "bus.url=nats://hunter2@a:4222,nats://u:hunter2@b:4222",
        "cache.redis_url=redis://:hunter2@host/0",
    ]
    overrides += ["marketdata.live.alpaca.key=hunter2key", "marketdata.live.alpaca.secret=hunter2"]
    settings = load_settings(None, overrides, {})
    assert "hunter2" not in "\n".join(f"{row.value} {row.source}" for row in describe(settings))
    assert as_environment(settings)["SKEWLINE_MARKETDATA__LIVE__ALPACA__KEY"] == "hunter2key"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in _error(overrides=("database.url=mysql://me:hunter2@host/db",))
    assert "hunter2" not in _error(overrides=("marketdata.live.alpaca.secret=hunter2 \n",))
    assert "hunter2" not in _error(overrides=("marketdata.live.alpaca.secrett=hunter2",))
    assert "hunter2" not in _error(environment={"SKEWLINE_MARKETDATA__LIVE__ALPACA__SECRET": "hunter2 "})


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("network.ports.order=abc", ["network.ports.order", "'abc'", "--set", "valid integer"]),
        ("network.ports.order=70000", ["network.ports.order", "'70000'", "65535"]),
        ("network.ports.order=50051", ["marketdata and order", "50051"]),
        ("network.host=0.0.0.0", ["network.host", "network.allow_remote=true"]),
        ("network.host=example.org", ["network.host", "network.allow_remote=true"]),
        ("network.peers.risk=nowhere", ["network.peers.risk", "'nowhere'"]),
        ("database.synchronous=off", ["'full' or 'normal'"]),
        ("database.url=mysql://h/x", ["postgresql+psycopg://"]),
        ("bus.url=localhost", ["nats://"]),
        ("bus.url=none,nats://h", ["nats://"]),
        ("bus.backoff_s=fast", ["bus.backoff_s", "JSON"]),
        ("bus.backoff_s=[", ["bus.backoff_s", "JSON"]),
        ('bus.backoff_s=["x"]', ["bus.backoff_s", "valid number"]),
        ("bus.ack_wait_s=nan", ["bus.ack_wait_s"]),
        ("risk.capital=-1", ["risk.capital", "greater than 0"]),
        ("bus.ack_wait=3", ["no such setting", "did you mean bus.ack_wait_s"]),
        ("bus=3", ["bus", "no such setting"]),
        ("bus.url", ["section.field=value"]),
        ("", ["section.field=value"]),
    ],
)
def test_a_bad_flag_is_told_with_field_value_and_fix(override: str, expected: list[str]) -> None:
    text = _error(overrides=(override,))
    assert [part for part in expected if part not in text] == []


def test_unknown_environment_variables_are_refused_with_the_closest() -> None:
    text = _error(environment={"SKEWLINE_BUS__UTL": "x", "SKEWLINE_FOO__BAR": "y"})
    assert "did you mean SKEWLINE_BUS__URL" in text
    assert "SKEWLINE_FOO__BAR" in text


def test_variables_that_are_no_settings_are_left_alone() -> None:
    environment = {
        "SKEWLINE_TEST_DATA": "x",
        "SKEWLINE_ISA": "avx2",
        "SKEWLINE_THREADS": "2",
        "OTHER": "y",
        "SKEWLINE_BUS__URL": "",
    }
    assert load_settings(None, [], environment).model_dump() == Settings().model_dump()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[bus\nurl = 1", ["not TOML", "line 1"]),
        ("[bus]\nurl = \n", ["not TOML", "line 2"]),
        ("[bus]\nurll = 'x'", ["bus.urll", "did you mean bus.url"]),
        ("[buss]\nurl = 'x'", ["buss.url", "did you mean bus.url"]),
        ("bus = 3", ["bus", "no such setting"]),
        ("[bus]\nmax_deliver = 'many'", ["bus.max_deliver", "'many'", "valid integer"]),
        ("[bus.url]\nx = 1", ["bus.url", "string"]),
    ],
)
def test_a_bad_file_is_told_with_file_key_and_fix(tmp_path: Path, text: str, expected: list[str]) -> None:
    config = _file(tmp_path, text)
    shown = _error(config)
    assert [part for part in [str(config), *expected] if part not in shown] == []


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    assert "No such file" in _error(tmp_path / "absent.toml")
    assert "Is a directory" in _error(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "not TOML" in _error(tmp_path / "binary.toml")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, ["bus.max_deliver=0", "logging.level=loud"], {})
    assert {problem.field for problem in caught.value.problems} == {"bus.max_deliver", "logging.level"}


def test_remote_hosts_are_accepted_when_allowed() -> None:
    overrides = ["network.allow_remote=true", "network.host=0.0.0.0", "network.peers.risk=risk:50054"]
    network = load_settings(None, overrides, {}).network
    assert network.host == "0.0.0.0"
    assert network.address("risk") == "risk:50054"
    assert network.address("order") == "127.0.0.1:50055"


def test_each_service_has_its_own_port_and_address() -> None:
    settings = Settings()
    assert [settings.network.address(name) for name in SERVICES] == [
        f"127.0.0.1:{port}" for port in range(50051, 50056)
    ]


def test_a_peer_on_a_port_of_the_systems_choice_must_be_given() -> None:
    network = load_settings(None, ["network.ports.risk=0"], {}).network
    with pytest.raises(ValueError, match=r"network\.peers\.risk"):
        network.address("risk")


def test_the_process_environment_is_read_by_default() -> None:
    program = "from skewline.servers.runtime.settings import load_settings as l; print(l().logging.level)"
    environment = {**os.environ, "SKEWLINE_LOGGING__LEVEL": "warning", "SKEWLINE_HOME": "/nonexistent"}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "warning"


def test_feeds_are_known_venues_named_once() -> None:
    assert load_settings(None, ['marketdata.feeds=["cboe:SPX", "cboe:CLX"]'], {}).marketdata.feeds == (
        "cboe:SPX",
        "cboe:CLX",
    )
    assert "with a venue of cboe" in _error(overrides=('marketdata.feeds=["nyse:SPX"]',))
    assert "must have a symbol" in _error(overrides=('marketdata.feeds=["cboe:"]',))
    assert "SPX is brought twice" in _error(overrides=('marketdata.feeds=["cboe:SPX", "deribit:SPX"]',))
    assert "SPX is brought twice" in _error(overrides=('marketdata.feeds=["cboe:SPX", "cboe:SPX"]',))
    assert "marketdata.live.cboe.url" in _error(overrides=("marketdata.live.cboe.url=ftp://x",))
