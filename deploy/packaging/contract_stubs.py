"""Generates skewline.v1 from proto/skewline/v1/*.proto: messages, service stubs, their types, the package."""

from __future__ import annotations

import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from fingerprint import fingerprint, is_current, record

SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def build_stubs(root: Path) -> list[Path]:
    """Bring the generated files beside the .proto files up to date; return all of them."""
    source = root / "proto"
    package = source / "skewline" / "v1"
    package.mkdir(parents=True, exist_ok=True)
    protos = sorted(package.glob("*.proto"))
    products = [package / "__init__.py"]
    products += [package / f"{proto.stem}{suffix}" for proto in protos for suffix in SUFFIXES]

    tools = [f"{tool} {version(tool)}" for tool in ("grpcio-tools", "mypy-protobuf")]
    value = fingerprint([*protos, Path(__file__)], *tools)
    stamp = root / "build" / "stamps" / "contract"
    if is_current(stamp, value, products):
        return products

    print(f"skewline: generating stubs from {len(protos)} .proto files", flush=True)
    (root / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root / "build") as scratch:
        _generate(source, protos, Path(scratch))
        made = Path(scratch, "skewline", "v1")
        for product in products:
            _replace(made / product.name, product)
    for suffix in SUFFIXES:
        for old in set(package.glob(f"*{suffix}")) - set(products):
            old.unlink()
    record(stamp, value)
    return products


def _generate(source: Path, protos: list[Path], out: Path) -> None:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from grpc_tools import protoc

    made = out / "skewline" / "v1"
    made.mkdir(parents=True)
    descriptors = FileDescriptorSet()
    if protos:
        well_known = Path(protoc.__file__).parent / "_proto"
        described = out / "descriptors.bin"
        code = protoc.main(
            [
                "protoc",
                f"-I{source}",
                f"-I{well_known}",
                f"--python_out={out}",
                f"--grpc_python_out={out}",
                f"--plugin=protoc-gen-mypy={_script('protoc-gen-mypy')}",
                f"--mypy_out=quiet:{out}",
                f"--plugin=protoc-gen-mypy_grpc={_script('protoc-gen-mypy_grpc')}",
                f"--mypy_grpc_out=quiet:{out}",
                f"--descriptor_set_out={described}",
                *(str(proto.relative_to(source)) for proto in protos),
            ]
        )
        if code:
            raise SystemExit(f"skewline: protoc refused the contract (exit {code}); its message is above")
        descriptors.ParseFromString(described.read_bytes())

    # A file without services gets no grpc types; an empty one keeps the products the same for every file.
    for proto in protos:
        for suffix in SUFFIXES:
            (made / f"{proto.stem}{suffix}").touch()

    lines = ['"""The contract: every message and enum of skewline.v1. Generated."""', ""]
    for file in descriptors.file:
        module = "skewline.v1." + Path(file.name).stem + "_pb2"
        names = [message.name for message in file.message_type]
        for enum in file.enum_type:
            names += [enum.name, *(value.name for value in enum.value)]
        lines += [f"from {module} import {name} as {name}" for name in names]
    (made / "__init__.py").write_text("\n".join(lines) + "\n")


def _replace(made: Path, product: Path) -> None:
    """Put the file in place at once, and only if it differs: others may be importing it just now."""
    if product.is_file() and product.read_bytes() == made.read_bytes():
        return
    made.replace(product)


def _script(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise SystemExit(f"skewline: {name} is missing (pip install mypy-protobuf)")
    return found
