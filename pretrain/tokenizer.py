"""The tokenizer: byte-level BPE in the shape that llama.cpp calls `gpt-2`, with single digits and common kanji."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from pretrain.corpus import CHAT_TEMPLATE, END_OF_TEXT, PAD, TURN_END, TURN_START, texts
from pretrain.lexicon import kanji

VOCABULARY = 6144
SPECIAL = [END_OF_TEXT, PAD, TURN_START, TURN_END]
CONTEXT = 2048
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
LONGEST_TOKEN = 12  # bytes: four Japanese characters, so that no whole template sentence becomes one token
KANJI_WEIGHT = 60
DIGIT_RUN = re.compile(r"\d(?=\d)")
SPECIAL_TEXT = re.compile("|".join(re.escape(word) for word in SPECIAL))


def _training_text(seed: int, size: int) -> Iterator[str]:
    for text in texts(seed, size):
        plain = SPECIAL_TEXT.sub("\n", text)
        # Digits apart from each other: no merges of digits are learned, so numbers are read digit by digit.
        yield DIGIT_RUN.sub(lambda found: found.group() + "\n", plain)
    characters = [*kanji(), *(chr(code) for code in range(0x3041, 0x30FF)), *"、。「」『』・ー〜！？（）：；"]
    for character in characters:
        yield f"{character}\n" * KANJI_WEIGHT


def train(folder: Path, seed: int = 1, size: int = 8_000_000) -> None:
    """Train the tokenizer on generated text and write its files into a folder."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=2,
        special_tokens=[AddedToken(word, special=True, normalized=False) for word in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=LONGEST_TOKEN,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_training_text(seed, size), trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "add_bos_token": False,
        "add_eos_token": False,
        "bos_token": None,
        "eos_token": TURN_END,
        "pad_token": PAD,
        "unk_token": None,
        "additional_special_tokens": [END_OF_TEXT, TURN_START],
        "model_max_length": CONTEXT,
        "padding_side": "right",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")


def report(tokenizer: Tokenizer) -> str:
    """Return how well the vocabulary covers the kanji and how long its tokens are, for the log."""
    single = sum(len(tokenizer.encode(character).ids) == 1 for character in kanji())
    sample = "".join(islice(texts(2, 400_000), None))
    ratio = len(sample.encode()) / len(tokenizer.encode(sample).ids)
    return f"vocabulary {tokenizer.get_vocab_size()}, kanji as one token {single} of {len(kanji())}, {ratio:.2f} bytes per token"
