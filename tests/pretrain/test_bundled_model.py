"""The files of the bundled model fit each other, and its tokenizer drops nothing."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pretrain.lexicon import kanji
from pretrain.model import END_OF_TEXT_ID, PAD_ID, TURN_END_ID, config
from pretrain.tokenizer import SPECIAL, VOCABULARY

NANO = Path(__file__).parents[2] / "src/llmlora/assets/models/nano"
KANA = [chr(code) for code in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB))]


BUNDLED = Tokenizer.from_file(str(NANO / "tokenizer.json"))


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_every_text_comes_back_unchanged(text: str) -> None:
    assert BUNDLED.decode(BUNDLED.encode(text).ids, skip_special_tokens=False) == text


def test_kanji_and_common_kana_are_one_token_and_digits_are_read_one_by_one() -> None:
    assert all(len(BUNDLED.encode(character).ids) == 1 for character in kanji())
    assert sum(len(BUNDLED.encode(character).ids) == 1 for character in KANA) >= 160
    assert len(BUNDLED.encode("1234567890").ids) == 10
    assert all(len(BUNDLED.encode(chr(code)).ids) == 1 for code in range(0x20, 0x7F))


def test_special_tokens_have_the_ids_that_the_configuration_names() -> None:
    assert [BUNDLED.token_to_id(word) for word in SPECIAL] == [END_OF_TEXT_ID, PAD_ID, 2, TURN_END_ID]
    tokenizer_settings = json.loads((NANO / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert BUNDLED.token_to_id(tokenizer_settings["eos_token"]) == TURN_END_ID
    assert BUNDLED.get_vocab_size() == VOCABULARY
    found = json.loads((NANO / "config.json").read_text(encoding="utf-8"))
    assert (found["eos_token_id"], found["pad_token_id"]) == (TURN_END_ID, PAD_ID)
    assert {name: found[name] for name in ("vocab_size", "hidden_size", "num_hidden_layers")} == {
        name: getattr(config(), name) for name in ("vocab_size", "hidden_size", "num_hidden_layers")
    }


def test_weights_are_small_bfloat16_and_their_rows_fit_k_quantization() -> None:
    path = NANO / "model.safetensors"
    assert path.stat().st_size <= 16 * 2**20
    with path.open("rb") as stream:
        (size,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(size))
    header.pop("__metadata__", None)
    assert {entry["dtype"] for entry in header.values()} == {"BF16"}
    assert all(entry["shape"][-1] % 256 == 0 for entry in header.values())
    count = sum(entry["shape"][0] * (entry["shape"] + [1])[1] for entry in header.values())
    assert 4_000_000 <= count <= 8_000_000


def test_the_card_names_licence_limits_and_measured_numbers() -> None:
    card = (NANO / "README.md").read_text(encoding="utf-8")
    assert "license: cc0-1.0" in card
    assert "perplexity" in card
    assert "cannot do" in card
    assert "CC0" in (NANO / "LICENSE").read_text(encoding="utf-8")
