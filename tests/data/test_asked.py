from __future__ import annotations

import pytest

from llmlora.core.examples import Example, Message
from llmlora.data.asked import Asked, asked_of, asks_with_text_alone

USER, ANSWER = Message("user", "u"), Message("assistant", "a")


def test_a_prompt_is_asked_as_it_stands() -> None:
    row = Example(1, 1, prompt="\n 質問: 休みは？ \n", completion=" 水曜日です。\n")
    assert asked_of(row, "system") == Asked((Message("user", "\n 質問: 休みは？ \n"),), "水曜日です。")


def test_a_conversation_is_asked_as_training_shows_it() -> None:
    row = Example(1, 1, messages=(USER, ANSWER, USER, ANSWER))
    assert asked_of(row) == Asked((USER,), "a")
    assert asked_of(row, "s") == Asked((Message("system", "s"), USER), "a")
    own = Example(1, 1, messages=(Message("system", "own"), USER, ANSWER))
    assert asked_of(own, "s") == Asked((Message("system", "own"), USER), "a")


@pytest.mark.parametrize(
    "row",
    [
        Example(1, 1, prompt="", completion="x"),
        Example(1, 1, text="ただの文章です。"),
        Example(1, 1, messages=(ANSWER, USER)),
        Example(1, 1, messages=(USER,)),
    ],
)
def test_rows_without_a_question_ask_nothing(row: Example) -> None:
    assert asked_of(row) is None


def test_a_door_that_shows_more_than_the_last_text_is_seen() -> None:
    assert asks_with_text_alone(lambda turns: turns[-1].content)
    assert asks_with_text_alone(lambda turns: f"<s>{turns[-1].content}", "<s>")
    assert not asks_with_text_alone(lambda turns: "".join(turn.content for turn in turns))
    assert not asks_with_text_alone(lambda turns: turns[-1].content.strip())
