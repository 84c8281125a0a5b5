"""Tokenizers in the shapes that published models have: llama.cpp gives the ids that `tokenizer.json` gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from llama_child import LlamaChild
from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.core.errors import ExportError
from llmlora.gguf.tokenizer import name_suffix, tokenizer_fields
from reference_model import export
from tiny_models import tiny_model, tiny_tokenizer
from tokenizer_shapes import SHAPES, Edit, Json, added, edited, phi3

TEXTS = (
    "東京の天気は晴れです。価格は1,234円、2024年3月14日。",
    "Hello, world! Don't WE'LL 12345678 x1 HelloWORLD straße",
    "emoji 😀 ｶﾅ ＡＢＣ１２３ 한국어",
    "def f(x):\n\treturn  x   # a/b//c\n\n\n\nend  ",
    "a  b   c    d     e      f",
    "\n\n",
    " lead",
)


@pytest.mark.parametrize("name", SHAPES)
def test_llamacpp_gives_the_ids_of_published_shapes(name: str, tmp_path: Path, llama: LlamaChild) -> None:
    shape = SHAPES[name]
    folder = tiny_model(shape.architecture, tmp_path / "model", tokenizer=shape.kind, vocab_size=704)
    edited(folder, shape.edit)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts = [*TEXTS, *shape.texts]
    path = export(folder, tmp_path / "a.gguf")
    for text, found in zip(texts, llama.ask(path, texts=texts).tokens, strict=True):
        assert found == tokenizer.encode(text).ids, text
    assert read_gguf_header(path).metadata.get("tokenizer.ggml.pre") == shape.pre


def test_only_phi3s_rule_gets_its_name(tmp_path: Path, llama: LlamaChild) -> None:
    """Under any other name llama.cpp keeps the line break behind `<|user|>` that the tokenizer drops."""
    folder = edited(tiny_tokenizer("sentencepiece", tmp_path / "phi"), phi3)
    assert name_suffix(folder) == "-phi-3"
    assert name_suffix(tiny_tokenizer("sentencepiece", tmp_path / "plain")) == ""


STRIPPING: dict[str, tuple[str, Edit]] = {
    "all but one of Phi-3's": ("sentencepiece", lambda document: (phi3(document), added(document, "<|x|>"))[0]),
    "some token": ("sentencepiece", lambda document: added(document, "<|x|>", rstrip=True)),
    "byte level": ("byte_level", lambda document: added(document, "<|x|>", rstrip=True)),
    "space in front": ("byte_level", lambda document: added(document, "<mask>", lstrip=True)),
    "whole words": ("byte_level", lambda document: added(document, "wo", single_word=True)),
}


@pytest.mark.parametrize("name", STRIPPING)
def test_tokens_that_take_in_spaces_otherwise_are_refused_by_name(name: str, tmp_path: Path) -> None:
    kind, edit = STRIPPING[name]
    folder = edited(tiny_tokenizer(kind, tmp_path / "t"), edit)
    with pytest.raises(ExportError) as caught:
        name_suffix(folder)
    assert caught.value.code == "unsupported_tokenizer"
    assert "added_tokens" in caught.value.params["kind"]


def metaspace(**settings: Any) -> Edit:
    return lambda document: document.update(pre_tokenizer={"type": "Metaspace", "replacement": "▁", **settings})


def normalizer(**step: Any) -> Edit:
    return lambda document: document.update(normalizer=step)


def byte_pieces(document: Json) -> None:
    document["model"]["byte_fallback"] = True


def own_japanese_token(document: Json) -> None:
    entry = {"id": len(document["model"]["vocab"]), "content": "弊社製品", "special": False}
    document["added_tokens"].append({**entry, "single_word": False, "lstrip": False, "rstrip": False})


LIMITS: dict[str, tuple[str, Edit, str]] = {
    "space before the whole text only": ("sentencepiece", metaspace(prepend_scheme="first"), "first"),
    "the same, Unigram": ("unigram", metaspace(prepend_scheme="first"), "first"),
    "another mark": ("sentencepiece", normalizer(type="Prepend", prepend="_"), "Prepend"),
    "letters replaced": (
        "sentencepiece",
        normalizer(type="Replace", pattern={"String": "ａ"}, content="a"),
        "Replace",
    ),
    "split at digits": (
        "gemma",
        lambda document: document.update(pre_tokenizer={"type": "Split", "pattern": {"Regex": r"\d"}}),
        "Split",
    ),
    "byte pieces in Unigram": ("unigram", byte_pieces, "byte_fallback"),
    "own Japanese token in Unigram": ("unigram", own_japanese_token, "弊社製品"),
    "spaces stripped, none merged": ("unigram", normalizer(type="Strip", strip_right=True), "Strip"),
    "end of word": (
        "byte_level",
        lambda document: document["model"].update(end_of_word_suffix="</w>"),
        "end_of_word_suffix",
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_llamacpp_would_do_differently_is_refused_beforehand(name: str, tmp_path: Path) -> None:
    kind, edit, part = LIMITS[name]
    folder = edited(tiny_tokenizer(kind, tmp_path / "t"), edit)
    with pytest.raises(ExportError) as caught:
        tokenizer_fields(folder, 2000)
    assert caught.value.code == "unsupported_tokenizer"
    assert part in caught.value.params["kind"]
