"""Hatch build hook: a wheel, editable or not, is put together after the stubs and the kernels are made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

from build import build_all


class CustomHook(BuildHookInterface[Any]):
    """Runs before a wheel is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, name the generated files as part of the wheel, tag it for this platform."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        built = build_all(root)
        # Named one by one: those of another Python that was used in the same tree must stay out.
        build_data["artifacts"] += [f"/{path.relative_to(root)}" for path in (*built.stubs, *built.kernels)]
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
