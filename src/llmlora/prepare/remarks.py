"""What a user should know about prepared rows before training on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Remark = tuple[Literal["finding", "warning"], str, dict[str, Any]]
NOTABLE_UNKNOWN_SHARE = 0.01


def remarks(facts: Mapping[str, Any]) -> list[Remark]:
    """Return (event type, code, parameters) of each remark; the words stand under `cli.<event type>.<code>`.

    `facts` are those of a PreparedDataset: which template was used, what was folded, spelled out or unknown.
    """
    found: list[Remark] = []
    is_raw = facts["num_raw"] == facts["num_examples"]
    if is_raw:
        found.append(("finding", "raw_rows", {}))
        if facts["template_source"] == "given" and facts["template"] != "raw":
            found.append(("warning", "template_unused", {"name": facts["template"]}))
    elif facts["num_raw"]:
        counts = {"count": facts["num_raw"], "total": facts["num_examples"]}
        found.append(("warning", "mixed_rows", counts))
    if facts["template_source"] == "plain" and not is_raw:
        found.append(("finding", "plain_template", {"name": facts["template"]}))
    if facts["num_system_folded"]:
        found.append(("warning", "system_folded", {"count": facts["num_system_folded"]}))
    if facts["num_system_unused"]:
        found.append(("warning", "system_unused", {"count": facts["num_system_unused"]}))
    if facts["num_reasoning_hidden"]:
        found.append(("warning", "reasoning_hidden", {"count": facts["num_reasoning_hidden"]}))
    if facts["num_control_tokens"]:
        found.append(("warning", "control_tokens", {"count": facts["num_control_tokens"]}))
    if facts["num_kept_out"]:
        found.append(("finding", "rows_kept_out", {"count": facts["num_kept_out"]}))
    if facts["num_texts_split"]:
        split = {"count": facts["num_texts_split"], "rows": facts["num_rows"], "limit": facts["max_length"]}
        found.append(("finding", "texts_split", split))
    if facts["num_overlong_left_out"]:
        left_out = {"count": facts["num_overlong_left_out"], "limit": facts["max_length"]}
        found.append(("warning", "overlong_left_out", left_out))
    if facts["num_rows_dropped"]:
        found.append(("warning", "answers_dropped", {"count": facts["num_rows_dropped"], "limit": facts["max_length"]}))
    if facts["unknown_share"] > NOTABLE_UNKNOWN_SHARE:
        found.append(("warning", "unknown_characters", {"percent": round(100 * facts["unknown_share"], 1)}))
    return found
