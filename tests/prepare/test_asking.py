"""A model is asked as it was trained: with exactly the tokens that stood before the answer in its training row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from llmlora.core.examples import Example, Message
from llmlora.gguf.tokenizer import ChatFormat
from llmlora.prepare.asking import asking_remarks, asking_template, chat_format, with_turn_end
from llmlora.prepare.dataset import IGNORED, PreparedDataset, PrepareOptions, prepare_examples
from llmlora.prepare.template import ChatTemplate, load_template, save_template
from llmlora.prepare.tokenizer import save_tokenizer
from llmlora.weights.base import open_folder
from tiny_models import CHATML, TOKENIZERS, tiny_tokenizer

pytestmark = pytest.mark.usefixtures("home")
PROMPTS = ("営業時間は？", "Price: ", "質問: 会議はいつですか。\n回答:", "a line\n", "\n two  spaces")
RAW = {"num_raw": 1, "num_examples": 1}


def prepared(folder: Path, *examples: Example, **options: str) -> PreparedDataset:
    return prepare_examples(examples, open_folder(folder), PrepareOptions(256, **options))


def published(folder: Path, facts: dict[str, int], target: Path) -> ChatTemplate:
    """Return the template that the folder of a trained model has."""
    save_tokenizer(folder, target)
    save_template(asking_template(load_template(folder), facts), target)
    return load_template(target)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_prompt_is_asked_with_the_tokens_it_was_learned_with(kind: str, tmp_path: Path) -> None:
    base = tiny_tokenizer(kind, tmp_path / "base")
    rows = [Example(number, number, prompt=text, completion="はい。") for number, text in enumerate(PROMPTS, 1)]
    data = prepared(base, *rows)
    template = published(base, data.facts, tmp_path / "adapter")
    assert template.is_raw
    for index, text in enumerate(PROMPTS):
        ids, labels = (values.tolist() for values in data.row(index))
        learned = [token for token, label in zip(ids, labels, strict=True) if label == IGNORED]
        assert template.prompt_ids([Message("user", text)]) == learned
        assert ids[-1] == template.turn_end_id


@pytest.mark.parametrize("kind", ["byte_level", "llama3", "gemma"])
def test_bare_transformers_ask_the_same(kind: str, tmp_path: Path) -> None:
    base = tiny_tokenizer(kind, tmp_path / "base")
    template = published(base, RAW, tmp_path / "adapter")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "adapter")
    for text in PROMPTS:
        asked = tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True)
        assert list(asked["input_ids"]) == template.prompt_ids([Message("user", text)])


def test_each_question_stands_alone_without_system_message(tmp_path: Path) -> None:
    template = published(tiny_tokenizer("byte_level", tmp_path / "base"), RAW, tmp_path / "adapter")
    turns = [Message("system", "s"), Message("user", "1"), Message("assistant", "2"), Message("user", " 3\n")]
    assert template.render(turns, add_generation_prompt=True) == " 3\n"
    assert template.prompt_ids(turns) == template.prompt_ids(turns[-1:])


def test_conversations_are_asked_through_their_template(tmp_path: Path) -> None:
    base = tiny_tokenizer("byte_level", tmp_path / "base")
    chat = Example(1, 1, messages=(Message("user", "a"), Message("assistant", "b")))
    raw = Example(2, 2, text="営業時間は午前10時からです。")
    for rows in ([chat], [chat, raw]):
        template = published(base, prepared(base, *rows).facts, tmp_path / "adapter")
        assert template.text == load_template(base).text


def test_a_model_that_is_asked_raw_can_learn_conversations(tmp_path: Path) -> None:
    """A fully trained model is a base itself: each answer of its next data follows its question alone."""
    template = published(tiny_tokenizer("byte_level", tmp_path / "base"), RAW, tmp_path / "model")
    talk = [Message("user", "1"), Message("assistant", "one"), Message("user", "2"), Message("assistant", "two")]
    rows = ["".join(template.encoder.pieces(ids)) for ids, _ in template.encode_example(talk)]
    assert rows == ["1one<|im_end|>", "2two<|im_end|>"]
    told = Example(1, 1, messages=(Message("system", "s"), *talk))
    assert prepared(tmp_path / "model", told).facts["num_system_unused"] == 1


def test_a_system_setting_for_raw_rows_is_counted_as_unused(tmp_path: Path) -> None:
    base = tiny_tokenizer("byte_level", tmp_path / "base")
    facts = prepared(base, Example(1, 1, text="a b"), Example(2, 2, prompt="a", completion="b"), system="s").facts
    assert (facts["num_raw"], facts["num_system_unused"]) == (2, 2)


def test_going_on_from_an_adapter_that_was_asked_differently_is_told(tmp_path: Path) -> None:
    base = tiny_tokenizer("byte_level", tmp_path / "base")
    raw = published(base, RAW, tmp_path / "adapter")
    assert asking_remarks(raw, tmp_path / "adapter") == asking_remarks(raw, None) == []
    ((kind, code, _),) = asking_remarks(load_template(base), tmp_path / "adapter")
    assert (kind, code) == ("warning", "asked_differently")


TURN = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + END }}{% endfor %}"
)
OPENING = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
ENDS = {
    "another token than eos": ("'<|endoftext|>'", "<|endoftext|>"),
    "several tokens": ("'<|im_end|><|endoftext|>\n'", "<|im_end|>"),
    "the variable": ("eos_token", "<|im_end|>"),
    "no end": ("'\n\n'", "<|im_end|>"),
    "no token of the vocabulary": ("'<|eot_id|>'", "<|im_end|>"),
    "an end token of others in the text only": ("'\n' }}{# never <|endoftext|> #}{{ ''", "<|im_end|>"),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_end_of_a_turn_is_the_token_that_the_labels_end_with(name: str, tmp_path: Path) -> None:
    end, expected = ENDS[name]
    text = TURN.replace("END", end) + OPENING
    folder = tiny_tokenizer("byte_level", tmp_path, chat_template=text)
    template = load_template(folder)
    data = prepared(folder, Example(1, 1, messages=(Message("user", "a"), Message("assistant", "b"))))
    last = int(data.row(0)[1][-1])
    assert template.turn_end_id == last == template.encoder.special_tokens[expected]
    assert chat_format(template) == ChatFormat(text, last)


def test_a_template_that_wants_a_system_turn_tells_its_end(tmp_path: Path) -> None:
    text = "{% if messages[0]['role'] != 'system' %}{{ raise_exception('no system') }}{% endif %}" + TURN + OPENING
    folder = tiny_tokenizer("byte_level", tmp_path, chat_template=text.replace("END", "'<|endoftext|>'"))
    template = load_template(folder)
    assert template.turn_end_id == template.encoder.special_tokens["<|endoftext|>"]


@pytest.mark.parametrize("home", ["file", "settings", "given"])
def test_a_byte_order_mark_is_no_part_of_a_template(home: str, tmp_path: Path) -> None:
    folder = tiny_tokenizer("byte_level", tmp_path / "base", chat_template=None)
    if home == "settings":
        document = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        text = json.dumps({**document, "chat_template": "\ufeff" + CHATML})
        (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
    path = folder / "chat_template.jinja" if home == "file" else tmp_path / "own.jinja"
    path.write_text(CHATML, encoding="utf-8-sig")
    template = load_template(folder, str(path) if home == "given" else None)
    assert template.text == CHATML
    assert template.render([Message("user", "a")]).startswith("<|im_start|>user")
    save_template(template, tmp_path)
    assert (tmp_path / "chat_template.jinja").read_bytes() == CHATML.encode()


@pytest.mark.parametrize(
    ("stated", "ends"), [(None, 7), (7, 7), (3, [7, 3]), ([3, 7], [3, 7]), ([3, 4], [7, 3, 4]), ([], 7)]
)
def test_the_end_of_a_turn_joins_the_end_tokens_of_the_base(stated: int | list[int] | None, ends: object) -> None:
    assert with_turn_end(stated, 7) == ends
