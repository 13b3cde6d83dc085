"""Children that never outlive the process that started them."""

import os
import sys
from collections.abc import Sequence
from typing import Final

# A program of its own rather than `preexec_fn`: Python code between fork and exec can deadlock once
# gRPC's or the kernels' threads exist. It replaces itself, so the pid stays that of the wanted program.
# The parent may have died before prctl took effect, hence the look at the parent's pid after it.
_LAUNCHER: Final = """
import ctypes, os, signal, sys
ctypes.CDLL(None, use_errno=True).prctl(1, int(sys.argv[1]))
if os.getppid() != int(sys.argv[2]):
    os.kill(os.getpid(), signal.SIGKILL)
try:
    os.execv(sys.argv[3], sys.argv[3:])
except OSError as error:
    sys.exit(f"{sys.argv[3]}: {error.strerror}")
"""


def bound_to_parent(command: Sequence[str], signal_number: int) -> list[str]:
    """The command line that runs `command` so that it gets `signal_number` when this process dies.

    `command[0]` must be a path, it is not looked up. The kernel watches the *thread* that starts the
    child: start it from one that lives as long as the child should. Linux only; elsewhere the command
    is returned as it is.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(signal_number), str(os.getpid()), *command]
