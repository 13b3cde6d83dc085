"""One supervisor a home."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class HomeInUse(RuntimeError):
    """Another supervisor runs at this home."""


class HomeUnusable(OSError):
    """The home is no folder that can be written to."""


class HomeLock:
    """Held while a supervisor uses `home`; the system frees it when the process ends, however it does."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            file = (self._home / "supervisor.lock").open("a+", encoding="ascii")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise HomeUnusable(
                f"home: {self._home} cannot be written to ({reason}); set home to a folder that can"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise HomeInUse(
                f"a stack already runs at {self._home} (supervisor pid {holder}); "
                "stop it first, or use another home"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
