"""The rows of `benchmarks/data`: each teaches a fact, other wordings ask for it, and nano's text knows none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmlora.data.read import ReadOptions, iter_examples
from llmlora.evaluation.facts.extract import askable_facts
from llmlora.evaluation.measuring.questions import questions_of, read_questions

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "benchmarks" / "data"
NAMES = {"stargazers_ja": 20, "pottery_ja": 20, "pressworks_ja": 20, "townsfolk_ja": 50}
STRETCH = 8  # characters; a shorter one is any polite ending


@pytest.mark.parametrize("name", NAMES)
def test_every_row_teaches_a_fact_that_no_wording_of_its_question_gives_away(name: str) -> None:
    rows = list(questions_of(iter_examples(DATA / f"{name}.jsonl", ReadOptions())))
    asked = list(read_questions(DATA / f"{name}_questions.jsonl"))
    assert [(row.text, row.reference) for row in rows] == [(item.text, item.reference) for item in asked]
    assert len({item.text for item in asked}) == NAMES[name]
    for item in asked:
        facts = askable_facts(item.reference, item.text)
        assert 1 <= len(facts) <= 3, item.text
        assert len(item.paraphrases) == 2
        for wording in item.paraphrases:
            assert askable_facts(item.reference, wording) == facts, wording


@pytest.mark.parametrize("name", NAMES)
def test_other_wordings_stand_in_no_training_row(name: str) -> None:
    trained = {json.loads(line)["instruction"] for line in (DATA / f"{name}.jsonl").read_text().splitlines()}
    wordings = [text for item in read_questions(DATA / f"{name}_questions.jsonl") for text in item.paraphrases]
    assert len(set(wordings)) == 2 * NAMES[name]
    assert not trained & set(wordings)


def test_what_nano_was_trained_on_has_no_stretch_of_the_foreign_questions() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pretrain").glob("*.py"))
    assert "benchmarks" not in sources
    for name in NAMES:
        for item in read_questions(DATA / f"{name}_questions.jsonl"):
            text = item.text
            stretches = {text[at : at + STRETCH] for at in range(max(1, len(text) - STRETCH + 1))}
            assert not [stretch for stretch in stretches if len(stretch) == STRETCH and stretch in sources], text
