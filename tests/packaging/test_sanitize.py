from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

LayTree = Callable[[Path], Path]


@pytest.fixture
def lay_tree(packaging: Path, monkeypatch: pytest.MonkeyPatch) -> LayTree:
    monkeypatch.syspath_prepend(str(packaging))
    found: LayTree = import_module("sanitize").lay_tree
    return found


def source(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_the_tree_links_to_sources_and_leaves_compiled_kernels_out(lay_tree: LayTree, tmp_path: Path) -> None:
    source(
        tmp_path, "cyext/black.py", "cyext/_black.pyx", "cyext/_black.abi3.so", "cyext/src/lanes.h", "proto/a"
    )
    tree = lay_tree(tmp_path)
    assert tree.is_relative_to(tmp_path / "build")
    assert {path.name for path in (tree / "cyext").iterdir()} == {"black.py", "_black.pyx", "src"}
    assert (tree / "cyext" / "src" / "lanes.h").read_text() == "cyext/src/lanes.h"
    assert (tree / "proto" / "a").read_text() == "proto/a"
    assert not (tree / "cyext").is_symlink()


def test_a_source_that_is_gone_goes_from_the_tree(lay_tree: LayTree, tmp_path: Path) -> None:
    source(tmp_path, "cyext/black.py", "cyext/sabr.py")
    (lay_tree(tmp_path) / "cyext" / "_black.abi3.so").write_text("compiled")
    (tmp_path / "cyext" / "sabr.py").unlink()
    kernels = lay_tree(tmp_path) / "cyext"
    assert {path.name for path in kernels.iterdir()} == {"black.py", "_black.abi3.so"}
