"""Compiles a kernel's vector code, cyext/src/<name>.simd.c, once for every instruction-set level.

The objects go into one extension, which picks a level at import (cyext/_isa.pyx): a wheel runs on any
processor of its architecture, never on the build machine's kind only. Elsewhere than on x86-64, or where the
compiler does not know the levels, there is the portable one alone (on AArch64 that is NEON already).
"""

from __future__ import annotations

import platform
import subprocess
import tempfile
from pathlib import Path

from setuptools import Extension
from setuptools.command.build_ext import build_ext

PORTABLE: dict[str, tuple[str, ...]] = {"portable": ()}
X86_64: dict[str, tuple[str, ...]] = {
    **PORTABLE,
    "v2": ("-march=x86-64-v2",),
    "v3": ("-march=x86-64-v3",),
    "v4": ("-march=x86-64-v4", "-mprefer-vector-width=512"),
}


def levels(cc: str) -> dict[str, tuple[str, ...]]:
    """The levels to compile for with the compiler `cc`, and the flags of each."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return PORTABLE
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder, "probe.c")
        probe.write_text('int main(void) { return __builtin_cpu_supports("avx512vl"); }\n')
        for flags in X86_64.values():
            command = [cc, *flags, "-c", str(probe), "-o", str(probe.with_suffix(".o"))]
            if subprocess.run(command, capture_output=True).returncode != 0:
                print(
                    f"skewline: {cc} does not know {' '.join(flags)}: the kernels will be portable only",
                    flush=True,
                )
                return PORTABLE
    return X86_64


class BuildLevels(build_ext):  # type: ignore[misc]
    """Compiles the vector code of an extension for each of `levels` and links it with the rest.

    `vector_code` holds it by the extension's full name (cythonize makes new extensions, which would lose it),
    `vector_flags` the flags that some of it takes besides the extension's own.
    """

    levels: dict[str, tuple[str, ...]]
    vector_code: dict[str, Path]
    vector_flags: dict[str, tuple[str, ...]]

    def build_extension(self, ext: Extension) -> None:
        """Add one object a level, in a folder named after it, to what is linked."""
        if source := self.vector_code.get(ext.name):
            for level, flags in self.levels.items():
                ext.extra_objects += self.compiler.compile(
                    [str(source)],
                    output_dir=str(Path(self.build_temp, level)),
                    macros=[*ext.define_macros, ("SKW_ISA", level)],
                    include_dirs=ext.include_dirs,
                    extra_postargs=[
                        *ext.extra_compile_args,
                        *self.vector_flags.get(ext.name, ()),
                        *flags,
                    ],
                )
        super().build_extension(ext)
