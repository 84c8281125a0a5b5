"""Folders with a SentencePiece model and no tokenizer.json: the ids are SentencePiece's own.

The three models are tiny: `bpe` in the shape of Llama 2's, `unigram` in the shape of rinna's (a table of characters,
spaces taken away, no byte pieces), `unigram_bytes` with byte pieces and no space in front. They were trained with the
package sentencepiece 0.2.3, which also gave the ids of each text in `expected.json`.
"""

from __future__ import annotations

import gzip
import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from llmlora.core.errors import ModelFileError
from llmlora.core.examples import Message
from llmlora.gguf.tokenizer import tokenizer_fields
from llmlora.prepare.sentencepiece import BPE, UNIGRAM, build_tokenizer, read_model
from llmlora.prepare.template import load_template
from llmlora.prepare.tokenizer import TextEncoder, load_tokenizer, save_tokenizer
from llmlora.services.export import export_model
from llmlora.services.train import train
from prepare.folders import LLAMA2
from tiny_models import tiny_model

FILES = Path(__file__).parent / "sentencepiece"
EXPECTED: dict[str, Any] = json.loads((FILES / "expected.json").read_text(encoding="utf-8"))
KINDS = ("bpe", "unigram", "unigram_bytes")
LLAMA = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
T5 = {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "[PAD]", "extra_ids": 0}


def model_bytes(kind: str) -> bytes:
    return gzip.decompress((FILES / f"{kind}.model.gz").read_bytes())


