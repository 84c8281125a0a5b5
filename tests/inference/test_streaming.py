"""Pieces of a reply: whole characters, no stop text, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.inference.streaming import TextStream


def streamed(states: list[str], stop: tuple[str, ...] = ()) -> tuple[list[str], str]:
    pieces: list[str] = []
    stream = TextStream(stop, pieces.append)
    for state in states:
        if stream.update(state):
            break
    return pieces, stream.finish()


def test_half_a_character_is_held_back():
    pieces, text = streamed(["日", "日\ufffd", "日\ufffd", "日本"])
    assert pieces == ["日", "本"]
    assert text == "日本"


def test_a_character_that_stays_broken_is_shown_at_the_end():
    pieces, text = streamed(["a", "a\ufffd"])
    assert "".join(pieces) == text == "a\ufffd"


def test_stop_text_and_its_beginning_are_never_shown():
    pieces, text = streamed(["abc", "abc#", "abc##", "abc###", "abc###def"], ("###",))
    assert "".join(pieces) == text == "abc"


def test_what_only_looked_like_a_stop_text_is_shown():
    pieces, text = streamed(["x#", "x##", "x##y"], ("###",))
    assert "".join(pieces) == text == "x##y"


def test_earliest_of_several_stop_texts_wins():
    assert streamed(["one STOP two END"], ("END", "STOP"))[1] == "one "


@given(st.text(max_size=40), st.lists(st.integers(1, 5), max_size=40), st.sampled_from([(), ("ab",), ("a", "ba")]))
def test_pieces_always_add_up_to_the_reply(text: str, steps: list[int], stop: tuple[str, ...]):
    ends = [sum(steps[: index + 1]) for index in range(len(steps))]
    pieces, whole = streamed([text[:end] for end in ends] + [text], stop)
    assert "".join(pieces) == whole
    assert not any(word in whole for word in stop)


@pytest.mark.parametrize("stop", [(), ("",)])
def test_empty_stop_texts_stop_nothing(stop: tuple[str, ...]):
    assert streamed(["a", "ab"], stop)[1] == "ab"
