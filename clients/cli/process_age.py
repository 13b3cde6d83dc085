"""How long a process of this machine has run."""

from __future__ import annotations

import os
import time
from pathlib import Path


def process_age_s(pid: int) -> float | None:
    """Seconds since the start of `pid`; None where the system does not tell (it is gone, or no Linux)."""
    try:
        # The name, in brackets, may hold spaces; the 20th field behind it is the start in ticks since boot.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def age_text(seconds: float | None) -> str:
    """`2 h 05 min`, `5 min 02 s`, `7 s`."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
