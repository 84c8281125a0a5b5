"""The words for what is wrong with settings, one line for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmlora.core.errors import ConfigError
from llmlora.core.locale import has_text, translate


def setting_problems(error: ConfigError) -> list[str]:
    """Return one line per problem that an error lists."""
    known = error.params.get("known", "")
    lines = []
    for problem in error.params.get("problems", []):
        limit = value_limit(problem) if "limit_type" in problem else problem.get("limit", "")
        lines.append(translate(f"cli.setting.{problem['code']}", **{"known": known, **problem, "limit": limit}))
    return lines


def value_limit(problem: Mapping[str, Any]) -> str:
    """Return in words what a value has to be; `limit_type` is pydantic's name for what is wrong with it."""
    key = f"cli.limit.{problem['limit_type']}"
    return translate(key if has_text(key) else "cli.limit.other", **problem.get("limit_params", {}))
