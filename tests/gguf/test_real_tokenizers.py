"""Tokenizers in the shapes that published models have: llama.cpp gives the ids that `tokenizer.json` gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
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

Json = dict[str, Any]
Edit = Callable[[Json], None]
TEXTS = (
    "東京の天気は晴れです。価格は1,234円、2024年3月14日。",
    "Hello, world! Don't WE'LL 12345678 x1 HelloWORLD straße",
    "emoji 😀 ｶﾅ ＡＢＣ１２３ 한국어",
    "def f(x):\n\treturn  x   # a/b//c\n\n\n\nend  ",
    "a  b   c    d     e      f",
    "\n\n",
    " lead",
)
TEKKEN_SPLIT = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|"
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT4O_SPLIT = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def added(document: Json, *texts: str, **settings: bool) -> None:
    """Add tokens to a `tokenizer.json`; they get the next ids, or those the vocabulary gives them."""
    known = document["model"]["vocab"]
    ids = [*known.values(), *(entry["id"] for entry in document["added_tokens"])]
    free = max(ids) + 1
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    for text in texts:
        index = known.get(text, free)
        free += index == free
        document["added_tokens"].append({"id": index, "content": text, **plain, **settings})
    document["added_tokens"].sort(key=lambda entry: entry["id"])


def split(pattern: str, **model: Any) -> Edit:
    def edit(document: Json) -> None:
        document["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {"Regex": pattern}
        document["model"].update(model)

    return edit


def smollm(document: Json) -> None:
    digits = {"type": "Digits", "individual_digits": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    document["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [digits, byte_level]}


def pythia(document: Json) -> None:
    document["normalizer"] = {"type": "NFC"}
    added(document, *(" " * count for count in range(24, 1, -1)), normalized=True)


def qwen3(document: Json) -> None:
    document["normalizer"] = {"type": "NFC"}
    added(document, "<think>", "</think>", "<tool_call>")


def unreachable(document: Json) -> None:
    """Add a token that no merge makes: only a tokenizer that ignores merges ever gives it."""
    document["model"]["vocab"]["hello"] = max(document["model"]["vocab"].values()) + 1


def merging(document: Json) -> None:
    unreachable(document)
    document["model"]["ignore_merges"] = False


def gemma(document: Json) -> None:
    """Runs of line breaks and of spaces are tokens of their own, the latter made by merges as well."""
    vocabulary, merges = document["model"]["vocab"], document["model"]["merges"]
    spaces = ["▁" * count for count in (2, 3, 4)]
    breaks = [*("\n" * count for count in (1, 2, 3)), "\t", "<table>"]
    for text in [*spaces, *breaks]:
        vocabulary.setdefault(text, max(vocabulary.values()) + 1)
    for length in (2, 3, 4):
        merges += [["▁" * first, "▁" * (length - first)] for first in range(1, length)]
    split_at_spaces = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    document["pre_tokenizer"] = split_at_spaces
    added(document, *breaks, *spaces)


def phi3(document: Json) -> None:
    end = next(entry for entry in document["added_tokens"] if entry["content"] == "</s>")
    end.update(rstrip=True, special=False)
    added(document, "<|endoftext|>", special=True)
    added(document, "<|assistant|>", "<|user|>", "<|end|>", rstrip=True, special=True)


def products(document: Json) -> None:
    added(document, "弊社製品", "<item>")


@dataclass(frozen=True)
class Shape:
    """A published tokenizer's shape: the tiny kind it is made from, what is changed, further texts, `pre`."""

    kind: str
    edit: Edit
    texts: tuple[str, ...] = ()
    pre: str | None = None
    architecture: str = "llama"


SHAPES = {
    "SmolLM": Shape("gpt2", smollm, ("x12 345", "½ Ⅷ ²"), "smollm"),
    "Pythia": Shape("gpt2", pythia, tuple(f"a{' ' * n}b" for n in (2, 7, 24, 25, 49)), "gpt-2", "gpt_neox"),
    "Mistral Nemo": Shape("qwen2", split(TEKKEN_SPLIT, ignore_merges=True), ("ΑΒΓαβγ дЖиж",), "tekken"),
    "Phi-4 mini": Shape("qwen2", split(GPT4O_SPLIT), ("ΑΒΓαβγ дЖиж I'M you'Re",), "gpt-4o"),
    "Llama 3": Shape("llama3", unreachable, ("hello", "hello world"), "llama-bpe"),
    "Phi-4": Shape("llama3", merging, ("hello", "hello world"), "dbrx"),
    "Qwen 3": Shape("qwen2", qwen3, ("<think>\nあ\n</think>\n\nx", "<|im_start|>a<think", "<tool_call>{}"), "qwen2"),
    "Gemma": Shape("gemma", gemma, ("<start_of_turn>user\n\nあ<end_of_turn>\n", "<table>\n\t", "▁▁"), None, "gemma2"),
    "Phi-3": Shape("sentencepiece", phi3, ("<|user|>\n  hi<|end|>\n<|assistant|>\n", "a</s>  b<s> c"), None, "phi3"),
    "tokens of one's own": Shape("sentencepiece", products, ("これは弊社製品です", "<item>あ <item>")),
}


def edited(folder: Path, edit: Edit) -> Path:
    path = folder / "tokenizer.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return folder


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
