"""All settings of a Skewline process."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, PrivateAttr

from skewline.servers.runtime.settings.bus import BusSettings
from skewline.servers.runtime.settings.cache import CacheSettings
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.settings.database import DatabaseSettings
from skewline.servers.runtime.settings.logging import LoggingSettings
from skewline.servers.runtime.settings.marketdata import MarketDataSettings
from skewline.servers.runtime.settings.network import NetworkSettings
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.servers.runtime.settings.section import Section
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.runtime.settings.telemetry import TelemetrySettings


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


class Settings(Section):
    """Everything that can be set, typed and checked.

    Calling it takes only what is passed, and defaults; `load_settings` reads file, environment
    and flags.
    """

    home: Annotated[Path, AfterValidator(_absolute)] = Path("~/.skewline")
    """Folder of databases, traces, bus files and logs."""

    bus: BusSettings = BusSettings()
    """The event bus."""
    database: DatabaseSettings = DatabaseSettings()
    """The databases."""
    cache: CacheSettings = CacheSettings()
    """The cache of latest values."""
    telemetry: TelemetrySettings = TelemetrySettings()
    """Traces and metrics."""
    logging: LoggingSettings = LoggingSettings()
    """Logs."""
    network: NetworkSettings = NetworkSettings()
    """Where services listen and find each other."""

    marketdata: MarketDataSettings = MarketDataSettings()
    """The market data service."""
    calibration: CalibrationSettings = CalibrationSettings()
    """The calibration service."""
    signal: SignalSettings = SignalSettings()
    """The signal service."""
    risk: RiskSettings = RiskSettings()
    """The risk service."""
    order: OrderSettings = OrderSettings()
    """The order service."""

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    def database_url(self) -> str:
        """The URL for `Database.open`: a folder of SQLite files, or PostgreSQL with a schema a service."""
        return self.database.url or f"sqlite:///{self.databases}"

    @property
    def databases(self) -> Path:
        """Folder of the SQLite files, one a service."""
        return self.home / "db"

    @property
    def traces(self) -> Path:
        """Folder of the local span stores, one file a service."""
        return self.home / "traces"
