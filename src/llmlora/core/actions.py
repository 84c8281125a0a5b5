"""What can be done next about an error or a finding, as data: a name, and the values to send with it.

The words of a hint say the same to people. A page makes a button of it, and a program a request:

| name | request |
|---|---|
| `change_settings` | the values are `settings` of a plan, of a new job or of a clone of this one |
| `repair_dataset` | the values, with the `version`, are the body of `POST /api/datasets/{dataset_id}/repair` |
| `resume_job`, `retry_job`, `cancel_job` | `POST /api/jobs/{job_id}/resume`, `retry`, `cancel` of the job in question |
| `evaluate` | `POST /api/evaluations` for the job in question |
| `export` | `POST /api/exports` for the job in question, with these values |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class _Of:
    """The parameter of an error that is sent as a value."""

    param: str


def _repair(action: str) -> tuple[str, dict[str, Any]]:
    return "repair_dataset", {"actions": [action]}


def _settings(**values: Any) -> tuple[str, dict[str, Any]]:
    return "change_settings", values


_ACTIONS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    # data
    **dict.fromkeys(("dataset_not_trainable", "kept_dataset_has_errors", "rows_with_errors"), _repair("drop_invalid")),
    "duplicate": _repair("deduplicate"),
    "preference_data": _repair("keep_chosen"),
    "all_rows_overlong": _settings(max_length=_Of("fits")),
    "no_trainable_tokens": _settings(max_length=_Of("needed")),
    "over_max_length": _settings(max_length=_Of("num_tokens")),
    **dict.fromkeys(("rows_longer_than_model", "over_model_length"), _settings(drop_overlong=True)),
    # settings of a run
    "memory_short_full": _settings(method="lora"),
    "no_eval_rows": _settings(validation_split=0.1),
    "texts_split": _settings(split_long_text=False),
    "mixed_rows": _settings(chat_template="raw"),
    **dict.fromkeys(("template_needs_tokens", "template_hides_turn"), _settings(chat_template="plain")),
    "ollama_template_differs": _settings(chat_template="gguf"),
    # jobs
    "job_paused": ("resume_job", {"job_id": _Of("id")}),
    "job_canceled": ("retry_job", {"job_id": _Of("id")}),
    **dict.fromkeys(("dataset_in_use", "job_in_use"), ("cancel_job", {"job_id": _Of("first")})),
    **dict.fromkeys(("train_killed", "stopped", "stopped_at_once"), ("retry_job", {})),
    **dict.fromkeys(("stopped_before_resuming", "stopped_before_training"), ("retry_job", {})),
    # results
    **dict.fromkeys(("memorised", "overfitting", "damaged_report"), ("evaluate", {})),
    **dict.fromkeys(("facts_lost", "update_lost"), ("export", {"quantizations": [_Of("finer")]})),
    "ollama_not_verified": ("export", {"quantizations": ["Q8_0"]}),
    **dict.fromkeys(("damaged_export", "export_not_finished", "verification_failed"), ("export", {})),
}
DROP_INVALID: Final = {"name": "repair_dataset", "values": {"actions": ["drop_invalid"]}}


def action_of(code: str | None, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return {`name`, `values`} of the next step about a code, None where only a person can tell."""
    named = params.get("first_code") if code == "no_row_trainable" else code
    name, values = _ACTIONS.get(str(named), ("", {}))
    if params.get("is_none_good") and values == DROP_INVALID["values"]:
        return None  # no row would be left
    filled = {key: _filled(value, params) for key, value in values.items()}
    return None if not name or None in filled.values() else {"name": name, "values": filled}


def change_of(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the action that changes some settings, None for none."""
    return None if settings is None else {"name": "change_settings", "values": dict(settings)}


def _filled(value: Any, params: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        filled = [_filled(item, params) for item in value]
        return None if None in filled else filled
    return params.get(value.param) if isinstance(value, _Of) else value
