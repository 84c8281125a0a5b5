"""Every error llmlora raises on purpose.

LlmloraError
├── InputError            the user's input cannot be used
│   ├── ConfigError       a setting, or a combination of settings           exit 2
│   ├── DatasetError      a data file                                       exit 4
│   │   └── DatasetRowError   one row of it
│   └── ModelFileError    model, tokenizer or adapter files                 exit 4
├── NotFound              a file, model or id that does not exist           exit 3
├── Conflict              locked by another process, or already there       exit 3
├── ResourceError         OutOfMemory · DiskFull · DeviceUnavailable · ModelUnavailable   exit 1
├── DependencyError       PackageMissing · OllamaUnavailable · HubAccessDenied  exit 1
├── RunError              NonFiniteLoss · WorkerDied · Stopped              exit 1 (Stopped: 75 or 130)
├── ExportError           UnsupportedArchitecture · VerificationFailed      exit 1
└── RequestError          an HTTP request that the server refuses: BadRequest · Unauthorized · Forbidden ·
                          MethodNotAllowed · RequestTimeout · BodyTooLarge · TooManyRequests   exit 1

An error carries a stable `code` and its parameters; the words (what, why, hint) live in `locales/` under
`error.<code>.what|why|hint`, so that every edge can say it in the user's language.
"""

from __future__ import annotations

from typing import Any, ClassVar


class LlmloraError(Exception):
    """An expected failure: a stable code, parameters for its message, an HTTP status and an exit code."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code}({details})"

    def to_dict(self) -> dict[str, Any]:
        """Return the form that crosses a process border: class name, code and parameters."""
        return {"error": type(self).__name__, "code": self.code, "params": self.params}


class InputError(LlmloraError):
    """The user's input cannot be used as it is."""

    exit_code = 4
    http_status = 422


class ConfigError(InputError):
    """A setting, or a combination of settings, cannot work; `problems` lists all of them."""

    exit_code = 2


class DatasetError(InputError):
    """A data file cannot be used."""


class DatasetRowError(DatasetError):
    """One row of a data file cannot be used."""


class ModelFileError(InputError):
    """Model, tokenizer or adapter files are unreadable, hostile or do not fit each other."""


class NotFound(LlmloraError):
    """A file, model or id does not exist."""

    exit_code = 3
    http_status = 404


class Conflict(LlmloraError):
    """Something is locked by another process or exists already."""

    exit_code = 3
    http_status = 409


class ResourceError(LlmloraError):
    """The machine has too little of something."""

    http_status = 507


class OutOfMemory(ResourceError):
    """Memory of the host or the device ran out."""


class DiskFull(ResourceError):
    """The disk is full, or would be."""


class DeviceUnavailable(ResourceError):
    """The chosen device does not exist or does not work."""


class ModelUnavailable(ResourceError):
    """A model that was asked cannot answer just now."""

    http_status = 503


class DependencyError(LlmloraError):
    """Something outside llmlora is missing."""

    http_status = 503


class PackageMissing(DependencyError):
    """An optional Python package is not installed."""


class OllamaUnavailable(DependencyError):
    """No Ollama server answers."""


class HubAccessDenied(DependencyError):
    """The Hub refuses access to a model."""


class RunError(LlmloraError):
    """A run failed while working."""


class NonFiniteLoss(RunError):
    """Loss, gradients or weights stopped being finite."""

    http_status = 422


class WorkerDied(RunError):
    """The worker process ended without a result."""


class Stopped(RunError):
    """A run was asked to stop; `exit_code` is 75 when a checkpoint lets it go on, else 130."""

    http_status = 409

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, **params)
        self.has_checkpoint = bool(params.get("has_checkpoint", False))


class ExportError(LlmloraError):
    """An export could not be made."""

    http_status = 422


class UnsupportedArchitecture(ExportError):
    """The model's architecture has no GGUF mapping here."""


class VerificationFailed(ExportError):
    """The exported files do not give the answers of the trained model."""


class RequestError(LlmloraError):
    """An HTTP request is refused before it reaches what it asks for."""

    http_status = 400


class BadRequest(RequestError):
    """The request is not one that HTTP or this server allows."""


class Unauthorized(RequestError):
    """The request carries no valid token."""

    http_status = 401


class Forbidden(RequestError):
    """The request comes from a page of another origin."""

    http_status = 403


class MethodNotAllowed(RequestError):
    """The path exists, but not with this method."""

    http_status = 405


class RequestTimeout(RequestError):
    """The rest of the request did not come in time."""

    http_status = 408


class BodyTooLarge(RequestError):
    """The body is larger than the path takes."""

    http_status = 413


class TooManyRequests(RequestError):
    """Too many wrong tokens from one address, or too many questions at a time."""

    http_status = 429


def _all_error_classes(root: type[LlmloraError]) -> dict[str, type[LlmloraError]]:
    classes = {root.__name__: root}
    for child in root.__subclasses__():
        classes.update(_all_error_classes(child))
    return classes


def error_from_dict(data: dict[str, Any]) -> LlmloraError:
    """Rebuild an error that crossed a process border; unknown classes become `LlmloraError`."""
    error_class = _all_error_classes(LlmloraError).get(str(data.get("error")), LlmloraError)
    return error_class(str(data.get("code", "internal")), **dict(data.get("params") or {}))


def exit_code_of(error: LlmloraError) -> int:
    """Return the process exit code of an error."""
    if isinstance(error, Stopped):
        return 75 if error.has_checkpoint else 130
    return error.exit_code
