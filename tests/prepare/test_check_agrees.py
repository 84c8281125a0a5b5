"""A check with a model and training itself agree on every row: what is taken, what is cut, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmlora.core.errors import DatasetError
from llmlora.core.examples import Example, Message
from llmlora.prepare.count import RowCounter
from llmlora.prepare.dataset import IGNORED, PrepareOptions, prepare_examples
from llmlora.prepare.preview import preview_rows
from llmlora.prepare.template import ChatTemplate, load_template
from llmlora.weights.base import open_folder
from prepare.folders import CHATML, GEMMA, LLAMA2, REWRITING, tokenizer_folder

TEXTS = st.text("ab 東京。です😀\n<|im_end|>\u3099<s>[INST]</s>", min_size=1, max_size=30).filter(
    lambda text: text.strip()
)
CHATS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3).map(
    lambda pairs: tuple(
        turn for question, answer in pairs for turn in (Message("user", question), Message("assistant", answer))
    )
)


def with_marks(turns: tuple[Message, ...], marks: list[bool]) -> tuple[Message, ...]:
    """Keep some turns out of training, but never the last answer."""
    kept = (replace(turn, learned=mark) for turn, mark in zip(turns[:-1], marks, strict=False))
    return (*kept, *turns[len(marks) : -1], turns[-1])


EXAMPLES = st.one_of(
    st.builds(lambda turns: Example(1, 1, turns), CHATS),
    st.builds(lambda turns, marks: Example(1, 1, with_marks(turns, marks)), CHATS, st.lists(st.booleans(), max_size=5)),
    st.builds(lambda turns, system: Example(1, 1, (Message("system", system), *turns)), CHATS, TEXTS),
    st.builds(lambda prompt, completion: Example(1, 1, prompt=prompt, completion=completion), TEXTS, TEXTS),
    st.builds(lambda text: Example(1, 1, text=f"b a {text}"), TEXTS),
)
KINDS = {
    "chatml": ("byte_level", CHATML),
    "gemma": ("byte_level_bos", GEMMA),
    "llama2": ("llama2", LLAMA2),
    "rewriting": ("byte_level", REWRITING),
}
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=KINDS)
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[ChatTemplate, Path]:
    """A template and the folder it is in."""
    kind, text = KINDS[request.param]
    folder = tokenizer_folder(tmp_path_factory.mktemp(request.param), kind, text)
    return load_template(folder), folder


@QUICK
@given(example=EXAMPLES, max_length=st.integers(8, 80))
def test_what_a_check_says_is_what_training_does(
    template: tuple[ChatTemplate, Path], example: Example, max_length: int
) -> None:
    counted = RowCounter(template[0], max_length)(example)
    try:
        prepared = prepare_examples([example], open_folder(template[1]), PrepareOptions(max_length))
    except DatasetError as failure:
        assert counted.refusal is not None
        assert counted.refusal.code == failure.code
        assert counted.refusal.params.get("needed") == failure.params.get("needed")
        return
    assert counted.refusal is None
    assert (counted.num_tokens > max_length) == (prepared.num_truncated > 0)
    if not prepared.num_truncated:
        assert counted.num_tokens == max(prepared.lengths)


@QUICK
@given(example=EXAMPLES, max_length=st.integers(12, 80))
def test_every_row_ends_with_what_stops_the_model(
    template: tuple[ChatTemplate, Path], example: Example, max_length: int
) -> None:
    encoder = template[0].encoder
    try:
        prepared = prepare_examples([example], open_folder(template[1]), PrepareOptions(max_length))
    except DatasetError:
        return
    for index in range(len(prepared)):
        ids, labels = (values.tolist() for values in prepared.row(index))
        assert len(ids) <= max_length
        assert ids[-1] == labels[-1]
        assert ids[-1] in encoder.end_ids or (example.text is not None and index + 1 < len(prepared))
        assert labels[0] == IGNORED
        learned = [token for token in labels if token != IGNORED]
        assert any(token not in encoder.end_ids for token in learned)
        if encoder.adds_bos:
            assert ids[0] == encoder.bos_id and ids.count(encoder.bos_id) == 1


@QUICK
@given(example=EXAMPLES)
def test_the_preview_never_shows_other_text_than_the_row(template: tuple[ChatTemplate, Path], example: Example) -> None:
    prepared = prepare_examples([example], open_folder(template[1]), PrepareOptions(4096))
    encoder = template[0].encoder
    for row, index in zip(preview_rows(prepared, encoder.tokenizer, 9), range(len(prepared)), strict=True):
        ids, labels = (values.tolist() for values in prepared.row(index))
        assert [token["id"] for token in row["tokens"]] == ids
        assert [token["state"] == "trained" for token in row["tokens"]] == [label != IGNORED for label in labels]
        text = "".join(token["text"] for token in row["tokens"])
    answers = [turn.content for turn in example.messages if turn.role == "assistant"]
    last = answers[-1] if answers else example.completion or example.text or ""
    assert last.strip() in text, "the last row ends with the last answer"
