"""Memory that cannot be had is a MemoryError, or one thread fewer; never a crash or another answer."""

import os
import subprocess
import sys

import pytest
from every_kernel import KERNELS

CODE = """
import resource, sys
import numpy as np
from pathlib import Path
from every_kernel import kernel
from skewline.cyext import _pool

call = kernel(sys.argv[1])
expected = call(1)
for head in [0, *(1 << step for step in range(16, 27))]:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + head, resource.RLIM_INFINITY))
    try:
        found = call(2)
    except MemoryError:
        continue
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(expected, found))
found = call(2)
assert all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(expected, found))
assert _pool.workers() == 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the address space that holds")
@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="a sanitizer maps terabytes")
@pytest.mark.parametrize("name", KERNELS)
def test_too_little_memory_is_an_error_that_passes(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, name],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SKEWLINE_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
