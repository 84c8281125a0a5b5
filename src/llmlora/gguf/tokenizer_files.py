"""The tokenizer in a GGUF file as the files of a Hugging Face folder: the way back from `tokenizer.ggml.*` keys."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from llmlora.core.errors import ModelFileError
from llmlora.core.layout import GENERATION_FILE, TEMPLATE_FILE, TOKENIZER_CONFIG, TOKENIZER_FILE
from llmlora.gguf.splitting_rules import ADDS_BOS, byte_level, ignores_merges, known_rule, pre_tokenizer_steps
from llmlora.gguf.tokenizer import CONTROL, NORMAL, UNKNOWN, UNUSED, USER_DEFINED
from llmlora.gguf.tokenizer_limits import PHI3_END, PHI3_KEEPS_SPACE, SPACE_MARK

Json = dict[str, Any]
_NAMED = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
_ENDS = ("eos", "eot", "eom")
_PHI3_NAMES = ("phi-3", "phi3")  # for models of these names llama.cpp drops the spaces behind added tokens


def tokenizer_files(path: Path, metadata: Mapping[str, Any]) -> dict[str, Json | str]:
    """Return the contents of a tokenizer folder by file name: JSON documents, and the chat template as text.

    Raises:
        ModelFileError: `gguf_key_missing`, `gguf_key_unusable` for a kind of tokenizer or a splitting rule without a
            counterpart, and for lists that do not fit together.
    """
    vocabulary = Vocabulary(path, metadata)
    builders = {"gpt2": _byte_level_document, "llama": _sentencepiece_document, "t5": _unigram_document}
    kind = vocabulary.key("model")
    if kind not in builders:
        raise vocabulary.unusable("model", kind)
    found: dict[str, Json | str] = {
        TOKENIZER_FILE: builders[kind](vocabulary),
        TOKENIZER_CONFIG: _tokenizer_config(vocabulary),
        GENERATION_FILE: _generation_config(vocabulary),
    }
    template = metadata.get("tokenizer.chat_template")
    if isinstance(template, str) and template:
        found[TEMPLATE_FILE] = template
    return found


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a file with what it says of them."""

    path: Path
    metadata: Mapping[str, Any]

    def key(self, name: str, default: Any = None) -> Any:
        """Return a value of `tokenizer.ggml.`; raises ModelFileError when it is neither there nor given."""
        value = self.metadata.get(f"tokenizer.ggml.{name}", default)
        if value is None:
            raise ModelFileError("gguf_key_missing", path=str(self.path), name=f"tokenizer.ggml.{name}")
        return value

    def unusable(self, name: str, value: object) -> ModelFileError:
        """Return the error for a value that has no counterpart here."""
        key = f"tokenizer.ggml.{name}"
        return ModelFileError("gguf_key_unusable", path=str(self.path), name=key, value=str(value)[:100])

    @cached_property
    def types(self) -> list[int]:
        """The type of each token."""
        types = self.key("token_type", [NORMAL] * len(self.key("tokens")))
        if len(types) != len(self.key("tokens")):
            raise self.unusable("token_type", len(types))
        return [int(kind) for kind in types]

    @cached_property
    def tokens(self) -> list[str]:
        """The texts of the tokens, as `tokenizer.json` spells them."""
        has_marks = self.key("model") != "gpt2"
        tokens = [
            str(token).replace(" ", SPACE_MARK) if has_marks and kind == USER_DEFINED else str(token)
            for token, kind in zip(self.key("tokens"), self.types, strict=True)
        ]
        if len(set(tokens)) != len(tokens):
            raise self.unusable("tokens", next(token for token in tokens if tokens.count(token) > 1))
        return tokens

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each token, without those that only fill the embedding up."""
        return {
            token: index
            for index, (token, kind) in enumerate(zip(self.tokens, self.types, strict=True))
            if kind != UNUSED or token != f"[PAD{index}]"
        }

    @cached_property
    def scores(self) -> list[float]:
        """The score of each token."""
        scores = self.key("scores")
        if len(scores) != len(self.tokens):
            raise self.unusable("scores", len(scores))
        return [float(score) for score in scores]

    def special(self, name: str) -> int | None:
        """Return the id of a special token such as `eos`; None when the file names none."""
        index = self.metadata.get(f"tokenizer.ggml.{name}_token_id")
        if index is None:
            return None
        if not isinstance(index, int) or not 0 <= index < len(self.tokens):
            raise self.unusable(f"{name}_token_id", index)
        return index

    def flag(self, name: str, default: bool) -> bool:
        """Return a yes or no."""
        return bool(self.metadata.get(f"tokenizer.ggml.{name}", default))

    @property
    def rule(self) -> str:
        """The splitting rule of a byte-level vocabulary, by llama.cpp's first name of it."""
        name = str(self.key("pre", "default"))
        rule = known_rule(name)
        if rule is None:
            raise self.unusable("pre", name)
        return rule


