"""Checks of an exported file's header: every key, the whole vocabulary, what ends a reply, each tensor's type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.core.errors import ModelFileError
from llmlora.export.check import Check, failed, passed, what_failed
from llmlora.export.reference import Reference
from llmlora.export.sizes import planned_header
from llmlora.gguf.quantize import planned_types
from llmlora.gguf.source import TensorSource
from llmlora.gguf.tokenizer import BYTE, CONTROL, NORMAL, UNKNOWN, UNUSED, USER_DEFINED, ChatFormat
from llmlora.gguf.writer import FILE_TYPES, planned_metadata
from llmlora.inference.trained_job import TrainedJob

REQUIRED_KEYS = (
    "general.architecture", "general.name", "general.file_type", "tokenizer.ggml.model", "tokenizer.ggml.tokens",
    "tokenizer.ggml.token_type", "tokenizer.ggml.eos_token_id", "tokenizer.chat_template",
)  # fmt: skip
REQUIRED_MODEL_KEYS = ("block_count", "context_length", "embedding_length", "attention.head_count")
EOS_KEY = "tokenizer.ggml.eos_token_id"
# Each of these ends a reply in llama.cpp; the last three are for filling in code, and end it all the same.
END_KEYS = tuple(f"tokenizer.ggml.{name}_token_id" for name in ("eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep"))
CAUSES = {
    **dict.fromkeys(END_KEYS, "end_token"),
    "general.file_type": "file_type",
    "tokenizer.chat_template": "template",
    "tokenizer.ggml.token_type": "token_types",
}
BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>")

Problem = tuple[str, str]


@dataclass(frozen=True)
class FilePlan:
    """What a file's header must say: every key with its value, and the type of every tensor.

    `is_inherited` tells that the vocabulary is the base file's own, which may spell and type tokens otherwise.
    """

    metadata: Mapping[str, Any]
    tensor_types: Mapping[str, str]
    is_inherited: bool = False


@dataclass(frozen=True)
class ModelPlan:
    """What the headers of all files of a trained model share; made once, for a vocabulary takes seconds to read."""

    header: GgufHeader
    metadata: Mapping[str, Any]

    @classmethod
    def of(cls, trained: TrainedJob, source: TensorSource, config: Mapping[str, Any], chat: ChatFormat) -> ModelPlan:
        """Plan the files of a trained model; `source` and `config` are its merged weights."""
        header = planned_header(source, config, trained.result_dir)
        return cls(header, planned_metadata(config, trained.result_dir, "F16", trained.gguf_name, chat))

    def file(self, quantization: str) -> FilePlan:
        """Plan the file in one quantization."""
        metadata = {**self.metadata, "general.file_type": FILE_TYPES[quantization]}
        return FilePlan(metadata, planned_types(self.header, quantization))


def check_file(path: Path, reference: Reference, plan: FilePlan) -> Check:
    """Read the header strictly and compare it with the tokenizer of the trained model and with what was planned."""
    try:
        header = read_gguf_header(path)
    except ModelFileError as error:
        return failed("file", "header", what_failed(error), {})
    measured = {"num_tensors": len(header.tensors), "size_bytes": path.stat().st_size}
    problem = (
        _missing_key(header)
        or (None if plan.is_inherited else _wrong_vocabulary(header, reference) or _wrong_token_type(header, reference))
        or _wrong_end_token(header, reference)
        or _wrong_template(header, reference)
        or _unexpected_key(header, plan)
        or _wrong_value(header, plan)
        or _wrong_tensor_type(header, plan)
    )
    if problem is None:
        return passed("file", measured)
    return failed("file", problem[0], problem[1], measured)


def _missing_key(header: GgufHeader) -> Problem | None:
    architecture = header.metadata.get("general.architecture")
    needed = [*REQUIRED_KEYS, *(f"{architecture}.{name}" for name in REQUIRED_MODEL_KEYS)]
    missing = [key for key in needed if key not in header.metadata]
    if not missing:
        return None
    cause = "end_token" if EOS_KEY in missing else "missing_key"
    return cause, ", ".join(missing)


def _wrong_vocabulary(header: GgufHeader, reference: Reference) -> Problem | None:
    tokens = list(header.metadata["tokenizer.ggml.tokens"])
    if len(set(tokens)) != len(tokens):
        return "duplicate_tokens", str(len(tokens) - len(set(tokens)))
    if len(tokens) < len(reference.vocabulary):
        return "vocabulary", f"{len(reference.vocabulary)} != {len(tokens)}"
    for index, expected in reference.vocabulary.items():
        if index >= len(tokens) or tokens[index] != expected:
            return "vocabulary", f"{index}: {expected!r} != {tokens[index] if index < len(tokens) else None!r}"
    return None


def _wrong_token_type(header: GgufHeader, reference: Reference) -> Problem | None:
    """A word of type CONTROL would vanish from answers; a control token of another type would be shown in them."""
    tokens, types = header.metadata["tokenizer.ggml.tokens"], header.metadata["tokenizer.ggml.token_type"]
    if len(types) != len(tokens):
        return "token_types", f"{len(tokens)} != {len(types)}"
    for index, found in enumerate(types):
        allowed = _allowed_types(index, reference)
        if found not in allowed:
            return "token_types", f"{index} {tokens[index]!r}: {allowed[0]} != {found}"
    return None


def _allowed_types(index: int, reference: Reference) -> tuple[int, ...]:
    text = reference.vocabulary.get(index)
    if text is None:
        return (UNUSED,)
    is_special = reference.added_tokens.get(index)
    if index == reference.unknown_id:
        return UNKNOWN, NORMAL if is_special is None else CONTROL
    if is_special is not None:
        return (CONTROL,) if is_special else (USER_DEFINED,)
    return (BYTE,) if BYTE_TOKEN.fullmatch(text) else (NORMAL,)


def _wrong_end_token(header: GgufHeader, reference: Reference) -> Problem | None:
    """The token that ends a turn is the one of the training labels; whatever else ends a reply must end the model's."""
    found = header.metadata[EOS_KEY]
    if found != reference.turn_end_id:
        return "end_token", f"{reference.turn_end_id} != {found}"
    ends = reference.end_ids | {reference.turn_end_id}
    wrong = [f"{key} {header.metadata[key]}" for key in END_KEYS if header.metadata.get(key, found) not in ends]
    return ("end_token", ", ".join(wrong)) if wrong else None


