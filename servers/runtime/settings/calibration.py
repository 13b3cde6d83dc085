"""Settings of the calibration service."""

from pydantic import Field

from skewline.servers.runtime.settings.section import Section


class CalibrationSettings(Section):
    """How models are fitted."""

    threads: int = Field(default=1, ge=1, le=256)
    """Threads that one fit may use."""
