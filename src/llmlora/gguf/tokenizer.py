"""A tokenizer folder as `tokenizer.ggml.*` keys: vocabulary, merges or scores, special tokens, chat template.

Everything is read from `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja` and, where they name what those
do not, `special_tokens_map.json`, `generation_config.json` and `config.json`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from llmlora.catalog.model_folder import read_json_object
from llmlora.core.errors import ExportError, ModelFileError
from llmlora.core.layout import (
    CONFIG_FILE,
    GENERATION_FILE,
    SPECIAL_TOKENS_FILE,
    TEMPLATE_FILE,
    TOKENIZER_CONFIG,
    TOKENIZER_FILE,
)
from llmlora.gguf.pretokenizer import has_byte_level, pre_tokenizer_name
from llmlora.gguf.tokenizer_limits import (
    check_bpe,
    check_bytes,
    check_sentencepiece,
    check_steps,
    check_unigram,
    merges_spaces,
    phi3_suffix,
    unsupported,
)

BYTE_ORDER_MARK = "\ufeff"
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6

# Tokens that end a turn and nothing else: a template that writes one ends its turns with it.
TURN_ENDS = (
    "<|im_end|>", "<|eot_id|>", "<|eot|>", "<|end|>", "<end_of_turn>", "<turn|>", "<|return|>",
    "<end_of_utterance>", "<|END_OF_TURN_TOKEN|>",
)  # fmt: skip
_BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class ChatFormat:
    """How a trained model is asked: its chat template, and the token that its labels end answers with."""

    template: str
    turn_end_id: int


@dataclass
class TokenizerFiles:
    """The parsed files of a tokenizer folder."""

    folder: Path
    document: Json
    settings: Json
    generation: Json
    template: str | None
    added: dict[int, Json] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, chat_template: str | None = None) -> TokenizerFiles:
        """Read a folder; raises ModelFileError(tokenizer_json_missing) without `tokenizer.json`."""
        if not (folder / TOKENIZER_FILE).is_file():
            raise ModelFileError("tokenizer_json_missing", path=str(folder))
        document = read_json_object(folder / TOKENIZER_FILE)
        settings = _merged(folder, SPECIAL_TOKENS_FILE, TOKENIZER_CONFIG)
        generation = _merged(folder, CONFIG_FILE, GENERATION_FILE)
        template = chat_template if chat_template is not None else _template(folder, settings)
        added = {int(entry["id"]): entry for entry in document.get("added_tokens") or ()}
        return cls(folder, document, settings, generation, template, added)

    @property
    def model(self) -> Json:
        """The model part of `tokenizer.json`."""
        model = self.document.get("model")
        return model if isinstance(model, Mapping) else {}

    @cached_property
    def token_ids(self) -> dict[str, int]:
        """Ids of all tokens, added ones included."""
        vocabulary = self.model.get("vocab") or {}
        if isinstance(vocabulary, list):
            ids = {str(entry[0]): index for index, entry in enumerate(vocabulary)}
        else:
            ids = {str(token): int(index) for token, index in vocabulary.items()}
        return ids | {str(entry["content"]): index for index, entry in self.added.items()}

    def steps(self, part: str) -> list[Json]:
        """Return the elements of the normalizer, pre-tokenizer, post-processor or decoder, sequences flattened."""
        return list(_flattened(self.document.get(part)))

    def named_id(self, name: str) -> int | None:
        """Return the id of a named token such as `bos_token`; None when the tokenizer has none."""
        value = self.settings.get(name)
        text = value.get("content") if isinstance(value, Mapping) else value
        return self.token_ids.get(text) if isinstance(text, str) else None


def tokenizer_fields(model_dir: Path, vocab_size: int, chat: ChatFormat | None = None) -> dict[str, Any]:
    """Return every `tokenizer.*` key for a folder; `vocab_size` is the number of embedding rows.

    `chat` is what a trained model knows of itself; without it the folder's own template and end token are taken.

    Raises:
        ExportError: the kind of tokenizer, or its pattern, has no counterpart in llama.cpp; two tokens are equal; there
            is no end token.
        ModelFileError: files are missing or broken, or the vocabulary is larger than the embedding.
    """
    files = TokenizerFiles.read(model_dir, None if chat is None else chat.template)
    try:
        kind, specific = _kind_fields(files)
        tokens, types = _tokens(files, vocab_size)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        detail = f"{type(error).__name__}: {error}"[:200]
        raise ModelFileError("model_json_invalid", path=str(model_dir / TOKENIZER_FILE), detail=detail) from error
    if kind != "gpt2":
        specific["scores"] = _scores(files, tokens, types)
    fields = {"model": kind, "tokens": tokens, "token_type": types, **specific, **_special_ids(files, chat)}
    found = {f"tokenizer.ggml.{name}": value for name, value in fields.items()}
    if files.template:
        found["tokenizer.chat_template"] = files.template
    return found


def turn_end_id(files: TokenizerFiles) -> int | None:
    """Return the id of the token that should end the assistant's turn of a model that nobody here has trained.

    It is the end token that the template itself writes; else the tokenizer's `eos_token`; else the model's.
    """
    template = files.template or ""
    eos = files.named_id("eos_token")
    written = [(template.rfind(name), name) for name in TURN_ENDS if name in template and name in files.token_ids]
    if written:
        return files.token_ids[max(written)[1]]
    if eos is not None:
        return eos
    stated = files.generation.get("eos_token_id")
    if isinstance(stated, list) and stated:
        stated = stated[0]
    return stated if isinstance(stated, int) else None


def _merged(folder: Path, *names: str) -> Json:
    """Return what several files say, the last one first; a null says nothing."""
    found = [_optional(folder / name) for name in names]
    return {key: value for document in found for key, value in document.items() if value is not None}


def _optional(path: Path) -> Json:
    return read_json_object(path) if path.is_file() else {}


def _template(folder: Path, settings: Json) -> str | None:
    path = folder / TEMPLATE_FILE
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8").lstrip(BYTE_ORDER_MARK)
        except ValueError as error:
            raise ModelFileError("model_json_invalid", path=str(path), detail=str(error)) from error
    value = settings.get("chat_template")
    if isinstance(value, list):
        value = next((entry.get("template") for entry in value if entry.get("name") == "default"), None)
    return value.lstrip(BYTE_ORDER_MARK) if isinstance(value, str) else None


def _flattened(step: Any) -> list[Json]:
    if not isinstance(step, Mapping):
        return []
    for key in ("normalizers", "pretokenizers", "processors", "decoders"):
        if key in step:
            return [leaf for child in step[key] for leaf in _flattened(child)]
    return [step]


def name_suffix(model_dir: Path) -> str:
    """Return what `general.name` must end with for llama.cpp to treat this folder's added tokens rightly; or nothing.

    Raises ExportError(unsupported_tokenizer) when no name would do.
    """
    files = TokenizerFiles.read(model_dir)
    return phi3_suffix(files.added, files.token_ids, _unknown_id(files))


def _kind_fields(files: TokenizerFiles) -> tuple[str, dict[str, Any]]:
    """Return the name llama.cpp has for this kind of tokenizer and the keys only this kind has."""
    kind = files.model.get("type") or ("Unigram" if isinstance(files.model.get("vocab"), list) else "BPE")
    normalizers, splitters = files.steps("normalizer"), files.steps("pre_tokenizer")
    if kind == "BPE":
        check_bpe(files.model)
    if kind == "BPE" and has_byte_level(splitters):
        return "gpt2", _byte_level_fields(files)
    if kind == "BPE" and files.model.get("byte_fallback"):
        check_sentencepiece(normalizers, splitters)
        check_bytes(files.folder / TOKENIZER_FILE, files.token_ids)
        return "llama", {"add_space_prefix": _adds_space(files)}
    if kind == "Unigram":
        check_unigram(files.model, normalizers, splitters, files.added)
        return "t5", _unigram_fields(files)
    raise unsupported(str(kind))


def _byte_level_fields(files: TokenizerFiles) -> dict[str, Any]:
    # Texts are NFC as a rule, and llama.cpp normalises nothing for this kind.
    splitters = files.steps("pre_tokenizer")
    check_steps("normalizer", files.steps("normalizer"), ("NFC",))
    check_steps("pre_tokenizer", splitters, ("ByteLevel", "Split", "Digits"))
    name = pre_tokenizer_name(splitters, bool(files.model.get("ignore_merges")))
    merges = [_merge_text(merge) for merge in files.model.get("merges") or ()]
    if any(step.get("add_prefix_space") for step in splitters):
        raise unsupported("ByteLevel, add_prefix_space")
    # An empty array has no type; a vocabulary of single bytes needs one merge that can never apply.
    return {"pre": name, "merges": merges or ["Ġ Ġ"]}


def _merge_text(merge: Any) -> str:
    """Return a merge as two elements with one space between; a space inside an element is written as Ġ."""
    if isinstance(merge, str):
        return merge
    first, second = merge
    return f"{first.replace(' ', 'Ġ')} {second.replace(' ', 'Ġ')}"


def _unigram_fields(files: TokenizerFiles) -> dict[str, Any]:
    fields: dict[str, Any] = {"add_space_prefix": _adds_space(files)}
    fields["remove_extra_whitespaces"] = merges_spaces(files.steps("normalizer"), files.steps("pre_tokenizer"))
    for step in files.steps("normalizer"):
        if step.get("type") == "Precompiled" and step.get("precompiled_charsmap"):
            fields["precompiled_charsmap"] = _decoded(str(step["precompiled_charsmap"]))
    return fields


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("precompiled_charsmap") from error


def _adds_space(files: TokenizerFiles) -> bool:
    if any(step.get("type") == "Prepend" for step in files.steps("normalizer")):
        return True
    for step in files.steps("pre_tokenizer"):
        if step.get("type") == "Metaspace":
            scheme = step.get("prepend_scheme")
            return bool(step.get("add_prefix_space", True)) if scheme is None else scheme != "never"
    return False


def _tokens(files: TokenizerFiles, vocab_size: int) -> tuple[list[str], list[int]]:
    """Return all token strings and types, padded to the embedding's rows; equal strings abort llama.cpp."""
    if files.token_ids and max(files.token_ids.values()) >= vocab_size:
        largest = max(files.token_ids.values())
        raise ModelFileError("tokenizer_too_large", path=str(files.folder), largest=largest, vocab_size=vocab_size)
    by_id = {index: token for token, index in files.token_ids.items()}
    tokens = [by_id.get(index, f"[PAD{index}]") for index in range(vocab_size)]
    if len(by_id) != len(files.token_ids) or len(set(tokens)) != vocab_size:
        raise ExportError("duplicate_tokens", path=str(files.folder / TOKENIZER_FILE))
    unknown = _unknown_id(files)
    return tokens, [_token_type(files, by_id, index, unknown) for index in range(vocab_size)]


