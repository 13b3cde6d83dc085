"""A database that loses the word of commits, as one does whose server dies between commit and answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from sqlalchemy import Connection

from skewline.storage.database import Database
from skewline.storage.errors import DatabaseUnreachableError


class ForgetfulDatabase(Database):
    """Commits, and says every `every`-th time that it does not answer; 0: never."""

    every: ClassVar[int] = 0
    commits = 0

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction."""
        with super().begin() as connection:
            yield connection
        self.commits += 1
        if self.every and self.commits % self.every == 0:
            raise DatabaseUnreachableError("the connection broke after the commit", "try again")