def _wrong_template(header: GgufHeader, reference: Reference) -> Problem | None:
    if header.metadata["tokenizer.chat_template"] == reference.template_text:
        return None
    return "template", "tokenizer.chat_template"


def _unexpected_key(header: GgufHeader, plan: FilePlan) -> Problem | None:
    unexpected = sorted(header.metadata.keys() - plan.metadata.keys())
    if not unexpected:
        return None
    return "unexpected_key", ", ".join(f"{key} = {_short(header.metadata[key])}" for key in unexpected[:5])


def _wrong_value(header: GgufHeader, plan: FilePlan) -> Problem | None:
    for key, expected in plan.metadata.items():
        if key not in header.metadata:
            return _cause_of(key), f"{key}: {_short(expected)} != None"
        if not _is_same(header.metadata[key], expected):
            return _cause_of(key), f"{key}: {_difference(expected, header.metadata[key])}"
    return None


def _cause_of(key: str) -> str:
    if key in CAUSES:
        return CAUSES[key]
    if key.endswith(("_token_id", "add_bos_token", "add_eos_token")):
        return "special_tokens"
    if key.startswith("tokenizer."):
        return "vocabulary"
    return "rope" if ".rope." in key else "settings"


def _is_same(found: Any, expected: Any) -> bool:
    """Compare a value read with a planned one: numbers with a point are stored as float32."""
    if isinstance(expected, bytes):
        expected = list(expected)
    if isinstance(expected, list | tuple):
        if not isinstance(found, list) or len(found) != len(expected):
            return False
        if expected and isinstance(expected[0], float):
            return np.array_equal(np.array(found, np.float32), np.array(expected, np.float32))
        return found == list(expected)
    if isinstance(expected, float) and isinstance(found, float):
        return bool(np.float32(found) == np.float32(expected))
    return type(found) is type(expected) and bool(found == expected)


def _difference(expected: Any, found: Any) -> str:
    if isinstance(expected, list | tuple | bytes) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{len(expected)} != {len(found)}"
        index = next(number for number, value in enumerate(expected) if not _is_same(found[number], value))
        return f"[{index}] {_short(expected[index])} != {_short(found[index])}"
    return f"{_short(expected)} != {_short(found)}"


def _short(value: Any) -> str:
    return repr(value)[:80]


def _wrong_tensor_type(header: GgufHeader, plan: FilePlan) -> Problem | None:
    """Names are the next check's; a file named after one quantization may not hold tensors of another."""
    for tensor in header.tensors:
        expected = plan.tensor_types.get(tensor.name, tensor.ggml_type)
        if tensor.ggml_type != expected:
            return "tensor_type", f"{tensor.name}: {expected} != {tensor.ggml_type}"
    return None
