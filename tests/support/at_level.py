"""A Python of its own in which the kernels run at another instruction-set level."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAVE = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location("numbers", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with np.errstate(all="ignore"):
    np.savez(sys.argv[2], **module.numbers())
"""


def run_at(level: str, *command: str) -> subprocess.CompletedProcess[str]:
    """`python` with the arguments `command`, with what the tests can import; "" is the level by default."""
    environment = {**os.environ, "SKEWLINE_ISA": level, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=280, check=False
    )


def numbers_at(level: str, module: str, folder: Path) -> dict[str, NDArray[Any]]:
    """What the function `numbers` of the file `module` returns there; `folder` is room for it."""
    target = folder / f"{level}.npz"
    done = run_at(level, "-c", _SAVE, module, str(target))
    assert done.returncode == 0, done.stderr
    return dict(np.load(target))
