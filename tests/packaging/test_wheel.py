from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOMS = {"v1", "cyext", "storage", "servers", "clients"}


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", out, repository], check=True)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_has_no_top_level_package_but_skewline(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"skewline"}


def test_holds_every_room_and_nothing_beside_them(names: set[str]) -> None:
    inside = {name.split("/")[1] for name in names if name.startswith("skewline/")}
    assert inside == ROOMS | {"__init__.py", "py.typed"}


def test_holds_every_python_and_data_file_of_the_rooms(repository: Path, names: set[str]) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "clients", "servers", "storage", "cyext"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout: no list of what belongs to the rooms")
    left_out = (".pyx", ".c", ".h")
    wanted = {
        f"skewline/{file}" for file in tracked if not file.endswith(left_out) and (repository / file).exists()
    }
    assert wanted <= names


def test_holds_stubs_and_types_for_every_proto(repository: Path, names: set[str]) -> None:
    protos = {proto.stem for proto in (repository / "proto" / "skewline" / "v1").glob("*.proto")}
    made = {
        f"skewline/v1/{stem}{suffix}" for stem in protos for suffix in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")
    }
    assert protos
    assert made <= names


def test_holds_one_compiled_file_for_each_kernel_and_no_source(repository: Path, names: set[str]) -> None:
    kernels = sorted(source.stem for source in (repository / "cyext").glob("*.pyx"))
    compiled = sorted(Path(name).name.split(".")[0] for name in names if name.endswith(".so"))
    assert compiled == kernels
    assert not [name for name in names if name.endswith((".pyx", ".c", ".h"))]


def test_installed_on_its_own_it_imports_as_skewline(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = "import importlib\n" + "".join(
        f"print(importlib.import_module('skewline.{room}').__file__)\n" for room in sorted(ROOMS)
    )
    # PYTHONPATH comes before the editable install of this environment.
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [Path(line).parent for line in done.stdout.split()] == [
        tmp_path / "skewline" / room for room in sorted(ROOMS)
    ]


def test_source_distribution_has_the_sources_and_nothing_generated(repository: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path],
        cwd=repository,
        check=True,
        capture_output=True,
    )
    [built] = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        files = {member.name.partition("/")[2] for member in archive.getmembers()}
        links = [member.name for member in archive.getmembers() if member.issym() or member.islnk()]
    sources = [*(repository / "cyext").glob("*.px*"), *(repository / "proto").rglob("*.proto")]
    assert {str(source.relative_to(repository)) for source in sources} <= files
    assert "deploy/packaging/hatch_build.py" in files
    assert not links
    assert not [file for file in files if file.endswith(".so") or "_pb2" in file or file.startswith("build/")]
