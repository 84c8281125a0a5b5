"""All models of this machine that can be named: bundled, from packages, in the Hub's cache, in Ollama's stores.

Only headers and small files are read, and no weights are hashed: of a file of an Ollama store the digest is its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from llmlora.catalog.base_model import list_base_models, ollama_license
from llmlora.catalog.gguf_files import read_gguf_files
from llmlora.catalog.header_reader import read_ahead
from llmlora.catalog.hub_cache import cached_models
from llmlora.catalog.installable import INSTALLABLE, install_command, installed_path
from llmlora.catalog.known_architectures import EXPORTED_TYPES, unknown_architecture
from llmlora.catalog.model_folder import read_model_folder
from llmlora.catalog.ollama_name import PREFIX
from llmlora.catalog.ollama_store import BrokenModel, OllamaModel, list_ollama_models
from llmlora.core.errors import LlmloraError, ModelFileError

Source = Literal["bundled", "package", "hub", "ollama"]
_FACTS = (
    "architecture", "model_type", "vocab_size", "digest", "recommended", "num_parameters", "context_length", "dtype",
    "license", "num_bytes", "path",
)  # fmt: skip


@dataclass(frozen=True)
class ListedModel:
    """One model; what is not known without opening it is None.

    `why_not` says why it cannot be trained, `install` how to get one that is not installed yet.
    """

    name: str
    source: Source
    architecture: str | None = None
    model_type: str | None = None
    vocab_size: int | None = None
    digest: str | None = None
    recommended: Mapping[str, Any] = field(default_factory=dict)
    num_parameters: int | None = None
    context_length: int | None = None
    dtype: str | None = None
    license: str | None = None
    num_bytes: int | None = None
    can_export: bool = False
    why_not: LlmloraError | None = None
    install: str | None = None
    path: Path | None = None

    @property
    def can_train(self) -> bool:
        """Whether it is here and nothing is known against training it."""
        return self.why_not is None and self.install is None


def list_all_models() -> list[ListedModel]:
    """Return every model; one that cannot be read is in the list with the reason."""
    cached, stored = list(cached_models()), list_ollama_models()
    usable = [model for model in stored if isinstance(model, OllamaModel) and model.why_not is None]
    read_ahead([("model", folder) for _, folder in cached] + [("gguf", model.weights[0]) for model in usable])
    return [*_bundled(), *_packages(), *_hub(cached), *_ollama(stored)]


def _bundled() -> Iterator[ListedModel]:
    for model in list_base_models():
        facts: dict[str, Any] = {name: getattr(model, name) for name in _FACTS}
        yield ListedModel(model.name, "bundled", can_export=model.model_type in EXPORTED_TYPES, **facts)


def _packages() -> Iterator[ListedModel]:
    for name, model in INSTALLABLE.items():
        path = installed_path(name)
        yield ListedModel(
            name,
            "package",
            architecture=model.architecture,
            num_parameters=model.num_parameters,
            context_length=model.context_length,
            dtype=model.dtype,
            license=model.license,
            num_bytes=model.num_bytes,
            can_export=True,
            install=None if path else install_command(name),
            path=path,
        )


def _hub(models: Iterable[tuple[str, Path]]) -> Iterator[ListedModel]:
    for name, folder in models:
        try:
            found = read_model_folder(folder)
        except LlmloraError as error:
            yield ListedModel(name, "hub", why_not=error, path=folder)
            continue
        yield ListedModel(
            name,
            "hub",
            architecture=found.architecture,
            model_type=found.model_type,
            vocab_size=found.vocab_size,
            num_parameters=found.num_parameters,
            context_length=found.context_length,
            dtype=found.dtype,
            num_bytes=sum(path.stat().st_size for path in found.weights),
            can_export=found.model_type in EXPORTED_TYPES,
            path=folder,
        )


def _ollama(models: Iterable[OllamaModel | BrokenModel]) -> Iterator[ListedModel]:
    for model in models:
        name = f"{PREFIX}{model.name}"
        if isinstance(model, BrokenModel):
            yield ListedModel(name, "ollama", why_not=model.error)
        elif model.why_not is not None:
            error = ModelFileError(model.why_not, name=str(model.name))
            yield ListedModel(name, "ollama", num_bytes=model.num_bytes or None, why_not=error)
        else:
            yield _ollama_gguf(name, model)


def _ollama_gguf(name: str, model: OllamaModel) -> ListedModel:
    try:
        files = read_gguf_files(model.weights[0])
    except LlmloraError as error:
        return ListedModel(name, "ollama", num_bytes=model.num_bytes, why_not=error)
    architecture = str(files.metadata.get("general.architecture", "?"))
    unknown = unknown_architecture(architecture)
    context = files.metadata.get(f"{architecture}.context_length")
    path = files.paths[0]
    return ListedModel(
        name,
        "ollama",
        architecture=architecture,
        num_parameters=files.num_parameters,
        context_length=context if isinstance(context, int) else None,
        dtype=files.quantization,
        license=ollama_license(files, model),
        num_bytes=files.num_bytes,
        digest=path.name.removeprefix("sha256-") if len(files.paths) == 1 else None,
        can_export=unknown is None,
        why_not=unknown,
        path=path,
    )
