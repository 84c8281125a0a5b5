"""Which base models there are, and what is known about them without loading one."""

from __future__ import annotations

from typing import Any

from llmlora.catalog.base_model import bundled_models, list_base_models, resolve_base_model
from llmlora.core.errors import InputError, LlmloraError, ModelFileError, NotFound
from llmlora.core.locale import error_texts


def list_models() -> list[dict[str, Any]]:
    """Return the bundled models: name, kind, architecture, num_parameters, context_length, license, path and more."""
    return [model.to_dict() for model in list_base_models()]


def check_model(name: str) -> dict[str, Any]:
    """Return `{"name", "exists", "source", "can_train", "why_not", "code"}` for a name that came over HTTP.

    Folders of this machine are not looked at: a path over HTTP would tell anybody what lies where.
    """
    answer: dict[str, Any] = {"name": name, "exists": False, "source": None, "can_train": False}
    try:
        require_known_model(name)
        model = resolve_base_model(name)
    except ModelFileError as error:
        return {**answer, "exists": True, "source": "bundled", **_why_not(error)}
    except (InputError, NotFound) as error:
        return {**answer, **_why_not(error)}
    return {**answer, "exists": True, "source": model.kind, "can_train": True, "why_not": None, "code": None}


def require_known_model(name: str) -> None:
    """Refuse a name that came over HTTP and is no model of the list.

    Raises:
        InputError: `model_path_over_http`. NotFound: `model_not_known`.
    """
    if name not in bundled_models():
        raise _not_here(name)


def _not_here(name: str) -> LlmloraError:
    if name.startswith((".", "~", "/")) or "\\" in name or "\0" in name or ".." in name.split("/"):
        return InputError("model_path_over_http")
    return NotFound("model_not_known", name=name, bundled=", ".join(bundled_models()))


def _why_not(error: LlmloraError) -> dict[str, str]:
    texts = error_texts(error)
    return {"why_not": f"{texts['what']} {texts['why']}", "code": error.code}
