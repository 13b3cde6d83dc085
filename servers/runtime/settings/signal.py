"""Settings of the signal service."""

from pydantic import Field

from skewline.servers.runtime.settings.section import Section


class SignalSettings(Section):
    """Which signals are worth acting on."""

    min_confidence: float = Field(default=0.6, ge=0, le=1)
    """Signals with this confidence or less are dropped."""
