"""Questions gathered while chatting: a file that evaluations read, one line each, never half of one."""

import json
import threading

import pytest

from llmlora.core.errors import Conflict, InputError
from llmlora.core.layout import questions_file
from llmlora.services import kept_questions
from llmlora.services.kept_questions import add_question
from llmlora.services.kept_questions import kept_questions as questions_of


def lines(home):
    return questions_file(home).read_text(encoding="utf-8").split("\n")


def test_without_a_file_there_are_none(home):
    assert questions_of(home) == []
    assert not questions_file(home).exists()


def test_questions_stand_in_the_order_they_came(home):
    assert [add_question(home, prompt, "a") for prompt in "cab"] == [1, 2, 3]
    assert [question["prompt"] for question in questions_of(home)] == list("cab")
    assert lines(home)[-1] == ""


def test_other_wordings_are_kept_where_there_are_any(home):
    add_question(home, "a", "b", ["c", "d"])
    add_question(home, "e", "f")
    assert questions_of(home) == [
        {"prompt": "a", "reference": "b", "paraphrases": ["c", "d"]},
        {"prompt": "e", "reference": "f"},
    ]


def test_the_same_again_changes_nothing_and_another_answer_is_another_question(home):
    assert [add_question(home, "a", reference) for reference in ("b", "b", "c")] == [1, 1, 2]


@pytest.mark.parametrize("text", ["一行目\n二行目", "a\u2028b\u2029c\x85d", '"引用"', "\\", "😀", "\t"])
def test_any_text_comes_back_as_it_was(home, text):
    add_question(home, text, text)
    add_question(home, "last", "one")
    assert questions_of(home)[0] == {"prompt": text, "reference": text}
    assert len(lines(home)) == 3


def test_a_file_that_somebody_wrote_is_gone_on_with(home):
    given = {"messages": [{"role": "user", "content": "a"}], "reference": "b", "system": "c"}
    questions_file(home).write_text(f"\n{json.dumps(given)}\n\n", encoding="utf-8")
    assert add_question(home, "d", "e") == 2
    assert questions_of(home) == [given, {"prompt": "d", "reference": "e"}]


@pytest.mark.parametrize("content", ["{", '{"prompt": "a"}\nrubbish\n', "\x00"])
def test_a_damaged_file_is_named_and_left_alone(home, content):
    questions_file(home).write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        add_question(home, "a", "b")
    assert (refused.value.code, refused.value.params["path"]) == ("questions_damaged", str(questions_file(home)))
    assert questions_file(home).read_text(encoding="utf-8") == content


def test_there_is_an_end(home, monkeypatch):
    monkeypatch.setattr(kept_questions, "MOST_QUESTIONS", 2)
    add_question(home, "a", "b")
    add_question(home, "c", "d")
    with pytest.raises(Conflict):
        add_question(home, "e", "f")
    assert add_question(home, "c", "d") == 2


def test_many_at_once_lose_none(home):
    barrier = threading.Barrier(8)

    def add(number):
        barrier.wait()
        for index in range(5):
            add_question(home, f"{number}-{index}", "a")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({question["prompt"] for question in questions_of(home)}) == 40
