"""Which of the instruction-set levels that the kernels are compiled for is used, settled once at import."""
import os

cdef extern from "cpu.h":
    int skw_cpu_level() noexcept nogil

_NAMES = ("portable", "v2", "v3", "v4")


def levels():
    """The levels that this processor and this build have, lowest first."""
    return _NAMES[:skw_cpu_level() + 1]


def _chosen():
    wanted = os.environ.get("SKEWLINE_ISA", "")
    available = levels()
    if not wanted:
        return len(available) - 1
    if wanted not in _NAMES:
        raise ImportError(f"SKEWLINE_ISA={wanted!r} is no level; the levels are {', '.join(_NAMES)}")
    if wanted not in available:
        raise ImportError(f"SKEWLINE_ISA={wanted}: this processor or build has only {', '.join(available)}")
    return available.index(wanted)


_level = _chosen()


def level():
    """The number of the level in use, for the tables of the kernels."""
    return _level


def isa():
    """The instruction-set level in use: "portable", "v2", "v3" (AVX2, FMA) or "v4" (AVX-512).

    The highest that the processor has, or what the environment variable SKEWLINE_ISA names.
    """
    return _NAMES[_level]