def _token_type(files: TokenizerFiles, by_id: Mapping[int, str], index: int, unknown: int | None) -> int:
    if index not in by_id:
        return UNUSED
    if index == unknown and not has_byte_level(files.steps("pre_tokenizer")):
        return UNKNOWN
    if index in files.added:
        return CONTROL if files.added[index].get("special") else USER_DEFINED
    if _BYTE_TOKEN.fullmatch(by_id[index]):
        return BYTE
    return NORMAL


def _unknown_id(files: TokenizerFiles) -> int | None:
    model = files.model
    if isinstance(model.get("unk_id"), int):
        return int(model["unk_id"])
    text = model.get("unk_token")
    return files.token_ids.get(text) if isinstance(text, str) else files.named_id("unk_token")


def _scores(files: TokenizerFiles, tokens: list[str], types: list[int]) -> list[float]:
    """Return Unigram's own scores, or for a BPE minus the rank of the merge that makes a token.

    The order of merges is what matters: with one score for all, other tokens come out.
    """
    vocabulary = files.model.get("vocab")
    if isinstance(vocabulary, list):
        own = [float(entry[1]) for entry in vocabulary]
        return own + [0.0] * (len(tokens) - len(own))
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(files.model.get("merges") or ()):
        first, second = merge.split(" ") if isinstance(merge, str) else merge
        ranks.setdefault(first + second, rank)
    unreachable = len(ranks) + 1

    def score(token: str, kind: int) -> float:
        # Gemma lists runs of spaces as added tokens too; a score above all others would make them win every merge.
        is_single = len(token) == 1 or kind != NORMAL
        return -float(ranks.get(token, 0 if is_single else unreachable))

    return [score(token, kind) for token, kind in zip(tokens, types, strict=True)]


