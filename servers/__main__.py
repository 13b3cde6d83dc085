"""`python -m skewline.servers SERVICE`: one service in this process."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from pathlib import Path

from skewline.servers.runtime.bus import BusUnavailable
from skewline.servers.runtime.host import BusLost, NoBusError, serve
from skewline.servers.runtime.logs import configure_logging
from skewline.servers.runtime.server import BindError
from skewline.servers.runtime.settings import SERVICES, SettingsError, load_settings
from skewline.storage.errors import StorageError


def main(arguments: list[str] | None = None) -> int:
    """Run the service named on the command line until it is told to stop; returns the exit status.

    2: settings are wrong, or something that the service needs (port, bus, database) is not to be had.
    """
    parser = argparse.ArgumentParser(prog="python -m skewline.servers", description=__doc__)
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("--config", type=Path, help="TOML file of settings")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="SECTION.FIELD=VALUE")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(options.config, options.overrides)
        configure_logging(options.service, settings)
        module = importlib.import_module(f"skewline.servers.{options.service}.service")
        asyncio.run(serve(options.service, settings, module.build))
    except (SettingsError, NoBusError, BusLost, BindError, BusUnavailable, StorageError, OSError) as error:
        print(f"{options.service}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
