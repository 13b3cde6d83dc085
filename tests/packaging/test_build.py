"""The build on a tree of its own: two messages and one kernel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from skewline import v1

PROTO = 'syntax = "proto3";\npackage skewline.v1;\nmessage Strike { double price = 1; }\n'
KERNEL = "def twice(double x):\n    return 2 * x\n"


@pytest.fixture
def tree(packaging: Path, tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "packaging").symlink_to(packaging)
    for folder in ("proto/skewline/v1", "cyext/src", "storage", "servers", "clients"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "cyext" / "__init__.py").touch()
    (tmp_path / "proto" / "skewline" / "__init__.py").touch()
    (tmp_path / "proto" / "skewline" / "py.typed").touch()
    return tmp_path


def build(tree: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import pathlib, sys; sys.path.insert(0, 'deploy/packaging');"
        "import build; build.build_all(pathlib.Path.cwd())"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=tree, capture_output=True, text=True, check=False
    )


def evaluate(tree: Path, expression: str, imported: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", f"import {imported}; print({expression})"],
        cwd=tree / "clients",
        env={"PYTHONPATH": str(tree / "build" / "dev")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_an_empty_tree_builds(tree: Path) -> None:
    done = build(tree)
    assert done.returncode == 0, done.stderr
    assert evaluate(tree, "skewline.v1.__doc__ is not None", "skewline.v1") == "True"


def test_messages_are_exported_by_the_package(tree: Path) -> None:
    (tree / "proto/skewline/v1/strike.proto").write_text(PROTO)
    done = build(tree)
    assert done.returncode == 0, done.stderr
    assert evaluate(tree, "skewline.v1.Strike(price=2.5).price", "skewline.v1") == "2.5"


def test_every_message_of_the_contract_is_exported() -> None:
    assert v1.OptionChain.DESCRIPTOR.full_name == "skewline.v1.OptionChain"


def test_a_broken_contract_is_refused_with_the_line_and_leaves_the_stubs_as_they_were(tree: Path) -> None:
    proto = tree / "proto/skewline/v1/strike.proto"
    proto.write_text(PROTO)
    assert build(tree).returncode == 0
    before = (tree / "proto/skewline/v1/strike_pb2.py").read_text()
    proto.write_text(PROTO.replace("double price", "decimal price"))
    done = build(tree)
    assert done.returncode != 0
    assert "strike.proto:3:18" in done.stderr
    assert (tree / "proto/skewline/v1/strike_pb2.py").read_text() == before


def test_stubs_of_a_removed_proto_go(tree: Path) -> None:
    proto = tree / "proto/skewline/v1/strike.proto"
    proto.write_text(PROTO)
    assert build(tree).returncode == 0
    proto.unlink()
    assert build(tree).returncode == 0
    assert not list((tree / "proto/skewline/v1").glob("*_pb2*"))


def test_a_kernel_is_compiled_with_its_own_c_and_again_only_when_changed(tree: Path) -> None:
    kernel = tree / "cyext/doubling.pyx"
    kernel.write_text(
        'cdef extern from "doubling.h":\n    double twice_c(double)\n' + KERNEL.replace("2 * x", "twice_c(x)")
    )
    (tree / "cyext/src/doubling.h").write_text("double twice_c(double);\n")
    (tree / "cyext/src/doubling.c").write_text("double twice_c(double x) { return 2 * x; }\n")
    first = build(tree)
    assert "compiling doubling" in first.stdout, first.stderr
    assert evaluate(tree, "skewline.cyext.doubling.twice(4)", "skewline.cyext.doubling") == "8.0"

    kernel.touch()
    assert build(tree).stdout == ""

    (tree / "cyext/src/doubling.c").write_text("double twice_c(double x) { return x + x + 1; }\n")
    assert "compiling doubling" in build(tree).stdout
    assert evaluate(tree, "skewline.cyext.doubling.twice(4)", "skewline.cyext.doubling") == "9.0"

    kernel.unlink()
    assert build(tree).returncode == 0
    assert not list((tree / "cyext").glob("*.so"))


def test_a_kernel_that_does_not_compile_fails_the_build_and_names_the_place(tree: Path) -> None:
    (tree / "cyext/doubling.pyx").write_text("def twice(double x):\n    return y\n")
    done = build(tree)
    assert done.returncode != 0
    assert "doubling.pyx:2:11" in done.stdout + done.stderr
