"""Runs the kernels' tests on a build under AddressSanitizer and UndefinedBehaviorSanitizer.

`make sanitize` calls it; arguments go to pytest. The build has a tree of its own, build/sanitize, whose files
are links: the kernels in cyext/ stay as they are. The first wrong access, overflow or bad cast ends the test
process with a report of its place.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dev_links import lay_links
from kernels import build_kernels
from toolchain import compiler

FLAGS = (
    "-O1",
    "-g1",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined,float-cast-overflow",
    "-fno-sanitize-recover=all",
)
# CPython keeps memory until it ends, so leaks have a test of their own.
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def lay_tree(root: Path) -> Path:
    """build/sanitize with a link to each of the repository's rooms, and in cyext/ to each source file."""
    tree = root / "build" / "sanitize"
    kernels = tree / "cyext"
    kernels.mkdir(parents=True, exist_ok=True)
    (tree / "build").mkdir(exist_ok=True)
    wanted = {tree / room: root / room for room in ("proto", "storage", "servers", "clients")}
    wanted |= {
        kernels / source.name: source
        for source in (root / "cyext").iterdir()
        if source.suffix != ".so" and source.name != "__pycache__"
    }
    for link in (*tree.iterdir(), *kernels.iterdir()):
        if link.is_symlink() and link not in wanted:
            link.unlink()
    for link, target in wanted.items():
        if not link.is_symlink():
            link.symlink_to(target)
    return tree


def runtime(cc: str) -> str:
    """The sanitizer's library, which a process that was not built with it must load before all others."""
    name = "libasan.so"
    found = subprocess.run(
        [cc, f"-print-file-name={name}"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if found == name or not Path(found).is_file():
        raise SystemExit(f"skewline: {cc} brings no {name}: make sanitize needs gcc and its libasan")
    return found


def main(arguments: list[str]) -> int:
    """Build, run the tests, return their exit code."""
    root = Path(__file__).resolve().parents[2]
    cc = compiler()
    if cc is None:
        raise SystemExit("skewline: a C compiler is missing")
    preload = runtime(cc)
    tree = lay_tree(root)
    dev = lay_links(tree)
    build_kernels(tree, dev, FLAGS)
    environment = {**os.environ, **OPTIONS, "LD_PRELOAD": preload, "PYTHONPATH": str(dev)}
    # Every Python object from malloc, which the sanitizer watches, instead of from Python's own arenas.
    environment["PYTHONMALLOC"] = "malloc"
    pytest = Path(sys.executable).with_name("pytest")
    # Only Python's own output is captured: what a sanitizer writes as it ends a process would be lost.
    options = ["-p", "no:cacheprovider", "--capture=sys", "-m", "not benchmark"]
    command = [str(pytest), *options, "tests/cyext", *arguments]
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
