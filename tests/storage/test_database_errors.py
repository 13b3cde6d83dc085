import socket
import sqlite3
from pathlib import Path

import pytest
from servers_under_test.postgres import GUARDED_ROLE, PostgresServer, installation

from skewline.storage.database import Database
from skewline.storage.errors import (
    DatabaseCorruptError,
    DatabaseFolderError,
    DatabaseRefusedError,
    DatabaseUnreachableError,
    DatabaseUrlError,
    StorageError,
)


def refusal(url: str, kind: type[StorageError]) -> str:
    with pytest.raises(kind, match=r"^database\.url: .*; ") as caught:
        Database.open(url, "order")
    return str(caught.value)


def make_role(server: PostgresServer, role: str) -> None:
    server.execute(f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN END $$")


@pytest.mark.parametrize(
    "url", ["", "rubbish", "sqlite://", "sqlite:///:memory:", "mysql://host/name", "postgresql://host"]
)
def test_a_url_of_another_kind_says_which_are_right(url: str) -> None:
    assert "sqlite:///FOLDER" in refusal(url, DatabaseUrlError)


def test_a_missing_folder_says_how_to_make_it(tmp_path: Path) -> None:
    folder = tmp_path / "absent"
    assert f"mkdir -p {folder}" in refusal(f"sqlite:///{folder}", DatabaseFolderError)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "is a file" in refusal(f"sqlite:///{tmp_path}/file", DatabaseFolderError)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "order.sqlite3").mkdir()
    assert "order.sqlite3" in refusal(f"sqlite:///{tmp_path}", DatabaseFolderError)


def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "order.sqlite3"
    file.write_bytes(b"no database " * 1000)
    assert "not a sound SQLite database" in refusal(f"sqlite:///{tmp_path}", DatabaseCorruptError)
    assert file.read_bytes() == b"no database " * 1000


def test_a_damaged_database_is_told_from_a_sound_one(tmp_path: Path) -> None:
    Database.open(f"sqlite:///{tmp_path}", "order").close()
    file = tmp_path / "order.sqlite3"
    content = bytearray(file.read_bytes())
    content[100:4096] = b"\xff" * 3996
    file.write_bytes(content)
    assert "restore it from a backup" in refusal(f"sqlite:///{tmp_path}", DatabaseCorruptError)


def test_a_writer_that_holds_the_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skewline.storage.sqlite._BUSY_SECONDS", 0.05)
    with Database.open(f"sqlite:///{tmp_path}", "order") as database:
        other = sqlite3.connect(tmp_path / "order.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnreachableError, match="stop the other process"), database.begin():
            pass
        other.close()
        with database.begin():
            pass


def test_a_port_where_nothing_listens_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        message = refusal(f"postgresql://me:secret@127.0.0.1:{port}/x", DatabaseUnreachableError)
    assert f"127.0.0.1:{port}" in message
    assert "secret" not in message


def test_a_wrong_password_is_named_but_not_shown(postgres_server: PostgresServer) -> None:
    make_role(postgres_server, f"{GUARDED_ROLE} LOGIN PASSWORD 'right'")
    message = refusal(postgres_server.url("postgres", GUARDED_ROLE, "wrong-one"), DatabaseRefusedError)
    assert "correct the password" in message
    assert "wrong-one" not in message


def test_an_unknown_database_and_an_unknown_role_are_told_apart(postgres_server: PostgresServer) -> None:
    assert "create the database" in refusal(postgres_server.url("nowhere"), DatabaseRefusedError)
    assert "create the role" in refusal(postgres_server.url("postgres", "nobody_here"), DatabaseRefusedError)


def test_a_role_without_privileges_is_told_what_it_lacks(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    make_role(postgres_server, "limited LOGIN")
    limited = postgres_url.replace("//postgres@", "//limited@")
    assert "grant the role CREATE" in refusal(limited, DatabaseRefusedError)


@pytest.mark.parametrize("service", ["", "Order", "a-b", "a;drop", "9th"])
def test_a_service_name_that_is_no_plain_name_is_refused(tmp_path: Path, service: str) -> None:
    with pytest.raises(ValueError, match="service"):
        Database.open(f"sqlite:///{tmp_path}", service)


def test_a_role_that_may_not_use_its_schema_is_told_what_it_lacks(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    Database.open(postgres_url, "order").close()
    postgres_server.execute(
        "DO $$ BEGIN CREATE ROLE barred LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    barred = postgres_url.replace("//postgres@", "//barred@")
    assert "USAGE and CREATE on the schema" in refusal(barred, DatabaseRefusedError)


def test_connections_that_the_server_ended_are_replaced(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    with Database.open(postgres_url, "order") as database:
        database.ping()
        postgres_server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        database.ping()


def test_a_server_that_went_away_is_told_and_its_return_is_enough() -> None:
    server = PostgresServer(installation())
    try:
        server.start()
        with Database.open(server.url("postgres"), "order") as database:
            server.halt()
            with pytest.raises(DatabaseUnreachableError, match=r"database\.url"):
                database.ping()
            server.resume()
            database.ping()
    finally:
        server.stop()
