"""The result of one check of one exported file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmlora.core.errors import LlmloraError

CheckName = Literal[
    "file", "tensors", "update", "engine", "tokenizer", "template", "logprobs", "stop", "answers", "order", "modelfile"
]


@dataclass(frozen=True)
class Check:
    """Passed or failed, what was measured against which limit, and on failure the cause by name.

    `cause` is a stable word (`export.cause.<cause>` explains it); `detail` shows the first difference found.
    """

    check: CheckName
    ok: bool
    measured: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    cause: str | None = None
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of `verify.json`."""
        return {
            "check": self.check,
            "ok": self.ok,
            "measured": dict(self.measured),
            "limits": dict(self.limits),
            "cause": self.cause,
            "detail": self.detail,
        }


def passed(check: CheckName, measured: Mapping[str, Any], limits: Mapping[str, float] | None = None) -> Check:
    """Return a passed check."""
    return Check(check, True, measured, limits or {})


def failed(
    check: CheckName, cause: str, detail: str, measured: Mapping[str, Any], limits: Mapping[str, float] | None = None
) -> Check:
    """Return a failed check with its cause."""
    return Check(check, False, measured, limits or {}, cause, detail)


def within(check: CheckName, cause: str, measured: Mapping[str, Any], limits: Mapping[str, float]) -> Check:
    """Return a check that passes when every limited value stays below its limit."""
    broken = [f"{name} {measured[name]:.2g} > {limit:g}" for name, limit in limits.items() if measured[name] >= limit]
    if broken:
        return failed(check, cause, "; ".join(broken), measured, limits)
    return passed(check, measured, limits)


def what_failed(error: LlmloraError) -> str:
    """Return what an error says beyond its class and the file it is about, for `detail`."""
    facts = [f"{name}={value}" for name, value in error.params.items() if name != "path" and value not in ("", "''")]
    return ", ".join(facts)[:500] or error.code
