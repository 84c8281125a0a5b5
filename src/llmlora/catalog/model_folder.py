"""Look at a Hugging Face model folder without loading it, and refuse what is broken, foreign or hostile."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from llmlora.catalog.header_reader import read_elsewhere
from llmlora.catalog.safetensors_header import SafetensorsHeader, TensorInfo, read_safetensors_header
from llmlora.core.errors import ModelFileError
from llmlora.core.layout import (
    ADAPTER_CONFIG,
    CONFIG_FILE,
    GENERATION_FILE,
    MODEL_INDEX,
    MODEL_WEIGHTS,
    TEMPLATE_FILE,
    TOKENIZER_CONFIG,
    TOKENIZER_FILE,
    TOKENIZER_FILES,
    VOCABULARY_FILES,
)
from llmlora.core.lfs_pointer import is_lfs_pointer, lfs_params

RECOMMENDED_FILE = "llmlora.json"
MAX_JSON_BYTES = 256 << 20
MAX_CONFIG_BYTES = 4 << 20
MAX_JSON_DEPTH = 64
MAX_DIMENSION = 1 << 24
MAX_PATTERN_CHARACTERS = 20_000

# Private keys that transformers itself has written into files that are otherwise fine.
_HARMLESS_PRIVATE_KEYS = {
    "_name_or_path", "_num_labels", "_attn_implementation_autoset", "_commit_hash", "_diffusers_version",
    "_sliding_window_pattern", "_from_model_config", "_flash_attn_2_enabled",
}  # fmt: skip
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_SIZES = {
    "hidden_size": ("hidden_size", "n_embd", "d_model"),
    "num_hidden_layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "num_attention_heads": ("num_attention_heads", "n_head", "num_heads"),
    "vocab_size": ("vocab_size",),
}
_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length")
EMBEDDING_NAME = re.compile(r"(^|\.)(embed_tokens|wte|embed_in|word_embeddings)\.weight$")
HEAD_NAME = re.compile(r"(^|\.)(lm_head|embed_out)\.weight$")
_EMBEDDING_WIDTHS = ("word_embed_proj_dim", "embedding_size")  # where embeddings are narrower than the layers
LAYER_NAME = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.")
_DTYPE_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_CAUSAL = re.compile(r"(ForCausalLM|LMHeadModel)$")
_OTHER_SENSES = ("vision_config", "audio_config", "speech_config", "image_token_id", "image_token_index")


@dataclass(frozen=True)
class ModelFolder:
    """What the files of a folder say; `weights` are its safetensors files in name order.

    `recommended` is what the folder wishes for its training, which nobody has checked.
    """

    path: Path
    config: dict[str, Any]
    architecture: str
    model_type: str
    num_parameters: int
    context_length: int
    vocab_size: int
    dtype: str
    weights: tuple[Path, ...]
    tensors: tuple[TensorInfo, ...] = field(repr=False)
    recommended: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the folder's own place."""
        weights, tensors = [path.name for path in self.weights], [tensor.to_list() for tensor in self.tensors]
        values = {key: value for key, value in vars(self).items() if key != "path"}
        return {**values, "weights": weights, "tensors": tensors}

    @classmethod
    def from_dict(cls, found: dict[str, Any], folder: Path) -> Self:
        """Return what a JSON form says of a folder."""
        weights, tensors = (folder / name for name in found["weights"]), map(TensorInfo.from_list, found["tensors"])
        return cls(**{**found, "path": folder, "weights": tuple(weights), "tensors": tuple(tensors)})


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Turn what the system refuses while a folder is read into ModelFileError(model_file_unreadable)."""
    try:
        yield
    except OSError as error:
        raise unreadable(Path(str(error.filename or folder)), error) from error


def unreadable(path: Path, error: OSError) -> ModelFileError:
    """Return the error for a file that is there but that the system does not let us read."""
    return ModelFileError("model_file_unreadable", path=str(path), detail=error.strerror or str(error))


def read_model_folder(folder: Path) -> ModelFolder:
    """Check a model folder and describe it.

    Raises:
        ModelFileError: what is missing, damaged, not a text model, needs its own code, or does not fit together.
        LlmloraError: those of `read_elsewhere`.
    """
    found = read_elsewhere("model", folder)
    if found is not None:
        return ModelFolder.from_dict(found, folder)
    with readable(folder):
        return _read(folder)


def _read(folder: Path) -> ModelFolder:
    config = read_config(folder)
    architecture = _architecture(config, folder)
    sizes = _sizes(config, folder)
    _check_tokenizer(folder, sizes["vocab_size"])
    weights, tensors = _weights(folder)
    _check_fit(tensors, sizes, config, folder)
    floating = Counter(dict.fromkeys(_DTYPE_NAMES, 0))
    for tensor in tensors:
        floating[tensor.dtype] += tensor.num_elements
    return ModelFolder(
        path=folder,
        config=config,
        architecture=architecture,
        model_type=str(config.get("model_type", "")),
        num_parameters=sum(tensor.num_elements for tensor in tensors),
        context_length=context_length(config),
        vocab_size=sizes["vocab_size"],
        dtype=_DTYPE_NAMES.get(floating.most_common(1)[0][0], "float32"),
        weights=weights,
        tensors=tuple(tensors),
        recommended=_recommended(folder),
    )


def _recommended(folder: Path) -> dict[str, Any]:
    path = folder / RECOMMENDED_FILE
    values = read_json_object(path, MAX_CONFIG_BYTES).get("training") if path.is_file() else None
    return values if isinstance(values, dict) else {}


def read_config(folder: Path) -> dict[str, Any]:
    """Return a folder's `config.json` when nothing in it asks for code or for the network."""
    if not _has_file(folder, CONFIG_FILE):
        code = "adapter_is_not_a_base" if (folder / ADAPTER_CONFIG).is_file() else "model_config_missing"
        raise ModelFileError(code, path=str(folder))
    path = inside(folder, CONFIG_FILE)
    config = read_json_object(path, MAX_CONFIG_BYTES)
    if str(config.get("schema", "")).startswith("llmlora."):
        raise ModelFileError("job_is_not_a_base", path=str(folder))
    for key, value in _all_items(config):
        if key == "auto_map" or (key == "trust_remote_code" and value):
            raise ModelFileError("model_needs_code", path=str(path), setting=key)
        if key.startswith("_") and key not in _HARMLESS_PRIVATE_KEYS:
            raise ModelFileError("model_config_hostile", path=str(path), setting=key)
        if "attn_implementation" in key and isinstance(value, str) and "/" in value:
            raise ModelFileError("model_config_hostile", path=str(path), setting=key)
    return config


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file of a folder.

    Raises:
        ModelFileError: `model_file_outside`, a link that leads out (except to a Hub cache's blobs); `lfs_pointer`.
    """
    path = folder / name
    target, home = path.resolve(), folder.resolve()
    allowed = [home, home.parent.parent / "blobs"] if home.parent.name == "snapshots" else [home]
    if not any(target.is_relative_to(place) for place in allowed):
        raise ModelFileError("model_file_outside", path=str(path), target=str(target))
    if path.is_file() and is_lfs_pointer(path):
        raise ModelFileError("lfs_pointer", **lfs_params(path))
    return path


def _has_file(folder: Path, name: str) -> bool:
    """Tell whether a file is there; a link to nothing is an interrupted download, not a missing file."""
    path = folder / name
    if path.is_symlink() and not path.exists():
        raise ModelFileError("model_file_dangling", path=str(path), target=str(path.readlink()))
    return path.is_file()


def read_json_object(path: Path, max_bytes: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """Read a JSON object with caps on size and depth; raise ModelFileError (`model_json_invalid`, or unreadable)."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise ModelFileError("model_json_invalid", path=str(path), detail=f"{size} > {max_bytes}")
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        detail = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise ModelFileError("model_json_invalid", path=str(path), detail=detail) from error
    if not isinstance(value, dict) or json_depth(value) > MAX_JSON_DEPTH:
        raise ModelFileError("model_json_invalid", path=str(path), detail=type(value).__name__)
    return value


def json_depth(value: Any) -> int:
    """Return how deep a JSON value is nested, counted up to one more than is allowed."""
    level, current = 0, [value]
    while current and level <= MAX_JSON_DEPTH:
        current = [child for item in current for child in _children(item) if isinstance(child, dict | list)]
        level += 1
    return level


def _children(item: Any) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else item


def _all_items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    for child in _children(value) if isinstance(value, dict | list) else ():
        yield from _all_items(child)


def _architecture(config: dict[str, Any], folder: Path) -> str:
    names = config.get("architectures")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ModelFileError("model_config_incomplete", path=str(folder / CONFIG_FILE), setting="architectures")
    name = str(names[0])
    if name.endswith("ForConditionalGeneration") or any(key in config for key in _OTHER_SENSES):
        raise ModelFileError("model_not_text_only", path=str(folder), architecture=name)
    if not _CAUSAL.search(name):
        raise ModelFileError("model_not_causal", path=str(folder), architecture=name)
    if "quantization_config" in config:
        raise ModelFileError("model_prequantized", path=str(folder), method=_quantization(config))
    return name


def _quantization(config: dict[str, Any]) -> str:
    settings = config["quantization_config"]
    return str(settings.get("quant_method", "?")) if isinstance(settings, dict) else "?"


def _sizes(config: dict[str, Any], folder: Path) -> dict[str, int]:
    sizes = {}
    for name, keys in _SIZES.items():
        value = next((config[key] for key in keys if key in config), None)
        if value is None:
            raise ModelFileError("model_config_incomplete", path=str(folder / CONFIG_FILE), setting=name)
        if type(value) is not int or not 0 < value <= MAX_DIMENSION:
            raise _bad_value(folder, name, value)
        sizes[name] = value
    for key, value in config.items():
        if key.startswith(("num_", "n_", "max_position")) and type(value) is int and not 0 <= value <= MAX_DIMENSION:
            raise _bad_value(folder, key, value)
    return sizes


def _bad_value(folder: Path, setting: str, value: Any) -> ModelFileError:
    path = str(folder / CONFIG_FILE)
    return ModelFileError("model_config_value", path=path, setting=setting, value=str(value)[:40])


def context_length(config: dict[str, Any]) -> int:
    """Return how many tokens a model takes at most, by its configuration."""
    found = (config.get(key) for key in _CONTEXT_KEYS)
    return next((value for value in found if type(value) is int and value > 0), 2048)


def _weights(folder: Path) -> tuple[tuple[Path, ...], list[TensorInfo]]:
    names = _weight_files(folder)
    headers = {name: read_safetensors_header(inside(folder, name)) for name in names}
    tensors = [tensor for header in headers.values() for tensor in header.tensors]
    repeated = [name for name, count in Counter(tensor.name for tensor in tensors).items() if count > 1]
    if repeated:
        raise ModelFileError("model_shards_invalid", path=str(folder), detail=", ".join(sorted(repeated)[:5]))
    if (folder / MODEL_INDEX).is_file() and not (folder / MODEL_WEIGHTS).is_file():
        _check_index(folder, headers)
    return tuple(folder / name for name in names), tensors


def _weight_files(folder: Path) -> list[str]:
    if _has_file(folder, MODEL_WEIGHTS):
        return [MODEL_WEIGHTS]
    if _has_file(folder, MODEL_INDEX):
        names = sorted({str(name) for name in _weight_map(folder).values()})
        unsafe = [name for name in names if Path(name).name != name or not name.endswith(".safetensors")]
        if unsafe or not names:
            listed = ", ".join(map(ascii, unsafe[:5])) or "weight_map"
            raise ModelFileError("model_shards_invalid", path=str(folder), detail=listed)
        missing = [name for name in names if not _has_file(folder, name)]
        if missing:
            listed, count = ", ".join(missing[:5]), len(missing)
            raise ModelFileError("model_shards_missing", path=str(folder), files=listed, count=count)
        return names
    found = {path.name for pattern in PICKLES for path in folder.glob(pattern)}
    pickles = sorted(found - {"training_args.bin"})
    if pickles:
        raise ModelFileError("pickle_weights", path=str(folder), files=", ".join(pickles[:5]))
    raise ModelFileError("model_weights_not_found", path=str(folder))


def is_pickle(name: str) -> bool:
    """Tell whether a name is that of a file of pickled weights; never raises, whatever the name."""
    return f"*{os.path.splitext(name)[1].lower()}" in PICKLES and os.path.isfile(os.path.expanduser(name))


def _weight_map(folder: Path) -> dict[str, Any]:
    found = read_json_object(inside(folder, MODEL_INDEX)).get("weight_map")
    return found if isinstance(found, dict) else {}


def _check_index(folder: Path, headers: dict[str, SafetensorsHeader]) -> None:
    there = {tensor.name: name for name, header in headers.items() for tensor in header.tensors}
    wanted = _weight_map(folder)
    wrong = sorted(name for name in {*there, *wanted} if there.get(name) != wanted.get(name))
    if wrong:
        raise ModelFileError("model_shards_invalid", path=str(folder), detail=", ".join(map(ascii, wrong[:5])))


def _check_fit(tensors: list[TensorInfo], sizes: dict[str, int], config: dict[str, Any], folder: Path) -> None:
    """Compare the configuration with the weights, so that no size in it can ask for memory the file does not have."""
    layers = {int(match.group(1)) for tensor in tensors if (match := LAYER_NAME.search(tensor.name))}
    embedding = next((tensor.shape for tensor in tensors if EMBEDDING_NAME.search(tensor.name)), None)
    width = next((config[key] for key in _EMBEDDING_WIDTHS if type(config.get(key)) is int), sizes["hidden_size"])
    if embedding is not None and embedding[0] != sizes["vocab_size"]:
        raise _misfit(folder, "vocab_size", sizes["vocab_size"], embedding[0])
    if embedding is not None and embedding[1:] != (width,):
        raise _misfit(folder, "hidden_size", width, embedding[-1])
    if layers and len(layers) != sizes["num_hidden_layers"]:
        raise _misfit(folder, "num_hidden_layers", sizes["num_hidden_layers"], len(layers))


def _misfit(folder: Path, key: str, said: int, found: int) -> ModelFileError:
    return ModelFileError("model_weights_misfit", path=str(folder), setting=key, said=said, found=found)


def _check_tokenizer(folder: Path, vocab_size: int) -> None:
    """Check ids and patterns of `tokenizer.json`; what only a slower reader knows is checked when it is loaded."""
    if not any(_has_file(folder, name) for name in VOCABULARY_FILES):
        raise ModelFileError("tokenizer_missing", path=str(folder))
    for name in (*TOKENIZER_FILES, TEMPLATE_FILE, GENERATION_FILE):
        if (folder / name).exists():
            inside(folder, name)
    settings = folder / TOKENIZER_CONFIG
    if settings.is_file() and "auto_map" in read_json_object(settings):
        raise ModelFileError("model_needs_code", path=str(settings), setting="auto_map")
    path = folder / TOKENIZER_FILE
    if not path.is_file():
        return
    document = read_json_object(path)
    steps = [document.get(key) for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder")]
    patterns = sum(len(value) for key, value in _all_items(steps) if key == "Regex" and isinstance(value, str))
    if patterns > MAX_PATTERN_CHARACTERS:
        raise ModelFileError("tokenizer_hostile", path=str(path), detail=f"{patterns} > {MAX_PATTERN_CHARACTERS}")
    ids = _token_ids(document, path)
    if ids and (min(ids) < 0 or max(ids) >= vocab_size):
        raise ModelFileError("tokenizer_too_large", path=str(path), largest=max(ids), vocab_size=vocab_size)


def _token_ids(document: dict[str, Any], path: Path) -> list[int]:
    """Return all ids of a vocabulary; the same id for two tokens is refused."""
    model, added = document.get("model"), document.get("added_tokens") or []
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, list):  # Unigram: the id is the place
        by_token = {entry[0]: index for index, entry in enumerate(vocabulary) if isinstance(entry, list) and entry}
    else:
        by_token = dict(vocabulary) if isinstance(vocabulary, dict) else {}
    try:
        by_token.update({entry["content"]: entry["id"] for entry in added})
        ids = [int(index) for index in by_token.values()]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError("tokenizer_hostile", path=str(path), detail=type(error).__name__) from error
    if len(set(ids)) != len(ids):
        raise ModelFileError("tokenizer_hostile", path=str(path), detail="added_tokens.id")
    return ids
