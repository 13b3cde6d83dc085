"""Compiles cyext/*.pyx in place as skewline.cyext.<name>.

A kernel's own C goes into cyext/src/<name>.c, which is compiled with it, its vector code into
cyext/src/<name>.simd.c, which is compiled once for every instruction-set level (isa_levels.py); what several
share goes into headers, cyext/src/*.h.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sysconfig
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from fingerprint import fingerprint, is_current, record
from toolchain import compiler, missing

# Never -ffast-math: on the link line gcc < 13 would set flush-to-zero for the whole process on import. No
# fused multiply-adds, which not every level has: so all levels give the same bits.
COMPILE_FLAGS = (
    *("-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"),
    *("-fopenmp-simd", "-pthread"),
)
#: Kernels whose vector code fuses them after all, where a level has them: it is 15 to 30 % faster so, and its
#: answers are conditioned well enough to agree to 1e-12 (a fit: to come to the same optimum).
FUSED = frozenset({"_black", "_heston", "_portfolio", "_sabr", "_variance_smile"})


def build_kernels(root: Path, dev: Path, extra: Sequence[str] = ()) -> list[Path]:
    """Compile what has changed since the last build, in parallel; return all compiled files for this Python.

    `dev` holds `skewline` laid out like the wheel: there `cimport skewline.cyext.x` is found. `extra` flags
    come last when compiling and linking.
    """
    folder = root / "cyext"
    suffix = str(sysconfig.get_config_var("EXT_SUFFIX"))
    sources = sorted(folder.glob("*.pyx"))
    products = {source.stem: folder / f"{source.stem}{suffix}" for source in sources}
    _remove_orphans(folder, set(products))

    recipe = [Path(__file__), Path(__file__).with_name("isa_levels.py")]
    shared = [*folder.glob("*.px[di]"), *folder.glob("src/*.h"), *recipe]
    stale: dict[str, str] = {}
    for source in sources:
        value = fingerprint(
            [
                source,
                *folder.glob(f"src/{source.stem}.c"),
                *folder.glob(f"src/{source.stem}.simd.c"),
                *shared,
            ],
            *COMPILE_FLAGS,
            *extra,
            suffix,
            f"cython {version('cython')}",
            f"numpy {version('numpy')}",
        )
        if not is_current(_stamp(root, products[source.stem]), value, [products[source.stem]]):
            stale[source.stem] = value
    if stale:
        print(f"skewline: compiling {', '.join(stale)}", flush=True)
        _compile(root, dev, list(stale), products, extra)
        for name, value in stale.items():
            record(_stamp(root, products[name]), value)
    return list(products.values())


def _compile(
    root: Path, dev: Path, names: list[str], products: dict[str, Path], extra: Sequence[str]
) -> None:
    if lacking := [str(item) for item in missing()]:
        raise SystemExit("\n".join(lacking))

    import numpy as np
    from Cython.Build import cythonize
    from isa_levels import X86_64, BuildLevels, levels
    from setuptools import Distribution, Extension

    cc = compiler()
    assert cc is not None
    configured = shlex.split(str(sysconfig.get_config_var("CC") or ""))
    if "CC" not in os.environ and not (configured and shutil.which(configured[0])):
        os.environ["CC"] = cc

    package = dev / "skewline" / "cyext"
    isa = levels(cc)
    macros: list[tuple[str, str | None]] = [("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")]
    if isa is X86_64:
        macros.append(("SKW_X86_LEVELS", "1"))
    extensions = []
    for name in names:
        own_c = root / "cyext" / "src" / f"{name}.c"
        extensions.append(
            Extension(
                f"skewline.cyext.{name}",
                [str(package / f"{name}.pyx"), *([str(own_c)] if own_c.is_file() else [])],
                include_dirs=[str(root / "cyext"), str(root / "cyext" / "src"), np.get_include()],
                define_macros=macros,
                libraries=["m"],
                extra_compile_args=[*COMPILE_FLAGS, *extra],
                extra_link_args=["-pthread", *extra],
            )
        )
    jobs = min(len(names), os.cpu_count() or 1)
    scratch = root / "build"
    modules = cythonize(  # type: ignore[no-untyped-call]
        extensions,
        include_path=[str(dev)],
        build_dir=str(scratch / "cython"),
        nthreads=jobs if jobs > 1 else 0,
        force=True,
        quiet=True,
        compiler_directives={"language_level": 3},
    )
    command = BuildLevels(Distribution({"name": "skewline", "ext_modules": modules}))
    command.levels = isa
    vector_code = {name: root / "cyext" / "src" / f"{name}.simd.c" for name in names}
    command.vector_code = {
        f"skewline.cyext.{name}": path for name, path in vector_code.items() if path.is_file()
    }
    command.vector_flags = {f"skewline.cyext.{name}": ("-ffp-contract=fast",) for name in FUSED}
    command.build_lib = str(scratch / "lib")
    command.build_temp = str(scratch / "temp")
    command.parallel = jobs
    command.force = True
    command.ensure_finalized()
    command.run()
    for name in names:
        built = Path(command.get_ext_fullpath(f"skewline.cyext.{name}"))
        # By a rename, so that a process which has the old one loaded keeps it whole.
        fresh = products[name].with_suffix(".new")
        shutil.copy2(built, fresh)
        fresh.replace(products[name])


def _remove_orphans(folder: Path, names: set[str]) -> None:
    """A compiled file whose .pyx is gone would still be imported."""
    for compiled in folder.glob("*.so"):
        if compiled.name.split(".")[0] not in names:
            compiled.unlink()


def _stamp(root: Path, product: Path) -> Path:
    return root / "build" / "stamps" / product.name