def _byte_level_document(vocabulary: Vocabulary) -> Json:
    rule = vocabulary.rule
    model = {
        "unk_token": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": ignores_merges(rule),
        "merges": _known_merges(vocabulary),
    }  # fmt: skip
    return {
        **_document(vocabulary, {**_bpe(vocabulary), **model}, adds_bos=rule in ADDS_BOS),
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": pre_tokenizer_steps(rule)},
        "decoder": byte_level(use_regex=True),
    }


def _known_merges(vocabulary: Vocabulary) -> list[list[str]]:
    """Return the merges whose parts and result are tokens; no others can ever give one."""
    ids = vocabulary.ids
    pairs = (str(merge).split(" ", 1) for merge in vocabulary.key("merges"))
    return [pair for pair in pairs if len(pair) == 2 and pair[0] in ids and pair[1] in ids and "".join(pair) in ids]


def _sentencepiece_document(vocabulary: Vocabulary) -> Json:
    has_prefix = vocabulary.flag("add_space_prefix", True)
    unknown = vocabulary.special("unknown")
    model = {
        "unk_token": None if unknown is None else vocabulary.tokens[unknown],
        "fuse_unk": True, "byte_fallback": True, "ignore_merges": False, "merges": _scored_merges(vocabulary),
    }  # fmt: skip
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE_MARK}
    prepend = {"type": "Prepend", "prepend": SPACE_MARK}
    steps = [
        {"type": "Replace", "pattern": {"String": SPACE_MARK}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        *([{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if has_prefix else []),
    ]
    return {
        **_document(vocabulary, {**_bpe(vocabulary), **model}, adds_bos=True),
        "normalizer": {"type": "Sequence", "normalizers": [prepend, replace]} if has_prefix else replace,
        "pre_tokenizer": None,
        "decoder": {"type": "Sequence", "decoders": steps},
    }


def _scored_merges(vocabulary: Vocabulary) -> list[list[str]]:
    """Return every way to make a token of two others, by the token's score.

    Runs of spaces that the file spells with spaces come first: llama.cpp finds those in a text before it merges.
    """
    kinds, scores, spelled = vocabulary.types, vocabulary.scores, vocabulary.key("tokens")
    pieces = [index for index, kind in enumerate(kinds) if kind in (NORMAL, USER_DEFINED)]
    known = {vocabulary.tokens[index] for index in pieces}
    ranked = sorted(pieces, key=lambda index: (" " not in spelled[index], -scores[index]))
    return [
        [token[:cut], token[cut:]]
        for token in (vocabulary.tokens[index] for index in ranked)
        for cut in range(1, len(token))
        if token[:cut] in known and token[cut:] in known
    ]


def _unigram_document(vocabulary: Vocabulary) -> Json:
    unknown = vocabulary.special("unknown")
    if unknown is None:
        raise ModelFileError("gguf_key_missing", path=str(vocabulary.path), name="tokenizer.ggml.unknown_token_id")
    num_tokens = max(vocabulary.ids.values()) + 1
    scored = zip(vocabulary.tokens[:num_tokens], vocabulary.scores[:num_tokens], strict=True)
    model = {"type": "Unigram", "unk_id": unknown, "vocab": [list(pair) for pair in scored], "byte_fallback": False}
    charsmap = bytes(vocabulary.metadata.get("tokenizer.ggml.precompiled_charsmap", ()))
    steps: list[Json] = []
    if charsmap:
        steps.append({"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()})
    merges_spaces = vocabulary.flag("remove_extra_whitespaces", False)
    if merges_spaces:
        steps.append({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})
    scheme = "always" if vocabulary.flag("add_space_prefix", False) else "never"
    metaspace = {"type": "Metaspace", "replacement": SPACE_MARK, "prepend_scheme": scheme, "split": True}
    splitters = [{"type": "WhitespaceSplit"}, metaspace] if merges_spaces else [metaspace]
    return {
        **_document(vocabulary, model, adds_bos=False),
        "normalizer": {"type": "Sequence", "normalizers": steps} if steps else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": splitters},
        "decoder": metaspace,
    }


def _bpe(vocabulary: Vocabulary) -> Json:
    marks = {"dropout": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
    return {"type": "BPE", **marks, "vocab": vocabulary.ids}


def _document(vocabulary: Vocabulary, model: Json, adds_bos: bool) -> Json:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added(vocabulary),
        "post_processor": _post_processor(vocabulary, adds_bos),
        "model": model,
    }


def _added(vocabulary: Vocabulary) -> list[Json]:
    """Return the tokens that are found in a text as a whole, before anything splits it."""
    name = str(vocabulary.metadata.get("general.name", "")).lower()
    drops_spaces = any(part in name for part in _PHI3_NAMES)
    kinds = (CONTROL, USER_DEFINED) if vocabulary.key("model") == "gpt2" else (CONTROL, USER_DEFINED, UNKNOWN)
    found = []
    for index, (token, kind) in enumerate(zip(vocabulary.tokens, vocabulary.types, strict=True)):
        if kind in kinds or (token == PHI3_END and drops_spaces):
            entry: Json = {"id": index, "content": token, "special": kind != USER_DEFINED}
            entry |= dict.fromkeys(("single_word", "lstrip", "normalized"), False)
            found.append({**entry, "rstrip": drops_spaces and token not in PHI3_KEEPS_SPACE})
    return found


def _post_processor(vocabulary: Vocabulary, adds_bos: bool) -> Json | None:
    """Return what puts BOS before a text and EOS behind it, where the file says so."""
    before = [vocabulary.special("bos")] if vocabulary.flag("add_bos_token", adds_bos) else []
    after = [vocabulary.special("eos")] if vocabulary.flag("add_eos_token", False) else []
    around = {index: vocabulary.tokens[index] for index in (*before, *after) if index is not None}
    if not around:
        return None

    def piece(kind: str, name: str, type_id: int) -> Json:
        return {kind: {"id": name, "type_id": type_id}}

    def placed(ids: Sequence[int | None], type_id: int) -> list[Json]:
        return [piece("SpecialToken", around[index], type_id) for index in ids if index is not None]

    first = [*placed(before, 0), piece("Sequence", "A", 0), *placed(after, 0)]
    second = [*placed(before, 1), piece("Sequence", "B", 1), *placed(after, 1)]
    tokens = {token: {"id": token, "ids": [index], "tokens": [token]} for index, token in around.items()}
    return {"type": "TemplateProcessing", "single": first, "pair": [*first, *second], "special_tokens": tokens}


def _tokenizer_config(vocabulary: Vocabulary) -> Json:
    named = {name: vocabulary.special(key) for name, key in _NAMED.items()}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        **{name: vocabulary.tokens[index] for name, index in named.items() if index is not None},
    }


def _generation_config(vocabulary: Vocabulary) -> Json:
    ends = [index for name in _ENDS if (index := vocabulary.special(name)) is not None]
    ids = {"bos_token_id": vocabulary.special("bos"), "pad_token_id": vocabulary.special("padding")}
    found = {name: index for name, index in ids.items() if index is not None}
    return {**found, "eos_token_id": list(dict.fromkeys(ends))} if ends else dict(found)
