"""The clock that an index's variance runs by: days without a session count little."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skewline.servers.runtime import new_york
from skewline.servers.runtime.day_count import DAY_NS

Doubles = npt.NDArray[np.float64]


def variance_days(times_ns: npt.NDArray[np.int64], non_session_weight: float) -> Doubles:
    """Position of each instant on the clock, in sessions: only differences mean something.

    A day with a session of the New York Stock Exchange counts one, any other `non_session_weight`; within a
    day (UTC) the clock runs evenly. Beyond the years that the calendar knows, weekdays count as sessions.
    """
    days, within = np.divmod(times_ns, DAY_NS)
    low, high = int(days.min()), int(days.max()) + 2
    session = new_york.sessions(low, high - low)
    passed = np.concatenate(([0.0], np.cumsum(np.where(session, 1.0, non_session_weight))))
    at = days - low
    position: Doubles = passed[at] + within / DAY_NS * (passed[at + 1] - passed[at])
    return position
