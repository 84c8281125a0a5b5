"""Vocabularies as GGUF keys: types, scores, special ids, template; and llama.cpp's ids equal the tokenizer's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from llama_child import LlamaChild
from llmlora.core.errors import ExportError, ModelFileError
from llmlora.gguf.tokenizer import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    ChatFormat,
    TokenizerFiles,
    tokenizer_fields,
    turn_end_id,
)
from reference_model import export
from tiny_models import TOKENIZERS, tiny_model, tiny_tokenizer

Json = dict[str, Any]
TEXTS = (
    "",
    "東京の天気は晴れです。価格は1,234円。",
    "Hello, world! Don't we'll 12345 3.14",
    "ｶﾀｶﾅ ＡＢＣ １２３ がぎぐ カ゚ ㍻ ﬁ",
    "emoji 😀🎉 a😀b👩‍👩‍👧",
    "def f(x):\n\treturn  x  # two spaces\n\n\n\nend",
    "한국어 Ελληνικά עברית",
    "tab\tand\r\nlines\n",
    "three   spaces",
    "trailing ",
    "<0x41> [INST] <<SYS>>",
)
SPACED = (" leading", "  two", "   ", "\n start")


def size_of(folder: Path) -> int:
    return int(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size())


def fields_of(folder: Path, vocab_size: int | None = None, template: str | None = None) -> Json:
    chat = None if template is None else ChatFormat(template, 1)
    return tokenizer_fields(folder, vocab_size or size_of(folder), chat)


def change(folder: Path, edit: Callable[[Json], None], name: str = "tokenizer.json") -> None:
    path = folder / name
    document = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_llamacpp_gives_the_tokenizers_ids(kind: str, tmp_path: Path, llama: LlamaChild) -> None:
    architecture = {"gemma": "gemma2", "unigram": "gpt_neox"}.get(kind, "llama")
    folder = tiny_model(architecture, tmp_path / "model", tokenizer=kind, num_hidden_layers=2)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # Metaspace puts no second space before a text that begins with one; llama.cpp does.
    texts = list(TEXTS) if kind == "unigram" else [*TEXTS, *SPACED, *_with_specials(kind)]
    answer = llama.ask(export(folder, tmp_path / "a.gguf"), texts=texts)
    for text, found in zip(texts, answer.tokens, strict=True):
        assert found == tokenizer.encode(text).ids, text


def _with_specials(kind: str) -> list[str]:
    names = [name for name in TOKENIZERS[kind][1].values() if name != "<unk>"]
    return [f"{name}user\n こんにちは{name} x{name}{name}\n" for name in dict.fromkeys(names)]


@pytest.mark.parametrize("kind", ["byte_level", "qwen2", "unigram"])
def test_llamacpp_renders_the_template(kind: str, tmp_path: Path, llama: LlamaChild) -> None:
    architecture = "gpt_neox" if kind == "unigram" else "llama"
    folder = tiny_model(architecture, tmp_path / "model", tokenizer=kind, num_hidden_layers=1)
    turns = [("system", "短く答えて"), ("user", "会議は？\n"), ("assistant", "3月"), ("user", " 何時？")]
    answer = llama.ask(export(folder, tmp_path / "a.gguf"), messages=turns)
    if kind == "unigram":
        expected = "system: 短く答えて\nuser: 会議は？\n\nassistant: 3月</s>\nuser:  何時？\nassistant: "
    else:
        parts = [f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in turns]
        expected = "".join(parts) + "<|im_start|>assistant\n"
    assert answer.rendered == expected


def test_byte_level_keys(tmp_path: Path) -> None:
    folder = tiny_tokenizer("qwen2", tmp_path / "t")
    fields = fields_of(folder)
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    assert fields["tokenizer.ggml.model"] == "gpt2"
    assert fields["tokenizer.ggml.pre"] == "qwen2"
    assert [fields["tokenizer.ggml.tokens"][index] for index in ids.values()] == list(ids)
    assert "tokenizer.ggml.scores" not in fields
    assert fields["tokenizer.ggml.token_type"][ids["<|im_end|>"]] == CONTROL
    assert fields["tokenizer.ggml.token_type"][ids["a"]] == NORMAL
    assert all(merge.count(" ") == 1 for merge in fields["tokenizer.ggml.merges"])


def test_merges_of_both_spellings_are_equal(tmp_path: Path) -> None:
    folder = tiny_tokenizer("byte_level", tmp_path / "t")
    first = fields_of(folder)["tokenizer.ggml.merges"]

    def as_strings(document: Json) -> None:
        merges = document["model"]["merges"]
        document["model"]["merges"] = [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]

    change(folder, as_strings)
    assert fields_of(folder)["tokenizer.ggml.merges"] == first


def test_a_space_inside_a_merge_is_spelled_out(tmp_path: Path) -> None:
    folder = tiny_tokenizer("byte_level", tmp_path / "t")
    change(folder, lambda document: document["model"].update(merges=[["a b", "c"]]))
    assert fields_of(folder, 2000)["tokenizer.ggml.merges"] == ["aĠb c"]


def test_sentencepiece_keys_scores_and_types(tmp_path: Path) -> None:
    folder = tiny_tokenizer("sentencepiece", tmp_path / "t")
    fields = fields_of(folder)
    document = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    ids = document["model"]["vocab"]
    scores, types = fields["tokenizer.ggml.scores"], fields["tokenizer.ggml.token_type"]
    assert fields["tokenizer.ggml.model"] == "llama"
    assert fields["tokenizer.ggml.add_space_prefix"] is True
    assert (types[ids["<unk>"]], types[ids["<s>"]], types[ids["<0x41>"]]) == (UNKNOWN, CONTROL, BYTE)
    for rank in (0, 1, 20):
        assert scores[ids["".join(document["model"]["merges"][rank])]] == -rank
    assert scores[ids["<s>"]] == scores[ids["<0x41>"]] == 0
    assert fields_of(tiny_tokenizer("gemma", tmp_path / "g"))["tokenizer.ggml.add_space_prefix"] is False


def test_a_token_that_no_merge_makes_is_the_last_choice(tmp_path: Path) -> None:
    folder = tiny_tokenizer("sentencepiece", tmp_path / "t")
    size = size_of(folder)
    change(folder, lambda document: document["model"]["vocab"].update({"東京都": size}))
    fields = fields_of(folder)
    assert fields["tokenizer.ggml.scores"][size] == min(fields["tokenizer.ggml.scores"])


def test_unigram_keys(tmp_path: Path) -> None:
    folder = tiny_tokenizer("unigram", tmp_path / "t")
    charsmap = bytes(range(40))

    def normalise(document: Json) -> None:
        precompiled = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()}
        replace = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}
        document["normalizer"] = {"type": "Sequence", "normalizers": [precompiled, replace]}

    plain = fields_of(folder)
    assert plain["tokenizer.ggml.model"] == "t5"
    assert plain["tokenizer.ggml.remove_extra_whitespaces"] is False
    assert plain["tokenizer.ggml.add_space_prefix"] is True
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    assert plain["tokenizer.ggml.scores"] == [score for _, score in vocabulary]
    change(folder, normalise)
    fields = fields_of(folder, 2000)
    assert fields["tokenizer.ggml.precompiled_charsmap"] == charsmap
    assert fields["tokenizer.ggml.remove_extra_whitespaces"] is True


def test_rows_without_a_token_are_padded(tmp_path: Path) -> None:
    folder = tiny_tokenizer("qwen2", tmp_path / "t")
    size = size_of(folder)
    fields = fields_of(folder, size + 3)
    assert fields["tokenizer.ggml.tokens"][-2:] == [f"[PAD{size + 1}]", f"[PAD{size + 2}]"]
    assert fields["tokenizer.ggml.token_type"][-3:] == [UNUSED] * 3


def test_added_tokens_have_their_types(tmp_path: Path) -> None:
    folder = tiny_tokenizer("byte_level", tmp_path / "t")
    size = size_of(folder)

    def add(document: Json) -> None:
        entry = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True}
        document["added_tokens"] += [
            {"id": size, "content": "<製品>", "special": False, **entry},
            {"id": size + 1, "content": "<|tool|>", "special": True, **entry},
        ]

    change(folder, add)
    fields = fields_of(folder, size + 2)
    assert fields["tokenizer.ggml.tokens"][size:] == ["<製品>", "<|tool|>"]
    assert fields["tokenizer.ggml.token_type"][size:] == [USER_DEFINED, CONTROL]


def test_equal_tokens_are_refused_also_against_padding(tmp_path: Path) -> None:
    """llama.cpp aborts the process on them."""
    folder = tiny_tokenizer("byte_level", tmp_path / "t")
    size = size_of(folder)
    change(folder, lambda document: document["model"]["vocab"].update({f"[PAD{size + 1}]": size}))
    fields_of(folder, size + 1)
    with pytest.raises(ExportError) as caught:
        fields_of(folder, size + 2)
    assert caught.value.code == "duplicate_tokens"


def test_two_tokens_with_one_id_are_refused(tmp_path: Path) -> None:
    folder = tiny_tokenizer("byte_level", tmp_path / "t")
    change(folder, lambda document: document["model"]["vocab"].update({"東京都": 300}))
    with pytest.raises(ExportError, match="duplicate_tokens"):
        fields_of(folder)


def test_a_vocabulary_larger_than_the_embedding_is_refused(tmp_path: Path) -> None:
    folder = tiny_tokenizer("byte_level", tmp_path / "t")
    with pytest.raises(ModelFileError, match="tokenizer_too_large"):
        fields_of(folder, size_of(folder) - 1)


def special(folder: Path, template: str | None = None) -> dict[str, Any]:
    fields = fields_of(folder, template=template)
    tokens = fields["tokenizer.ggml.tokens"]
    named = {
        name.removeprefix("tokenizer.ggml.").removesuffix("_token_id"): tokens[value]
        for name, value in fields.items()
        if name.endswith("_token_id")
    }
    added = {name: fields[f"tokenizer.ggml.add_{name}_token"] for name in ("bos", "eos")}
    return {**named, "adds": added}


def test_special_ids_are_always_written(tmp_path: Path) -> None:
    without_bos = special(tiny_tokenizer("byte_level", tmp_path / "a"))
    assert without_bos == {
        "eos": "<|im_end|>",
        "eot": "<|im_end|>",
        "bos": "<|im_end|>",
        "padding": "<|endoftext|>",
        "adds": {"bos": False, "eos": False},
    }
    llama3 = special(tiny_tokenizer("llama3", tmp_path / "b"))
    assert (llama3["bos"], llama3["eos"], llama3["adds"]["bos"]) == ("<|begin_of_text|>", "<|eot_id|>", True)
    assert "padding" not in llama3
    llama2 = special(tiny_tokenizer("sentencepiece", tmp_path / "c"))
    assert (llama2["unknown"], llama2["bos"], llama2["eos"]) == ("<unk>", "<s>", "</s>")


def test_the_end_is_what_the_template_ends_turns_with(tmp_path: Path) -> None:
    folder = tiny_tokenizer("gemma", tmp_path / "t")
    assert special(folder)["eos"] == "<end_of_turn>"
    for template in ("{{ messages[0]['content'] }}{{ eos_token }}", "{{ '<|im_end|>' }}", "<end_of_turn>"):
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
        assert special(folder)["eos"] == ("<end_of_turn>" if "turn" in template else "<eos>")


def test_without_a_named_end_the_models_counts(tmp_path: Path) -> None:
    folder = tiny_tokenizer("byte_level", tmp_path / "t", chat_template=None, eos_token=None)
    with pytest.raises(ExportError, match="tokenizer_no_end"):
        fields_of(folder)
    for stated in (2, [2, 0]):
        change(folder, lambda document, value=stated: document.update(eos_token_id=value), "generation_config.json")
        assert special(folder)["eos"] == "<|im_end|>"
    assert turn_end_id(TokenizerFiles.read(folder)) == 2


def test_tokens_the_tokenizer_adds_itself(tmp_path: Path) -> None:
    folder = tiny_tokenizer("llama3", tmp_path / "t")

    def add_end(document: Json) -> None:
        document["post_processor"]["single"].append({"SpecialToken": {"id": "<|eot_id|>", "type_id": 0}})
        processor = document["post_processor"]["special_tokens"]
        processor["<|eot_id|>"] = {"id": "<|eot_id|>", "ids": [4], "tokens": ["<|eot_id|>"]}

    assert special(folder)["adds"] == {"bos": True, "eos": False}
    change(folder, add_end)
    assert special(folder)["adds"] == {"bos": True, "eos": True}


def test_homes_of_the_template(tmp_path: Path) -> None:
    key = "tokenizer.chat_template"
    folder = tiny_tokenizer("gpt2", tmp_path / "t", chat_template=None)
    assert key not in fields_of(folder)
    change(folder, lambda document: document.update(chat_template="one"), "tokenizer_config.json")
    assert fields_of(folder)[key] == "one"
    several = [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "two"}]
    change(folder, lambda document: document.update(chat_template=several), "tokenizer_config.json")
    assert fields_of(folder)[key] == "two"
    (folder / "chat_template.jinja").write_text("three", encoding="utf-8")
    assert fields_of(folder)[key] == "three"
    (folder / "chat_template.jinja").write_text("three", encoding="utf-8-sig")
    assert fields_of(folder)[key] == "three"
    assert fields_of(folder, template="four")[key] == "four"


def no_byte_fallback(document: Json) -> None:
    document["model"]["byte_fallback"] = False


REFUSED: dict[str, tuple[str, Callable[[Json], None]]] = {
    "word pieces": ("byte_level", lambda document: document["model"].update(type="WordPiece")),
    "no byte fallback": ("sentencepiece", no_byte_fallback),
    "lower case": ("byte_level", lambda document: document.update(normalizer={"type": "Lowercase"})),
    "compatibility forms": ("sentencepiece", lambda document: document.update(normalizer={"type": "NFKC"})),
    "space before": ("gpt2", lambda document: document["pre_tokenizer"].update(add_prefix_space=True)),
    "merges ignored": ("qwen2", lambda document: document["model"].update(ignore_merges=True)),
    "pieces by punctuation": ("unigram", lambda document: document.update(pre_tokenizer={"type": "Punctuation"})),
    "subword prefix": ("byte_level", lambda document: document["model"].update(continuing_subword_prefix="##")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_kinds_without_a_counterpart_are_refused(name: str, tmp_path: Path) -> None:
    kind, edit = REFUSED[name]
    folder = tiny_tokenizer(kind, tmp_path / "t")
    change(folder, edit)
    with pytest.raises(ExportError) as caught:
        fields_of(folder, 2000)
    assert caught.value.code == "unsupported_tokenizer"


def test_ignored_merges_are_fine_where_llamacpp_ignores_them(tmp_path: Path) -> None:
    folder = tiny_tokenizer("llama3", tmp_path / "t")
    change(folder, lambda document: document["model"].update(ignore_merges=True))
    assert fields_of(folder)["tokenizer.ggml.pre"] == "llama-bpe"


@pytest.mark.parametrize("edit", [{"vocab": {"a": "x"}}, {"merges": [["a"]]}, {"merges": [3]}, {"vocab": 5}])
def test_broken_documents_are_told(edit: Json, tmp_path: Path) -> None:
    folder = tiny_tokenizer("byte_level", tmp_path / "t")
    change(folder, lambda document: document["model"].update(edit))
    with pytest.raises(ModelFileError, match="model_json_invalid"):
        fields_of(folder, 2000)


def test_a_folder_without_tokenizer_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="tokenizer_json_missing"):
        tokenizer_fields(tmp_path, 10)
