from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from llmlora.core.errors import ModelFileError
from llmlora.gguf.tokenizer import tokenizer_fields
from llmlora.prepare.tokenizer import PROBES, TextEncoder, load_tokenizer, save_tokenizer, tokenizer_digest
from prepare.folders import BUILDERS, tokenizer_folder
from tiny_models import tiny_model, tiny_tokenizer

KINDS = sorted(BUILDERS)
TEXTS = [
    "東京の天気は晴れです。", "Hello,  world!\n\n 42 ", " 先頭の空白", "絵文字😀と漢字", "改行\nと\tタブ", "🏳️‍🌈 é が",
]  # fmt: skip


def encoder(folder: Path, kind: str) -> TextEncoder:
    """Return the encoder of a tokenizer kind."""
    return TextEncoder(load_tokenizer(tokenizer_folder(folder, kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_those_of_tokenizer_json(kind: str, tmp_path: Path) -> None:
    mine = encoder(tmp_path, kind)
    reference = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in TEXTS:
        assert mine.encode(text) == reference.encode(text, add_special_tokens=False).ids


def test_the_file_wins_where_transformers_rebuilds_the_tokenizer(tmp_path: Path) -> None:
    """`LlamaTokenizer` of transformers 5 drops characters that tokenizer.json maps to <unk>."""
    tokenizer_folder(tmp_path, "no_bytes", tokenizer_class="LlamaTokenizer")
    reference = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    wanted = [reference.encode(probe, add_special_tokens=False).ids for probe in PROBES]
    rebuilt = AutoTokenizer.from_pretrained(tmp_path)
    assert [rebuilt.encode(probe, add_special_tokens=False) for probe in PROBES] != wanted, "the trap is gone"
    mine = load_tokenizer(tmp_path)
    assert [mine.encode(probe, add_special_tokens=False) for probe in PROBES] == wanted
    assert (mine.bos_token, mine.eos_token, mine.unk_token) == ("<s>", "</s>", "<unk>")

    saved = tmp_path / "adapter"
    save_tokenizer(tmp_path, saved)
    written = json.loads((saved / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert written["tokenizer_class"] == "PreTrainedTokenizerFast"
    others = AutoTokenizer.from_pretrained(saved)
    assert [others.encode(probe, add_special_tokens=False) for probe in PROBES] == wanted


@pytest.mark.parametrize("settings", [{}, {"legacy": False}, {"add_bos_token": False}], ids=str)
def test_spaces_behind_special_tokens_are_those_of_the_file(settings: dict[str, Any], tmp_path: Path) -> None:
    """Llama 2's file, rebuilt by transformers 5, loses the space behind `<s>`; every other reader of it keeps it."""
    tiny_tokenizer("sentencepiece", tmp_path, tokenizer_class="LlamaTokenizer", **settings)
    text = "<s>user: 会議は？</s>\nassistant: "
    wanted = Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode(text, add_special_tokens=False).ids
    assert AutoTokenizer.from_pretrained(tmp_path).encode(text, add_special_tokens=False) != wanted, "the trap is gone"
    mine = TextEncoder(load_tokenizer(tmp_path))
    assert mine.encode(text) == wanted
    assert mine.adds_bos


@pytest.mark.parametrize(("kind", "name"), [("gemma", "GemmaTokenizer"), ("gpt2", "GPTNeoXTokenizer")])
def test_a_class_adds_no_token_that_the_file_lacks(kind: str, name: str, tmp_path: Path) -> None:
    """Its id would lie behind the embedding's last row, and the exported file would know no such token."""
    folder = tiny_tokenizer(kind, tmp_path, tokenizer_class=name)
    size = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    assert len(AutoTokenizer.from_pretrained(folder)) > size, "the trap is gone"
    assert len(load_tokenizer(folder)) == size


def test_a_token_that_the_settings_add_is_kept(tmp_path: Path) -> None:
    folder = tiny_tokenizer("gpt2", tmp_path, tokenizer_class="GPT2Tokenizer", pad_token="<pad>")
    assert load_tokenizer(folder).pad_token == "<pad>"


def test_what_only_class_and_config_name_is_written_beside_the_adapter(tmp_path: Path) -> None:
    """distilgpt2's tokenizer_config.json holds nothing but a length; an adapter's folder has no config.json."""
    base = tiny_model("gpt2", tmp_path / "base", n_layer=1)
    (base / "tokenizer_config.json").write_text('{"model_max_length": 1024}', encoding="utf-8")
    save_tokenizer(base, tmp_path / "adapter")
    saved = load_tokenizer(tmp_path / "adapter")
    assert saved.eos_token == "<|endoftext|>"
    for text in TEXTS:
        assert saved.encode(text) == load_tokenizer(base).encode(text)
    assert tokenizer_fields(tmp_path / "adapter", len(saved))["tokenizer.ggml.eos_token_id"] == saved.eos_token_id


def test_a_saved_tokenizer_is_the_same_files(tmp_path: Path) -> None:
    source = tokenizer_folder(tmp_path / "base", "byte_level", add_bos_token=False)
    (source / "special_tokens_map.json").write_text("{}", encoding="utf-8")
    save_tokenizer(source, tmp_path / "adapter")
    for path in source.iterdir():
        assert (tmp_path / "adapter" / path.name).read_bytes() == path.read_bytes()


def test_an_old_folder_without_tokenizer_json_gets_one(tmp_path: Path) -> None:
    source = tokenizer_folder(tmp_path / "old", "gpt2", tokenizer_class="GPT2Tokenizer")
    model = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (source / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    merges = "\n".join(" ".join(pair) for pair in model["merges"])
    (source / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    expected = [Tokenizer.from_file(str(source / "tokenizer.json")).encode(text).ids for text in TEXTS]
    (source / "tokenizer.json").unlink()
    assert [load_tokenizer(source).encode(text) for text in TEXTS] == expected
    save_tokenizer(source, tmp_path / "adapter")
    written = Tokenizer.from_file(str(tmp_path / "adapter" / "tokenizer.json"))
    assert [written.encode(text).ids for text in TEXTS] == expected


@pytest.mark.parametrize("kind", ["byte_level", "byte_level_bos", "llama2"])
@pytest.mark.parametrize("name", ["PreTrainedTokenizerFast", "TokenizersBackend"])
def test_the_short_way_gives_what_transformers_gives(kind: str, name: str, tmp_path: Path) -> None:
    tokenizer_folder(tmp_path, kind, tokenizer_class=name)
    peer, mine = AutoTokenizer.from_pretrained(tmp_path), load_tokenizer(tmp_path)
    assert type(peer) is type(mine)
    assert peer.special_tokens_map == mine.special_tokens_map
    assert all(peer.encode(text) == mine.encode(text) for text in TEXTS)


def test_special_tokens_may_be_written_as_objects(tmp_path: Path) -> None:
    token = {"content": "</s>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    end = {"__type": "AddedToken", **token}
    tokenizer_folder(tmp_path, "no_bytes", tokenizer_class="LlamaTokenizer", eos_token=end)
    assert load_tokenizer(tmp_path).eos_token == "</s>"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("tokenizer.json", "{", "tokenizer_unreadable"),
        ("tokenizer.json", "{}", "tokenizer_unreadable"),
        ("tokenizer.json", '{"model": {"type": "Nope"}}', "tokenizer_unreadable"),
        ("tokenizer_config.json", "[]", "tokenizer_unreadable"),
        ("tokenizer_config.json", "\ufffd{", "tokenizer_unreadable"),
        ("tokenizer_config.json", '{"auto_map": {"AutoTokenizer": ["evil.Tokenizer", null]}}', "model_needs_code"),
    ],
)
def test_broken_tokenizers_are_model_errors(name: str, content: str, code: str, tmp_path: Path) -> None:
    tokenizer_folder(tmp_path, "byte_level")
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        load_tokenizer(tmp_path)
    assert caught.value.code == code


def damaged(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Replace one value somewhere in a tokenizer.json."""
    places: list[tuple[Any, Any]] = []

    def visit(value: Any) -> None:
        keys = list(value)[:40] if isinstance(value, dict) else range(min(len(value), 10))
        for key in keys:
            places.append((value, key))
            if isinstance(value[key], dict | list):
                visit(value[key])

    visit(document)
    parent, key = chance.choice(places)
    parent[key] = chance.choice([None, -1, 2**40, "x", "", [], {}, True, 1.5, {"type": "X"}, [["a", "b"]], "\ud800"])
    return document


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["byte_level", "llama2"])
def test_damaged_files_are_refused_or_work(kind: str, tmp_path: Path) -> None:
    path = tokenizer_folder(tmp_path, kind) / "tokenizer.json"
    sound = path.read_text(encoding="utf-8")
    chance = random.Random(5)
    refused = 0
    for _ in range(120):
        path.write_text(json.dumps(damaged(json.loads(sound), chance)), encoding="utf-8")
        try:
            mine = TextEncoder(load_tokenizer(tmp_path))
        except ModelFileError:
            refused += 1
        else:
            mine.encode(mine.guard("a</s>東京<|im_end|>")[0])
            mine.count("東京 a")
    assert refused > 60


def test_an_old_folder_with_broken_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text('{"a": ', encoding="utf-8")
    (tmp_path / "merges.txt").write_text("a b\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}', encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        load_tokenizer(tmp_path)
    assert caught.value.code == "tokenizer_unreadable"


def test_a_tokenizer_in_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text('{"<unk>": 0, "a</w>": 1, "b</w>": 2}', encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b</w> 1\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "CTRLTokenizer"}', encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        load_tokenizer(tmp_path)
    assert (caught.value.code, caught.value.params["name"]) == ("tokenizer_slow", "CTRLTokenizer")


def test_a_folder_without_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        load_tokenizer(tmp_path)
    assert caught.value.code == "tokenizer_missing"


@pytest.mark.parametrize("kind", KINDS)
def test_control_tokens_in_user_text_are_spelled_out(kind: str, tmp_path: Path) -> None:
    mine = encoder(tmp_path, kind)
    for token, index in mine.special_tokens.items():
        guarded, count = mine.guard(f"a{token}b{token}")
        assert count == 2
        assert mine.unguard(guarded) == f"a{token}b{token}"
        assert index not in mine.encode(guarded) or index == mine.unknown_id
        assert index in mine.encode(f"a{token}b")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("no_bytes", "dropping")])
def test_spelled_out_tokens_keep_their_text(kind: str, tmp_path: Path) -> None:
    mine = encoder(tmp_path, kind)
    for token in mine.special_tokens:
        text = f"x {token} 漢字"
        assert "".join(mine.pieces(mine.encode_raw(text))).strip() == text


def test_spelling_out_changes_nothing_else(tmp_path: Path) -> None:
    mine = encoder(tmp_path, "byte_level")
    guarded = mine.guard("<|im_end|>")[0]
    ids = mine.encode(f"<|im_start|>user\n<think>{guarded}<|im_end|>\n")
    plain = [mine.encode(text) for text in ("<|im_start|>user\n<think>", "<|im_end|>\n")]
    assert ids[: len(plain[0])] == plain[0]
    assert ids[-len(plain[1]) :] == plain[1]


def test_a_normalized_end_token_becomes_its_id(tmp_path: Path) -> None:
    """An added token with `normalized: true` is not found inside text by the plain tokenizer (export.md 11.1)."""
    mine = encoder(tmp_path, "llama2_normalized")
    reference = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert mine.eos_id not in reference.encode("a</s>\n", add_special_tokens=False).ids
    assert mine.eos_id in mine.encode("a</s>\n")


@pytest.mark.parametrize(
    ("kind", "adds_bos", "has_unknown"),
    [("byte_level", False, False), ("gpt2", False, False), ("byte_level_bos", True, False), ("no_bytes", True, True)],
)
def test_what_is_known_about_a_tokenizer(kind: str, adds_bos: bool, has_unknown: bool, tmp_path: Path) -> None:
    mine = encoder(tmp_path, kind)
    assert (mine.adds_bos, mine.unknown_id is not None) == (adds_bos, has_unknown)
    ids = mine.with_bos(mine.encode("a"))
    assert mine.with_bos(ids) == ids
    assert (ids[0] == mine.bos_id) == adds_bos


def test_end_tokens_are_known_by_name(tmp_path: Path) -> None:
    mine = encoder(tmp_path, "byte_level_bos")
    names = {name for name, index in mine.special_tokens.items() if index in mine.end_ids}
    assert names == {"<|endoftext|>", "<|im_end|>", "<end_of_turn>"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("no_bytes", "dropping")])
def test_pieces_put_together_are_the_text(kind: str, tmp_path: Path) -> None:
    mine = encoder(tmp_path, kind)
    for text in TEXTS:
        ids = mine.encode(text)
        pieces = mine.pieces(ids)
        assert len(pieces) == len(ids)
        assert "".join(pieces).strip() == text.strip()
        assert not any("\ufffd" in piece for piece in pieces)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("no_bytes", "dropping")])
def test_bytes_of_tokens_put_together_are_the_text(kind: str, tmp_path: Path) -> None:
    mine = encoder(tmp_path, kind)
    for text in TEXTS:
        told = b"".join(mine.token_bytes(index) for index in mine.encode(text))
        assert told.decode().strip() == text.strip()
    assert all(mine.token_bytes(index) == b"" for index in mine.special_ids)


def test_no_row_ends_in_half_a_character(tmp_path: Path) -> None:
    mine = encoder(tmp_path, "byte_level")
    ids = mine.encode("ab😀")
    assert len(ids) >= 4
    kept = [mine.whole_characters(ids[:count]) for count in range(2, len(ids) + 1)]
    assert kept == [2] * (len(kept) - 1) + [len(ids)]


@pytest.mark.parametrize(
    ("kind", "text", "unknown"),
    [
        ("byte_level", "東京 abc 😀", 0),
        ("llama2", "龍が飛ぶ 😀", 0),
        ("no_bytes", "東京です。", 0),
        ("dropping", "abc def", 0),
        ("dropping", "abc 東京", 2),
        ("dropping", "東京", 2),
    ],
)
def test_unknown_and_lost_characters_are_counted(kind: str, text: str, unknown: int, tmp_path: Path) -> None:
    tokens, found = encoder(tmp_path, kind).count(text)
    assert found == unknown
    assert tokens >= unknown


def test_unknown_tokens_are_counted(tmp_path: Path) -> None:
    tokens, found = encoder(tmp_path, "no_bytes").count("龍 です")
    assert 0 < found < tokens


@pytest.mark.parametrize("kind", ["byte_level", "llama2", "byte_level_bos"])
def test_a_continuation_has_no_space_of_its_own(kind: str, tmp_path: Path) -> None:
    mine = encoder(tmp_path, kind)
    ids = mine.encode_continuation("質問: ", "東京です。")
    assert "".join(mine.pieces(mine.encode("x\n") + ids)).endswith("\n東京です。")


def test_the_digest_covers_every_file(tmp_path: Path) -> None:
    tokenizer_folder(tmp_path, "byte_level")
    digests = [tokenizer_digest(tmp_path)]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}), encoding="utf-8")
    digests.append(tokenizer_digest(tmp_path))
    (tmp_path / "special_tokens_map.json").write_text("{}", encoding="utf-8")
    digests.append(tokenizer_digest(tmp_path))
    assert len(set(digests)) == 3


@pytest.mark.parametrize("kind", ["gpt2", "llama3", "qwen2", "gemma", "sentencepiece", "unigram"])
def test_tokenizers_of_the_field_load(kind: str, tmp_path: Path) -> None:
    folder = tiny_tokenizer(kind, tmp_path / kind)
    mine = TextEncoder(load_tokenizer(folder))
    for text in TEXTS[:2]:
        assert "".join(mine.pieces(mine.encode(text))).strip() == text.strip()
