"""Settings of the logs."""

from typing import Literal

from skewline.servers.runtime.settings.section import Section


class LoggingSettings(Section):
    """What is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is written."""

    format: Literal["json", "console"] = "json"
    """`json`: one object a line. `console`: for eyes."""
