"""Everything that is wrong with what was asked for, collected instead of raised, each with its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from llmlora.core.actions import action_of
from llmlora.core.errors import ConfigError, LlmloraError
from llmlora.core.locale import spoken_error
from llmlora.core.setting_words import setting_problems

Found = TypeVar("Found")
# The field that an error is about, where a whole wish was tried and only the code tells
FIELDS: Final = {
    "model_not_known": "base_model",
    "model_path_over_http": "base_model",
    **dict.fromkeys(
        ("model_unreadable", "model_not_runnable", "model_looks_ahead", "padding_changes_loss"), "base_model"
    ),
    "tokenizer_no_bytes": "base_model",
    "dataset_not_found": "dataset_id",
    "kept_dataset_has_errors": "dataset_id",
    "one_or_several_datasets": "dataset_ids",
    "dataset_named_twice": "dataset_ids",
    "mix_of_formats": "dataset_ids",
    "shares_do_not_fit": "shares",
    "replay_not_found": "replay",
    "replay_data_changed": "replay",
    "unknown_target_modules": "settings.target_modules",
    "unknown_layers": "settings.layers",
    "unknown_modules_to_save": "settings.modules_to_save",
    "quantization_cpu_only": "settings.quantization",
    "general_rows_refused": "settings.general_share",
    "adapter_does_not_fit": "settings.init_adapter",
    "adapter_other_base": "settings.init_adapter",
}


class WishProblems:
    """Everything that is wrong with a wish, each with the field it is about."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def attempt(self, name: str, work: Callable[[], Found], prefix: str = "") -> Found | None:
        """Return what comes of some work; None, and the problem is noted, when it is refused."""
        try:
            return work()
        except LlmloraError as error:
            self.add(name, error, prefix)
            return None

    def add(self, name: str, error: LlmloraError, prefix: str = "") -> None:
        """Note an error about a field, `prefix` in front of it; one about several settings becomes one for each."""
        spoken = spoken_error(error)
        listed = error.params.get("problems") if isinstance(error, ConfigError) else None
        if isinstance(error, ConfigError) and listed:
            for problem, line in zip(listed, setting_problems(error), strict=True):
                about = {"field": f"{prefix}settings.{problem['field']}", "code": problem["code"], "params": problem}
                action = action_of(problem["code"], problem)
                self.items.append({**about, "detail": line, "hint": spoken["hint"], "action": action})
            return
        self.items.append({"field": f"{prefix}{_field(error, name)}", **spoken})


def _field(error: LlmloraError, name: str) -> str:
    """Return the field that an error names itself, else `name`, or what its code tells about a whole wish."""
    if error.code in ("unknown_preset", "preset_of_other_option"):
        return str(error.params["kind"]).lstrip("-").replace("-", "_")
    if error.code == "setting_path_over_http":
        return f"settings.{error.params['name']}"
    return FIELDS.get(error.code, name) if name == "settings" else name
