"""Put the built pages and the manual into wheel and sdist; nobody who installs those needs Node."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):
    """Builds them from a checkout; an sdist holds them already, an editable install builds them with make."""

    def dependencies(self) -> list[str]:
        """Return what is missing to build them: a Node where PATH has none, and the builder of the manual."""
        needed: list[str] = []
        pages, manual = self._script("build_web.py"), self._script("build_manual.py")
        if pages is None or manual is None or pages["is_skipped"]():
            return needed
        if not pages["is_fresh"]() and not pages["has_node"]():
            needed.append(pages["NODE_WHEEL"])
        if not manual["is_fresh"]():
            needed.append(manual["ZENSICAL"])
        return needed

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is not fresh, unless it is not wanted."""
        pages, manual = self._script("build_web.py"), self._script("build_manual.py")
        if version == "editable" or pages is None or manual is None or pages["is_skipped"]():
            return
        pages["build"]()
        if not manual["is_fresh"]() and manual["build"](manual["SITE"], is_strict=False) != 0:
            raise RuntimeError("the manual could not be built")

    def _script(self, name: str) -> dict[str, Any] | None:
        script = Path(self.root) / ".ci" / name
        return runpy.run_path(str(script)) if (Path(self.root) / "web").is_dir() and script.is_file() else None
