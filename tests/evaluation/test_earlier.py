"""What was taught before, asked again: which facts are lost, and what was never known is not."""

import pytest

from llmlora.core.evaluation_words import earlier_text
from llmlora.core.examples import Message
from llmlora.core.job import DataSource, Replay
from llmlora.core.locale import set_language
from llmlora.core.publish import sha256_file
from llmlora.evaluation.measuring.answers import Answer
from llmlora.evaluation.measuring.earlier import earlier_questions, earlier_report
from llmlora.evaluation.measuring.questions import Question
from services.train_requests import made

ASKED = tuple(
    Question(row, f"{row}00円です。", (Message("user", f"商品{row}の値段は？"),)) for row in (1, 2, 3)
)  # fmt: skip


def answers(*texts):
    return tuple(Answer(text, True, 3, 0.1, 5) for text in texts)


def test_a_fact_that_the_base_gave_and_the_result_does_not_is_lost():
    before = answers("100円です。", "200円です。", "わかりません。")
    after = answers("100円です。", "500円です。", "わかりません。")
    found = earlier_report("shop", ASKED, before, after)
    assert (found["num_questions"], found["num_facts"], found["num_before"], found["num_after"]) == (3, 3, 2, 1)
    assert [(entry["row"], entry["answer"]) for entry in found["lost"]] == [(2, "500円です。")]
    set_language("en")
    assert earlier_text(found) == "Taught before (shop): 1 of 3 facts answered (2 before training). 1 are lost."


def test_a_base_that_knew_nothing_of_it_excuses_nothing():
    unknown = answers("はい。", "はい。", "はい。")
    found = earlier_report("shop", ASKED, unknown, answers("100円です。", "200円です。", "はい。"))
    assert [entry["row"] for entry in found["lost"]] == [3]
    assert earlier_report("shop", ASKED, unknown, answers("100円", "200円", "300円"))["lost"] == []


@pytest.mark.parametrize("is_changed", [False, True])
def test_the_questions_are_those_of_the_earlier_data_while_it_is_the_same(is_changed, place, tmp_path):
    from llmlora.core.job import read_job

    job = read_job(made(place, tmp_path))
    path = place / "data.jsonl"
    source = DataSource(path=str(path), sha256=sha256_file(path))
    job = job.model_copy(update={"replay": Replay(name="x", data=source, share=0.3, num_rows=2)})
    if is_changed:
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert len(earlier_questions(job)) == (0 if is_changed else 5)
    assert earlier_questions(job.model_copy(update={"replay": None})) == ()
