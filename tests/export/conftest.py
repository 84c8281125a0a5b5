"""What every export test gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tiny_jobs import MakeJob, tiny_job


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """Return `tiny_job` bound to a fresh folder."""

    def make(architecture: str, adapter: dict[str, Any] | None = None, **model: Any) -> Path:
        return tiny_job(architecture, tmp_path, adapter, **model)

    return make
