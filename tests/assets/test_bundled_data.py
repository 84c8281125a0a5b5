"""The bundled datasets, questions and general texts are complete, consistent and of a stated licence."""

import json
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from llmlora.core.examples import Message
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.evaluation.facts.extract import askable_facts, contains_fact, extract_facts
from llmlora.evaluation.measuring.quality import terms_of
from llmlora.evaluation.measuring.questions import Question

ASSETS = Path(str(resources.files("llmlora"))) / "assets"
LEVELS = {"level1_basic_qa": 5, "level2_practical_knowledge": 20, "level3_advanced_medical": 20}
SAMPLES = {
    "sample_training_data.jsonl": (20, "text"),
    "sample_chat_data.jsonl": (12, "messages"),
    "sample_code_data.jsonl": (15, "messages"),
    "customer_support.jsonl": (56, "messages"),
    "support_en.jsonl": (10, "messages"),
}
LEVEL1_LONGEST_ANSWER = 40


def dataset(name):
    return json.loads((ASSETS / "datasets" / f"{name}.json").read_text(encoding="utf-8"))


def lines(folder, name):
    text = (ASSETS / folder / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def general():
    return lines("forgetting", "general")


@pytest.mark.parametrize(("name", "rows"), LEVELS.items())
def test_level_has_its_rows_and_no_duplicates(name, rows):
    data = dataset(name)
    assert len(data) == rows
    assert all(set(row) == {"instruction", "output"} for row in data)
    assert len({row["instruction"] for row in data}) == rows
    assert len({row["output"] for row in data}) == rows


@pytest.mark.parametrize("name", LEVELS)
def test_questions_ask_every_row_in_three_wordings(name):
    questions = lines("questions", name)
    assert [(item["prompt"], item["reference"]) for item in questions] == [
        (row["instruction"], row["output"]) for row in dataset(name)
    ]
    wordings = [text for item in questions for text in (item["prompt"], *item["paraphrases"])]
    assert all(len(item["paraphrases"]) == 2 for item in questions)
    assert len(set(wordings)) == len(wordings) == 3 * len(questions)


@pytest.mark.parametrize("name", LEVELS)
def test_every_reference_has_a_fact_that_no_wording_gives_away(name):
    for item in lines("questions", name):
        for wording in (item["prompt"], *item["paraphrases"]):
            assert askable_facts(item["reference"], wording) == askable_facts(item["reference"], item["prompt"])
        assert askable_facts(item["reference"], item["prompt"]), item["reference"]


@pytest.mark.parametrize("name", [*LEVELS, "support_en"])
def test_every_question_lists_terms_that_stand_in_its_reference(name):
    """Else term accuracy would be a dash on the bundled data; two medical references are numbers and nothing else."""
    questions = lines("questions", name)
    for item in questions:
        listed = tuple(item.get("terms", ()))
        asked = Question(1, item["reference"], (Message("user", item["prompt"]),), terms=listed)
        assert {term.text for term in terms_of(asked)} >= set(listed), item["reference"]
    assert sum("terms" in item for item in questions) >= 0.9 * len(questions)


@pytest.mark.parametrize("name", LEVELS)
def test_no_answer_serves_another_question(name):
    """Else an answer that learned nothing but the commonest one would count as right."""
    rows = dataset(name)
    for row in rows:
        facts = askable_facts(row["output"], row["instruction"])
        others = [other["output"] for other in rows if other is not row]
        assert not any(all(contains_fact(other, fact) for fact in facts) for other in others), row["output"]


def test_level1_answers_are_short():
    assert max(len(row["output"]) for row in dataset("level1_basic_qa")) <= LEVEL1_LONGEST_ANSWER


@pytest.mark.parametrize(("name", "rows", "kind"), [(name, *rest) for name, rest in SAMPLES.items()])
def test_sample_is_read_without_options(name, rows, kind):
    examples = list(iter_examples(ASSETS / "datasets" / name, ReadOptions()))
    assert len(examples) == rows
    assert all(getattr(example, kind) for example in examples)
    assert len({repr(example.to_dict()) for example in examples}) == rows


def test_chat_sample_has_conversations_of_several_turns():
    for conversation in lines("datasets", "sample_chat_data"):
        roles = [turn["role"] for turn in conversation["messages"]]
        spoken = roles[1:] if roles[0] == "system" else roles
        assert spoken == ["user", "assistant"] * (len(spoken) // 2)
        assert len(spoken) >= 4


def test_code_sample_compiles_where_it_is_a_whole_function():
    functions = [row["output"] for row in lines("datasets", "sample_code_data") if row["output"].startswith("def ")]
    assert len(functions) >= 8
    for function in functions:
        compile(function, "<sample>", "exec")


def test_customer_support_is_mostly_facts():
    rows = lines("datasets", "customer_support")
    with_facts = [row for row in rows if askable_facts(row["output"], row["instruction"])]
    assert len(with_facts) >= 50
    assert sum(any(fact.kind == "price" for fact in extract_facts(row["output"])) for row in rows) >= 15


def test_general_texts_are_many_varied_and_all_different():
    items = general()
    assert len(items) >= 300
    assert len({json.dumps(item.get("messages") or item["text"]) for item in items}) == len(items)
    groups = Counter((item["lang"], item["kind"]) for item in items)
    assert {lang for lang, _ in groups} == {"ja", "en"}
    assert min(groups.values()) >= 5
    assert all(("messages" in item) != ("text" in item) for item in items)


def test_general_conversations_end_with_an_answer():
    for item in general():
        if "messages" in item:
            assert item["messages"][-1]["role"] == "assistant"
            assert all(turn["content"].strip() for turn in item["messages"])


def test_general_texts_share_no_question_with_the_datasets():
    asked = {row["instruction"] for name in LEVELS for row in dataset(name)}
    asked |= {row["instruction"] for row in lines("datasets", "customer_support")}
    for item in general():
        assert not asked & {turn["content"] for turn in item.get("messages", [])}


def test_licence_and_medical_disclaimer_are_stated():
    readme = (ASSETS / "datasets" / "README.md").read_text(encoding="utf-8")
    assert "CC0-1.0" in readme
    meta = json.loads((ASSETS / "datasets" / "level3_advanced_medical.meta.json").read_text(encoding="utf-8"))
    assert meta["license"] == "CC0-1.0"
    assert meta["purpose"] == "education-only"
    assert meta["rows"] == len(dataset("level3_advanced_medical"))
    assert "医師" in meta["disclaimer"]["ja"]
    assert "doctor" in meta["disclaimer"]["en"]
    for name in [*SAMPLES, *(f"{level}.json" for level in LEVELS)]:
        assert name in readme


def test_every_bundled_file_is_valid_utf8_with_unix_line_ends():
    files = [path for folder in ("datasets", "questions", "forgetting") for path in (ASSETS / folder).iterdir()]
    assert len(files) >= 13
    for path in files:
        raw = path.read_bytes()
        assert raw.decode("utf-8").endswith("\n"), path.name
        assert b"\r" not in raw
        assert not raw.startswith(b"\xef\xbb\xbf")
