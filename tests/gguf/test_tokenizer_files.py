"""A tokenizer that went into a GGUF file comes out again: the same ids, and the same keys when it goes in again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.core.errors import ModelFileError
from llmlora.export.verify_texts import comparison_texts
from llmlora.gguf.pretokenizer import PATTERNS
from llmlora.gguf.splitting_rules import SPLITS
from llmlora.gguf.tokenizer import tokenizer_fields
from llmlora.gguf.tokenizer_files import tokenizer_files
from real_models import Name, original_gguf, real_model
from tiny_models import TOKENIZERS, tiny_tokenizer
from tokenizer_shapes import SHAPES, edited

TEXTS = comparison_texts((), ("<|im_start|>", "<s>", "<start_of_turn>"))
FREE_NAMES = ("tokenizer.ggml.scores",)  # a rank stands for a score: rebuilt merges may have others in the same order


def written(folder: Path, metadata: Mapping[str, Any]) -> Path:
    folder.mkdir()
    for name, content in tokenizer_files(Path("file.gguf"), metadata).items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def assert_same_ids(first: Path, second: Path, texts: list[str] = TEXTS) -> None:
    before, after = (Tokenizer.from_file(str(folder / "tokenizer.json")) for folder in (first, second))
    for text in texts:
        for special in (True, False):
            got, expected = (it.encode(text, add_special_tokens=special).ids for it in (after, before))
            assert got == expected, text


def round_trip(folder: Path, target: Path) -> None:
    fields = tokenizer_fields(folder, 720)
    again = written(target, fields)
    assert_same_ids(folder, again)
    back = tokenizer_fields(again, 720)
    assert {name: back[name] for name in fields if name not in FREE_NAMES} == {
        name: value for name, value in fields.items() if name not in FREE_NAMES
    }


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_every_kind_comes_back(kind: str, tmp_path: Path) -> None:
    round_trip(tiny_tokenizer(kind, tmp_path / "before"), tmp_path / "after")


@pytest.mark.parametrize("name", [name for name in SHAPES if name not in ("Phi-3", "Pythia")])
def test_published_shapes_come_back(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    round_trip(edited(tiny_tokenizer(shape.kind, tmp_path / "before"), shape.edit), tmp_path / "after")


def test_spaces_behind_added_tokens_are_dropped_by_the_models_name(tmp_path: Path) -> None:
    """llama.cpp drops them for Phi-3 only, which it knows by `general.name`."""
    folder = edited(tiny_tokenizer("sentencepiece", tmp_path / "before"), SHAPES["Phi-3"].edit)
    fields = {"general.name": "a-phi-3", **tokenizer_fields(folder, 720)}
    assert_same_ids(folder, written(tmp_path / "after", fields), ["<|user|>\n  hi<|end|>\n", "a</s>  b<s> c"])


@pytest.mark.parametrize("name", ["smollm2", "gemma3"])
def test_a_file_of_others_gives_the_tokenizer_that_was_made_by_hand(name: Name, tmp_path: Path) -> None:
    metadata = read_gguf_header(original_gguf(name)).metadata
    assert_same_ids(real_model(name), written(tmp_path / "t", metadata))


def test_published_patterns_are_recognised() -> None:
    digests = {hashlib.sha256("".join(patterns).encode()).hexdigest() for patterns, _ in SPLITS.values()}
    assert {PATTERNS[digest] for digest in digests & set(PATTERNS)} == {"qwen2", "qwen35", "llama-bpe"}


BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "another kind": ({"model": "bert"}, "gguf_key_unusable", "ggml.model"),
    "no tokens": ({"tokens": None}, "gguf_key_missing", "ggml.tokens"),
    "a rule without a counterpart": ({"pre": "kimi-k2"}, "gguf_key_unusable", "kimi-k2"),
    "types of another vocabulary": ({"token_type": [1, 1]}, "gguf_key_unusable", "token_type"),
    "an end token that is none": ({"eos_token_id": 10**6}, "gguf_key_unusable", "eos_token_id"),
    "no merges": ({"merges": None}, "gguf_key_missing", "ggml.merges"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_kept_is_refused_by_name(case: str, tmp_path: Path) -> None:
    changes, code, named = BROKEN[case]
    fields = tokenizer_fields(tiny_tokenizer("byte_level", tmp_path / "t"), 720)
    changed = {**fields, **{f"tokenizer.ggml.{name}": value for name, value in changes.items()}}
    with pytest.raises(ModelFileError) as caught:
        tokenizer_files(Path("file.gguf"), {name: value for name, value in changed.items() if value is not None})
    assert caught.value.code == code
    assert named in str(caught.value.params)


def test_equal_tokens_are_refused(tmp_path: Path) -> None:
    fields = tokenizer_fields(tiny_tokenizer("byte_level", tmp_path / "t"), 720)
    fields["tokenizer.ggml.tokens"] = ["a", "a", *fields["tokenizer.ggml.tokens"][2:]]
    with pytest.raises(ModelFileError, match=r"ggml\.tokens"):
        tokenizer_files(Path("file.gguf"), fields)
