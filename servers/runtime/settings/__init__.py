"""Settings of every Skewline process: typed, checked, from file, environment and flags."""

from skewline.servers.runtime.settings.bus import BusSettings
from skewline.servers.runtime.settings.cache import CacheSettings
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.settings.database import DatabaseSettings
from skewline.servers.runtime.settings.describe import SettingRow, as_environment, describe
from skewline.servers.runtime.settings.load import load_settings
from skewline.servers.runtime.settings.logging import LoggingSettings
from skewline.servers.runtime.settings.marketdata import MarketDataSettings
from skewline.servers.runtime.settings.network import NetworkSettings
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.servers.runtime.settings.problem import SettingProblem, SettingsError
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.servers.runtime.settings.root import Settings
from skewline.servers.runtime.settings.service_name import SERVICES, ServiceName
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.runtime.settings.telemetry import TelemetrySettings

__all__ = [
    "SERVICES",
    "BusSettings",
    "CacheSettings",
    "CalibrationSettings",
    "DatabaseSettings",
    "LoggingSettings",
    "MarketDataSettings",
    "NetworkSettings",
    "OrderSettings",
    "RiskSettings",
    "ServiceName",
    "SettingProblem",
    "SettingRow",
    "Settings",
    "SettingsError",
    "SignalSettings",
    "TelemetrySettings",
    "as_environment",
    "describe",
    "load_settings",
]
