"""Each splitting rule that is written here gives the tokens that llama.cpp makes under the rule's name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import llmlora.gguf.tokenizer
from llama_child import LlamaChild
from llmlora.export.verify_texts import comparison_texts
from llmlora.gguf.pretokenizer import pre_tokenizer_name
from llmlora.gguf.splitting_rules import OWN_RULES, SPLITS, ignores_merges, known_rule, pre_tokenizer_steps
from reference_model import export
from tiny_models import tiny_model

RULES = [*SPLITS, *OWN_RULES]
TEXTS = [
    *comparison_texts((), ("<s>",)),
    "It's 12345678 don't I'LL WE'VE they'D 東京１２３タワー。2026年11月30日、３個…！",
    "   x\n\n\n  y\t\tz  \r\n\r\n a",
    "a.b,c!d?e…f。g，h、i $100.50+3<=7^2~|`x` ‘q’ “r” —：；，、〿",
    "한국어 텍스트 ㄱㄴ 123 école NAÏVE ÀÖ ǅ ПРИвет мир γεια שלום مرحبا ۔، हिन्दी।",
    "foo_bar(baz)[1:2]{'k': \"v\"} /path/to //c\n/* d */",
    " " * 40 + "x" + " " * 9,
    "1 22 333 4444 55555 666666 7777777 Ⅷ ½ ²  12  3  456",
    "CamelCaseWORDs ABCdef iPhone McDONALD's 　全角　空白",
]


@pytest.fixture(scope="module")
def unsplit() -> dict[str, Any]:
    """A tokenizer whose merges were learned across all borders, so that every split shows in the tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4000,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=12,
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    found: dict[str, Any] = json.loads(tokenizer.to_str())
    return found


@pytest.fixture(scope="module")
def model(unsplit: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("rules") / "model"
    vocab_size = len(unsplit["model"]["vocab"])
    tiny_model("llama", folder, num_hidden_layers=1, vocab_size=max(vocab_size, 704))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    yield folder


@pytest.mark.parametrize("rule", RULES)
def test_llamacpp_splits_as_the_rule_here(
    rule: str,
    unsplit: dict[str, Any],
    model: Path,
    tmp_path: Path,
    llama: LlamaChild,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = {"type": "Sequence", "pretokenizers": pre_tokenizer_steps(rule)}
    merging = {**unsplit["model"], "ignore_merges": ignores_merges(rule)}
    document = json.dumps({**unsplit, "pre_tokenizer": steps, "model": merging})
    (model / "tokenizer.json").write_text(document, encoding="utf-8")
    # The file names the rule whether or not it would be recognised.
    monkeypatch.setattr(llmlora.gguf.tokenizer, "pre_tokenizer_name", lambda *_: rule)
    answer = llama.ask(export(model, tmp_path / "a.gguf"), texts=TEXTS)
    tokenizer = Tokenizer.from_str(document)
    for text, found in zip(TEXTS, answer.tokens, strict=True):
        own = tokenizer.encode(text).ids
        assert found in (own, [0, *own]), text  # some rules put a first token before


def test_the_rules_differ_where_they_should(unsplit: dict[str, Any]) -> None:
    """Every split shows, or the test above would say little."""
    tokens = {}
    for rule in RULES:
        steps = {"type": "Sequence", "pretokenizers": pre_tokenizer_steps(rule)}
        tokenizer = Tokenizer.from_str(json.dumps({**unsplit, "pre_tokenizer": steps}))
        tokens[rule] = str([tokenizer.encode(text).ids for text in TEXTS])
    assert len(set(tokens.values())) == len(RULES) - 1, "dbrx is llama-bpe, merges aside"


@pytest.mark.parametrize("rule", RULES)
def test_steps_of_a_rule_are_recognised_as_it(rule: str) -> None:
    assert pre_tokenizer_name(pre_tokenizer_steps(rule), ignores_merges(rule)) == rule


def test_names_of_one_rule() -> None:
    assert known_rule("llama-v3") == "llama-bpe"
    assert known_rule("bloom") == "poro-chat"
    assert known_rule("kimi-k2") is None