def _special_ids(files: TokenizerFiles, chat: ChatFormat | None) -> dict[str, Any]:
    """Return ids of special tokens; none may be left to llama.cpp's defaults, which name arbitrary tokens."""
    end = turn_end_id(files) if chat is None else chat.turn_end_id
    if end is None:
        raise ExportError("tokenizer_no_end", path=str(files.folder))
    bos = files.named_id("bos_token")
    fields: dict[str, Any] = {"eos_token_id": end, "eot_token_id": end, "bos_token_id": end if bos is None else bos}
    for key, number in (("unknown_token_id", _unknown_id(files)), ("padding_token_id", files.named_id("pad_token"))):
        if number is not None:
            fields[key] = number
    first, last = _added_around(files)
    fields["add_bos_token"] = first is not None and first == fields["bos_token_id"]
    fields["add_eos_token"] = last is not None and last == end
    return fields


def _added_around(files: TokenizerFiles) -> tuple[int | None, int | None]:
    """Return the ids that the tokenizer itself puts before and after a text."""
    for step in files.steps("post_processor"):
        if step.get("type") == "TemplateProcessing":
            pieces = step.get("single") or []
            place = next((index for index, piece in enumerate(pieces) if "Sequence" in piece), 0)
            ids = [files.token_ids.get(str((piece.get("SpecialToken") or {}).get("id"))) for piece in pieces]
            before, after = ids[:place], ids[place + 1 :]
            return (before[-1] if before else None), (after[0] if after else None)
    return None, None