def folder_with(path: Path, kind: str, settings: dict[str, Any], name: str = "tokenizer.model") -> Path:
    """Write a folder as old models have it."""
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(model_bytes(kind))
    (path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return path


def message(number: int, value: bytes) -> bytes:
    """Return a length-delimited field of a protocol buffer message (shorter than 128 bytes)."""
    return bytes([number << 3 | 2, len(value)]) + value


def piece(text: str, score: float, kind: int = 1) -> bytes:
    return message(1, message(1, text.encode()) + b"\x15" + struct.pack("<f", score) + bytes([0x18, kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_those_of_sentencepiece(kind: str, tmp_path: Path) -> None:
    mine = TextEncoder(load_tokenizer(folder_with(tmp_path, kind, LLAMA)))
    found = {text: mine.encode(text) for text in EXPECTED["texts"]}
    assert found == dict(zip(EXPECTED["texts"], EXPECTED[kind], strict=True))


@pytest.mark.parametrize(
    ("kind", "name", "settings"), [("bpe", "tokenizer.model", LLAMA), ("unigram", "spiece.model", T5)]
)
def test_the_file_saved_beside_an_adapter_gives_the_same_ids_everywhere(
    kind: str, name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    source = folder_with(tmp_path / "base", kind, settings, name)
    save_tokenizer(source, tmp_path / "adapter")
    written = Tokenizer.from_file(str(tmp_path / "adapter" / "tokenizer.json"))
    others = AutoTokenizer.from_pretrained(tmp_path / "adapter")
    mine = load_tokenizer(tmp_path / "adapter")
    for text, ids in zip(EXPECTED["texts"], EXPECTED[kind], strict=True):
        assert written.encode(text, add_special_tokens=False).ids == ids
        assert others.encode(text, add_special_tokens=False) == ids
    assert mine.special_tokens_map == load_tokenizer(source).special_tokens_map
    assert mine.encode("東京") == load_tokenizer(source).encode("東京")


@pytest.mark.parametrize(
    ("settings", "model_type", "adds_bos"),
    [
        (LLAMA, "llama", True),
        ({**LLAMA, "add_bos_token": False}, "llama", False),
        (T5, "gpt_neox", False),
        ({}, "llama", True),
        ({}, "gpt_neox", False),
    ],
)
def test_bos_stands_in_front_where_the_family_has_it(
    settings: dict[str, Any], model_type: str, adds_bos: bool, tmp_path: Path
) -> None:
    folder = folder_with(tmp_path, "bpe", settings)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    tokenizer = load_tokenizer(folder)
    assert (tokenizer.encode("東京")[0] == 1) is adds_bos
    assert TextEncoder(tokenizer).adds_bos is adds_bos


def test_names_come_from_the_model_where_no_file_gives_them(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(folder_with(tmp_path, "unigram", {}))
    names = {name: str(text) for name, text in tokenizer.special_tokens_map.items()}
    assert names == {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    (tmp_path / "special_tokens_map.json").write_text('{"eos_token": {"content": "[SEP]"}}', encoding="utf-8")
    assert load_tokenizer(tmp_path).eos_token == "[SEP]"


def test_a_name_that_the_vocabulary_lacks_gets_no_new_id(tmp_path: Path) -> None:
    """A new id would lie outside the embedding."""
    tokenizer = load_tokenizer(folder_with(tmp_path, "unigram", T5, "spiece.model"))
    assert "[PAD]" not in tokenizer.get_vocab()
    assert len(tokenizer) == len(read_model(tmp_path / "spiece.model").pieces)


def test_added_tokens_keep_the_ids_of_their_file(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "bpe", {**LLAMA, "pad_token": "<pad>"})
    size = len(read_model(folder / "tokenizer.model").pieces)
    (folder / "added_tokens.json").write_text(json.dumps({"<extra>": size + 1, "<pad>": size}), encoding="utf-8")
    tokenizer = load_tokenizer(folder)
    assert tokenizer.convert_tokens_to_ids(["<pad>", "<extra>"]) == [size, size + 1]
    assert tokenizer.encode("a<extra>", add_special_tokens=False)[-1] == size + 1
    (folder / "added_tokens.json").write_text(json.dumps({"<extra>": size + 7}), encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        load_tokenizer(folder)
    assert (caught.value.code, "<extra>" in caught.value.params["detail"]) == ("tokenizer_unreadable", True)


def test_a_tokenizer_json_wins(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "unigram", {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>"})
    bpe = folder_with(tmp_path / "bpe", "bpe", LLAMA)
    build_tokenizer(read_model(bpe / "tokenizer.model")).save(str(folder / "tokenizer.json"))
    assert load_tokenizer(folder).encode(EXPECTED["texts"][0], add_special_tokens=False) == EXPECTED["bpe"][0]


def test_control_pieces_are_special_and_answers_end_with_one(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "bpe", LLAMA)
    (folder / "chat_template.jinja").write_text(LLAMA2, encoding="utf-8")
    template = load_template(folder)
    turns = (Message("user", "会議は</s>いつ"), Message("assistant", "3月14日です。"))
    ((ids, learned),) = template.encode_example(turns)
    assert ids[0] == 1 and ids.count(1) == 1
    assert ids[-1] == 2 and learned[-1] and ids.count(2) == 1  # the </s> that the user typed is spelled out
    assert ids[: learned.index(True)] == template.prompt_ids(turns[:1])


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_put_together_are_the_text(kind: str, tmp_path: Path) -> None:
    mine = TextEncoder(load_tokenizer(folder_with(tmp_path, kind, LLAMA)))
    for text in ("東京の天気は晴れです。", "Hello, world!", "価格は1,234円で 42 dollars"):
        assert "".join(mine.pieces(mine.encode(text))).strip() == text


def test_unused_pieces_are_never_chosen(tmp_path: Path) -> None:
    path = tmp_path / "m.model"
    for kind in (UNIGRAM, BPE):
        pieces = [piece("<unk>", 0, 2), piece("a", -3), piece("b", -3), piece("ab", -1, 5), piece("ba", -2)]
        path.write_bytes(b"".join(pieces) + message(2, bytes([0x18, kind])) + message(3, b"\x18\x00\x20\x00"))
        assert build_tokenizer(read_model(path)).encode("abab").tokens == ["a", "ba", "b"]


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "no pieces"),
        (b"\x12\x00", "no pieces"),
        (b"IQ== 0\nIg== 1\nIw== 2\n", ""),  # the vocabulary of Llama 3's first folders
        (b"\x0a", "cut off"),
        (b"\x0a\x05abc", "cut off"),
        (b"\xff" * 12, "not a SentencePiece model"),
        (b"\x0b", "not a SentencePiece model"),
        (b"\x08\x01", "not a SentencePiece model"),
        (message(1, b"\x08\x01"), "not a SentencePiece model"),
        (piece("a", 0) + piece("a", 0), "twice"),
        (piece("a", 0) + message(2, b"\x18\x03"), "unigram and bpe"),
        (piece("a", 0) + message(2, b"\xc0\x02\x63"), "no unknown piece"),
        (piece("a", 0) + message(2, b"\xc0\x01\x01"), "treat_whitespace_as_suffix"),
        (piece("a", 0) + message(3, b"\x28\x00"), "escape_whitespaces"),
    ],
)
def test_other_files_are_refused(data: bytes, detail: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "bpe", LLAMA)
    (folder / "tokenizer.model").write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        load_tokenizer(folder)
    assert caught.value.code == "tokenizer_unreadable"
    assert detail in caught.value.params["detail"]


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmlora.prepare.sentencepiece.MAX_BYTES", 1000)
    with pytest.raises(ModelFileError) as caught:
        load_tokenizer(folder_with(tmp_path, "bpe", LLAMA))
    assert caught.value.code == "tokenizer_unreadable"


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_refused_or_work(kind: str, tmp_path: Path) -> None:
    sound, chance = model_bytes(kind), random.Random(7)
    folder = folder_with(tmp_path, kind, LLAMA)
    refused = 0
    for _ in range(60):
        data = bytearray(sound)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        cut = chance.choice([len(data), chance.randrange(len(data))])
        (folder / "tokenizer.model").write_bytes(data[:cut])
        try:
            mine = TextEncoder(load_tokenizer(folder))
        except ModelFileError as failure:
            assert failure.code == "tokenizer_unreadable"
            refused += 1
        else:
            mine.encode("a東京</s>")
    assert refused > 20


def exported(folder: Path, vocab_size: int) -> dict[str, Any]:
    """Return the tokenizer keys of a GGUF file without their prefix."""
    return {key.removeprefix("tokenizer.ggml."): value for key, value in tokenizer_fields(folder, vocab_size).items()}


def test_what_is_exported_is_what_the_model_file_says(tmp_path: Path) -> None:
    saved = tmp_path / "adapter"
    save_tokenizer(folder_with(tmp_path / "unigram", "unigram", {}, "spiece.model"), saved)
    model = read_model(tmp_path / "unigram" / "spiece.model")
    fields = exported(saved, len(model.pieces))
    assert (fields["model"], fields["add_space_prefix"], fields["remove_extra_whitespaces"]) == ("t5", True, True)
    assert bytes(fields["precompiled_charsmap"]) == model.charsmap
    assert fields["scores"] == pytest.approx([score for _, score, _ in model.pieces])

    save_tokenizer(folder_with(tmp_path / "bpe", "bpe", LLAMA), saved)
    model = read_model(tmp_path / "bpe" / "tokenizer.model")
    fields = exported(saved, len(model.pieces))
    assert (fields["model"], fields["add_space_prefix"], fields["add_bos_token"]) == ("llama", True, True)
    assert list(fields["tokens"]) == [text for text, _, _ in model.pieces]
    assert list(fields["token_type"]) == [kind for _, _, kind in model.pieces]


@pytest.mark.parametrize(
    ("architecture", "kind", "name", "settings"),
    [("llama", "bpe", "tokenizer.model", LLAMA), ("gpt_neox", "unigram", "spiece.model", T5)],
    ids=["llama 2", "rinna"],
)
def test_such_a_folder_is_trained_exported_and_verified(
    architecture: str, kind: str, name: str, settings: dict[str, Any], tmp_path: Path, home: Path
) -> None:
    (tmp_path / name).write_bytes(model_bytes(kind))
    size = len(read_model(tmp_path / name).pieces)
    base = tiny_model(architecture, tmp_path / "base", vocab_size=max(size, 640), num_hidden_layers=1)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json"):
        (base / file).unlink(missing_ok=True)
    folder_with(base, kind, settings, name)
    data = tmp_path / "data.jsonl"
    data.write_text('{"instruction": "営業時間は？", "output": "午前10時から午後7時までです。"}\n', encoding="utf-8")
    train(str(base), data, out=tmp_path / "job", max_steps=2, max_length=64)
    report = export_model(tmp_path / "job", tmp_path / "export", ["F16"])["verify"]
    assert report["ok"]
    assert (tmp_path / "job" / "adapter" / "tokenizer.json").is_file()
