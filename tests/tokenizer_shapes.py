"""Tokenizers in the shapes that published models have, made of the tiny kinds by a few changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Edit = Callable[[Json], None]
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
