"""Finds the source of rates that the setting names."""

from __future__ import annotations

from pathlib import Path

from skewline.servers.calibration.rates.curve import flat_curve
from skewline.servers.calibration.rates.files import RatesFault, read_curves
from skewline.servers.calibration.rates.source import Always, Dated, Parity, RatesSource
from skewline.servers.runtime.settings import SettingsError
from skewline.servers.runtime.settings.problem import SettingProblem


def rates_of(name: str) -> RatesSource:
    """The source of the setting calibration.rates. Raises SettingsError for a file that cannot be used."""
    form, _, place = name.partition(":")
    if form == "flat":
        return Always(flat_curve(float(place)))
    if form == "csv":
        try:
            return Dated(read_curves(Path(place).expanduser()))
        except RatesFault as error:
            problem = SettingProblem("calibration.rates", "settings", repr(name), str(error))
            raise SettingsError([problem]) from error
    return Parity()
