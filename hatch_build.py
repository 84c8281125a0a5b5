"""Put the built pages into wheel and sdist; nobody who installs those needs Node."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):
    """Builds the pages from a checkout; an sdist holds them already, an editable install builds them with make."""

    def dependencies(self) -> list[str]:
        """Return the Node that is missing on PATH, if the pages have to be built."""
        build = self._build()
        if build is None or build["is_skipped"]() or build["is_fresh"]() or build["has_node"]():
            return []
        return [build["NODE_WHEEL"]]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages unless they are fresh or not wanted."""
        build = self._build()
        if version != "editable" and build is not None and not build["is_skipped"]():
            build["build"]()

    def _build(self) -> dict[str, Any] | None:
        script = Path(self.root) / ".ci" / "build_web.py"
        return runpy.run_path(str(script)) if (Path(self.root) / "web").is_dir() and script.is_file() else None
