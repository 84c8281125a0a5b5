"""The training text: deterministic, varied, and written exactly as the chat template of the bundled model writes it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from llmlora.core.examples import Message
from llmlora.prepare.template import load_template
from pretrain import documents_en, documents_ja
from pretrain.corpus import CHAT_TEMPLATE, END_OF_TEXT, TURN_END, documents, render, texts
from pretrain.lexicon import Words

NANO = Path(__file__).parents[2] / "src/llmlora/assets/models/nano"
GENERATORS = [make for _, make in [*documents_ja.GENERATORS, *documents_en.GENERATORS]]


def test_the_same_seed_gives_the_same_text_and_another_seed_another() -> None:
    first, again, other = (list(texts(seed, 20_000)) for seed in (5, 5, 6))
    assert first == again
    assert first != other
    assert sum(len(text.encode()) for text in first) >= 20_000


def test_documents_hardly_ever_repeat_and_a_fifth_is_english() -> None:
    found = list(islice(texts(7, 10**9), 4000))
    bytes_all = sum(len(text.encode()) for text in found)
    english = sum(len(text.encode()) for text in found if text.isascii())
    assert 0.12 < english / bytes_all < 0.3
    assert len(set(found)) / len(found) > 0.9


@pytest.mark.parametrize("generate", GENERATORS, ids=lambda make: f"{make.__module__.split('_')[-1]}-{make.__name__}")
def test_every_conversation_ends_with_an_answer_and_every_document_has_an_end(generate: object) -> None:
    words = Words(3)
    for _ in range(50):
        document = generate(words)  # type: ignore[operator]
        text = render(document)
        assert "{" not in text.replace("{}", "") or generate is documents_ja.copying  # no slot is left open
        assert text.endswith(END_OF_TEXT)
        if isinstance(document, str):
            assert text.endswith(TURN_END + END_OF_TEXT)
            continue
        roles = [role for role, _ in document]
        turns = roles[1:] if roles[0] == "system" else roles
        assert turns == ["user", "assistant"] * (len(turns) // 2)
        assert all(content.strip() for _, content in document)


def test_the_bundled_template_is_the_one_of_the_training_text() -> None:
    assert (NANO / "chat_template.jinja").read_text(encoding="utf-8") == CHAT_TEMPLATE
    template = load_template(NANO, None)
    conversations = (document for document in documents(9) if not isinstance(document, str))
    for turns in islice(conversations, 100):
        messages = [Message(role, content) for role, content in turns]
        assert template.render(messages) + END_OF_TEXT == render(turns)
