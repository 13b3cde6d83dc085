"""What can be wrong with a service's database; every message names the setting and the fix."""

from __future__ import annotations


class StorageError(Exception):
    """A database that cannot be used as configured; `setting` is the setting to change."""

    setting = "database.url"

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{self.setting}: {problem}; {fix}")
        self.problem = problem
        self.fix = fix


class DatabaseUrlError(StorageError):
    """The URL is not one of the supported forms."""


class DatabaseFolderError(StorageError):
    """The SQLite folder does not exist or cannot be written."""


class DatabaseCorruptError(StorageError):
    """The SQLite file is not a database, or is damaged."""


class DatabaseUnreachableError(StorageError):
    """Nothing answers at the address, or the file stays locked."""


class DatabaseRefusedError(StorageError):
    """The server answered and refused: password, role, database name or privileges."""


class SchemaTooNewError(StorageError):
    """The tables were written by a newer version of Skewline than this one."""
