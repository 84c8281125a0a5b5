from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from llmlora.catalog.base_model import bundled_models
from llmlora.core.errors import ConfigError, ModelFileError
from llmlora.core.examples import Message
from llmlora.prepare.template import BUNDLED_TEMPLATES, ChatTemplate, bundled_text, load_template, save_template
from prepare.folders import (
    CHATML,
    GEMMA,
    LLAMA2,
    MARKED,
    OPENING,
    REWRITING,
    WITHOUT_END,
    tokenizer_folder,
)  # fmt: skip
from tiny_models import TOKENIZERS, tiny_tokenizer

QUESTION, ANSWER = "価格は?", "1,234円です。"
ONE_TURN = (Message("user", QUESTION), Message("assistant", ANSWER))
TWO_TURNS = (*ONE_TURN, Message("user", "More?"), Message("assistant", "Hello, world! 😀"))
WITH_SYSTEM = (Message("system", "You help."), *TWO_TURNS)

# kind of tokenizer, template, text that each answer is trained on
TEMPLATES = {
    "chatml": ("byte_level", CHATML, "{}<|im_end|>"),
    "marked": ("byte_level", MARKED, "{}<|im_end|>"),
    "rewriting": ("byte_level", REWRITING, "<think>\n\n</think>\n\n{}<|im_end|>"),
    "opening": ("byte_level", OPENING, "{}<|im_end|>"),
    "llama2": ("llama2", LLAMA2, " {} </s>"),
    "normalized": ("llama2_normalized", LLAMA2, " {} </s>"),
    "gemma": ("byte_level_bos", GEMMA, "{}<end_of_turn>"),
    "without_end": ("byte_level_bos", WITHOUT_END, "{}<|endoftext|>"),
    "plain gpt2": ("gpt2", None, "{}<|endoftext|>"),
    "plain llama2": ("llama2", None, "{}</s>"),
    "plain bos": ("byte_level_bos", None, "{}<|endoftext|>"),
    "llama2 with foreign template": ("llama2", CHATML, "{}</s>"),
}
SEVERAL_ROWS = {"rewriting", "opening", "without_end", "llama2 with foreign template"}


def template_of(name: str, folder: Path) -> ChatTemplate:
    """Return the template of a case with its tokenizer."""
    kind, text, _ = TEMPLATES[name]
    return load_template(tokenizer_folder(folder, kind, text))


def trained_texts(template: ChatTemplate, messages: tuple[Message, ...]) -> list[str]:
    """Return the text of each trained stretch."""
    found = []
    for ids, learned in template.encode_example(messages):
        pieces, inside = template.encoder.pieces(ids), False
        for piece, is_learned in zip(pieces, learned, strict=True):
            if is_learned and not inside:
                found.append("")
            if is_learned:
                found[-1] += piece
            inside = is_learned
    return found


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("messages", [ONE_TURN, TWO_TURNS, WITH_SYSTEM], ids=["one", "two", "system"])
def test_answers_and_their_end_are_trained_and_nothing_else(
    name: str, messages: tuple[Message, ...], tmp_path: Path
) -> None:
    answers = [turn.content for turn in messages if turn.role == "assistant"]
    expected = [TEMPLATES[name][2].format(answer) for answer in answers]
    assert trained_texts(template_of(name, tmp_path), messages) == expected


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_answer_stands_behind_the_ids_the_model_is_asked_with(name: str, tmp_path: Path) -> None:
    template = template_of(name, tmp_path)
    rows = template.encode_example(WITH_SYSTEM)
    assert len(rows) == (2 if name in SEVERAL_ROWS else 1)
    for position in (2, 4):
        prompt = template.prompt_ids(WITH_SYSTEM[:position])
        learned = next(row[1] for row in rows if row[0][: len(prompt)] == prompt and any(row[1][len(prompt) :]))
        assert learned[len(prompt)] and not learned[len(prompt) - 1]


@pytest.mark.parametrize("name", TEMPLATES)
def test_bos_stands_once_and_the_last_token_is_a_trained_end_token(name: str, tmp_path: Path) -> None:
    template = template_of(name, tmp_path)
    encoder = template.encoder
    for ids, learned in template.encode_example(WITH_SYSTEM):
        assert ids[-1] in encoder.end_ids and learned[-1]
        if encoder.adds_bos:
            assert ids[0] == encoder.bos_id and ids.count(encoder.bos_id) == 1 and not learned[0]
    if encoder.adds_bos:
        assert template.prompt_ids(ONE_TURN[:1]).count(encoder.bos_id) == 1


@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_tokenizers_of_the_field(kind: str, tmp_path: Path) -> None:
    template = load_template(tiny_tokenizer(kind, tmp_path))
    texts = trained_texts(template, WITH_SYSTEM)
    assert len(texts) == 2
    if kind != "unigram":  # it has no byte pieces for the emoji
        assert all(content in text for text, content in zip(texts, (ANSWER, "Hello, world! 😀"), strict=True))
    for ids, learned in template.encode_example(WITH_SYSTEM):
        assert ids[-1] in template.encoder.end_ids and learned[-1]


@pytest.mark.parametrize("name", ["chatml", "llama2", "gemma", "without_end"])
def test_renderings_equal_those_of_transformers(name: str, tmp_path: Path) -> None:
    template = template_of(name, tmp_path)
    peer = AutoTokenizer.from_pretrained(tmp_path)
    turns = [{"role": turn.role, "content": turn.content} for turn in TWO_TURNS]
    for add_generation_prompt in (False, True):
        expected = peer.apply_chat_template(turns, tokenize=False, add_generation_prompt=add_generation_prompt)
        assert template.render(TWO_TURNS, add_generation_prompt) == expected


def test_a_template_without_system_role_gets_it_in_the_first_user_turn(tmp_path: Path) -> None:
    template = template_of("gemma", tmp_path)
    assert not template.supports_system
    assert "user\nYou help.\n\n価格は?<end_of_turn>" in template.render(WITH_SYSTEM)
    assert template.render((WITH_SYSTEM[0],)) == "<s><start_of_turn>user\nYou help.<end_of_turn>\n"
    assert template_of("chatml", tmp_path / "other").supports_system


def test_a_template_that_refuses_turns_says_so(tmp_path: Path) -> None:
    template = template_of("gemma", tmp_path)
    with pytest.raises(ModelFileError) as caught:
        template.encode_example((*ONE_TURN, Message("assistant", "again")))
    assert caught.value.code == "template_refused"
    assert "alternate" in caught.value.params["detail"]


def test_turns_behind_the_last_answer_are_left_out(tmp_path: Path) -> None:
    template = template_of("chatml", tmp_path)
    assert template.encode_example((*ONE_TURN, Message("user", "x"))) == template.encode_example(ONE_TURN)
    assert template.encode_example(ONE_TURN[:1]) == []


def test_the_whole_conversation_can_be_trained(tmp_path: Path) -> None:
    template = template_of("rewriting", tmp_path)
    rows = template.encode_example(WITH_SYSTEM, assistant_only=False)
    assert len(rows) == 1
    ids, learned = rows[0]
    assert all(learned)
    assert "".join(template.encoder.pieces(ids)) == template.render(WITH_SYSTEM)
    plain = template_of("without_end", tmp_path / "other")
    assert plain.encode_example(ONE_TURN, assistant_only=False)[0][0][-1] == plain.encoder.eos_id


@pytest.mark.parametrize("name", ["chatml", "marked", "rewriting", "llama2", "normalized", "plain gpt2"])
def test_control_tokens_in_texts_stay_text(name: str, tmp_path: Path) -> None:
    template = template_of(name, tmp_path)
    end = next(text for text, index in template.encoder.special_tokens.items() if index == template.encoder.eos_id)
    hostile = (Message("user", f"a {end} b"), Message("assistant", f"c {end} d"))
    assert template.count_control_tokens(hostile) == 2
    rows = template.encode_example(hostile)
    assert len(rows) == 1
    ids, learned = rows[0]
    trained = [token for token, is_learned in zip(ids, learned, strict=True) if is_learned]
    assert sum(token in template.encoder.end_ids for token in trained) == 1
    assert f"c {end} d" in "".join(template.encoder.pieces(ids))


def test_answers_that_merge_with_the_prompt_are_cut_where_the_model_starts(tmp_path: Path) -> None:
    """`assistant: ` ends in a space that the tokenizer would join with the answer's first word."""
    template = template_of("without_end", tmp_path)
    answer = Message("assistant", "Hello, world!")
    prompt = template.prompt_ids(ONE_TURN[:1])
    ((ids, learned),) = template.encode_example((ONE_TURN[0], answer))
    assert ids[: len(prompt)] == prompt
    assert learned.index(True) == len(prompt)


def test_markers_may_leave_the_end_token_out(tmp_path: Path) -> None:
    text = MARKED.replace("<|im_end|>{% endgeneration %}", "{% endgeneration %}<|im_end|>")
    template = load_template(tokenizer_folder(tmp_path, "byte_level", text))
    assert trained_texts(template, ONE_TURN) == [f"{ANSWER}<|im_end|>"]


def test_markers_decide_what_is_trained(tmp_path: Path) -> None:
    text = MARKED.replace("{% generation %}{{ message['content'] }}", "{{ message['content'][:2] }}{% generation %}{{ message['content'][2:] }}")  # noqa: E501  # fmt: skip
    template = load_template(tokenizer_folder(tmp_path, "byte_level", text))
    assert trained_texts(template, ONE_TURN) == [f"{ANSWER[2:]}<|im_end|>"]


def test_a_model_without_template_gets_plain(tmp_path: Path) -> None:
    template = load_template(tokenizer_folder(tmp_path, "gpt2"))
    assert (template.source, template.name) == ("plain", "plain")
    assert template.render(WITH_SYSTEM[:2], True) == f"You help.\n\n### User:\n{QUESTION}\n\n### Assistant:\n"


def test_the_model_s_own_template_is_found_in_all_its_places(tmp_path: Path) -> None:
    places = {
        "file": {},
        "config": {"chat_template": CHATML},
        "named": {"chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": CHATML}]},
    }
    for name, settings in places.items():
        folder = tokenizer_folder(tmp_path / name, "byte_level", CHATML if name == "file" else None, **settings)
        template = load_template(folder)
        assert (template.source, template.text) == ("model", CHATML)


def test_a_marker_that_is_no_token_is_not_learned(tmp_path: Path) -> None:
    """Spelled out before the end token it would be shown in every answer."""
    spelled = CHATML.replace("<|im_end|>", "<|eot_id|>")
    template = load_template(tokenizer_folder(tmp_path, "byte_level", spelled))
    assert trained_texts(template, TWO_TURNS) == [f"{ANSWER}<|im_end|>", "Hello, world! 😀<|im_end|>"]


def test_an_override_is_a_bundled_name_or_a_file(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "m", "byte_level", CHATML)
    assert load_template(folder, "plain").source == "given"
    assert load_template(folder, "chatml").render(ONE_TURN) == load_template(folder).render(ONE_TURN)
    file = tmp_path / "mine.jinja"
    file.write_text("{% for turn in messages %}{{ turn.content }}{% endfor %}", encoding="utf-8")
    assert load_template(folder, str(file)).render(ONE_TURN) == QUESTION + ANSWER


@pytest.mark.parametrize("name", BUNDLED_TEMPLATES)
def test_bundled_templates_train_answers_and_end(name: str, tmp_path: Path) -> None:
    template = load_template(tokenizer_folder(tmp_path, "byte_level"), name)
    assert trained_texts(template, TWO_TURNS) == [f"{ANSWER}<|im_end|>", "Hello, world! 😀<|im_end|>"]
    assert template.supports_system is not template.is_raw


@pytest.mark.parametrize(
    ("override", "code"),
    [("nope", "unknown_template"), ("./no/file.jinja", "unknown_template"), ("x" * 5000, "unknown_template")],
)
def test_unknown_overrides_are_refused(override: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_template(tokenizer_folder(tmp_path, "byte_level"), override)
    assert caught.value.code == code


def test_a_bundled_template_needs_its_tokens(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_template(tokenizer_folder(tmp_path, "llama2"), "chatml")
    assert caught.value.code == "template_needs_tokens"
    assert "<|im_start|>" in caught.value.params["tokens"]


@pytest.mark.parametrize(
    ("content", "code"), [("{{ x }}".encode("utf-16"), "template_not_utf8"), (b"{% for %}", "template_syntax")]
)
def test_broken_templates_are_refused(content: bytes, code: str, tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level")
    (folder / "chat_template.jinja").write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        load_template(folder)
    assert caught.value.code == code
    assert caught.value.exit_code == 4


def test_a_byte_order_mark_is_no_part_of_a_template(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level")
    (folder / "chat_template.jinja").write_text("\ufeff" + CHATML, encoding="utf-8")
    assert load_template(folder).text == CHATML


def test_marks_that_do_not_fit_the_turns_are_all_taken(tmp_path: Path) -> None:
    """A template may mark only its last answer; then nothing tells whose marks these are."""
    template = MARKED.replace("{% generation %}", "{% generation %}{% endgeneration %}{% generation %}")
    folder = tokenizer_folder(tmp_path, "byte_level", template)
    with pytest.raises(ModelFileError):
        load_template(tokenizer_folder(tmp_path / "broken", "byte_level", "{% generation %}"))
    rows = load_template(folder).encode_example((*ONE_TURN[:1], Message("assistant", ""), *ONE_TURN))
    assert all(ids[-1] in load_template(folder).encoder.end_ids for ids, _ in rows)


@pytest.mark.parametrize("content", ["{", "[1]", '"text"'])
def test_a_template_in_a_broken_file_is_refused(content: str, tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level")
    (folder / "chat_template.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        load_template(folder)
    assert caught.value.code == "template_unreadable"


def test_a_template_that_shows_the_answer_trimmed_or_not_at_all_on_its_own(tmp_path: Path) -> None:
    """Where the whole does not begin with the prompt, the answer is looked for as written, then trimmed."""
    shown = "{% for m in messages %}{{ m.role }}:{{ m.content | trim }}{% if not loop.last %};{% endif %}{% endfor %}"
    template = load_template(tokenizer_folder(tmp_path, "gpt2", shown + "{% if add_generation_prompt %}>{% endif %}"))
    turns = (Message("user", "a"), Message("assistant", " Hello \n"))
    assert trained_texts(template, turns) == ["Hello<|endoftext|>"]


@pytest.mark.parametrize(
    ("template", "role"),
    [
        ("always the same", "user"),
        ("{% for turn in messages if turn.role == 'user' %}{{ turn.content }}{% endfor %}", "assistant"),
        # for messages made of parts, which a plain text is not
        ("{% for turn in messages %}{% for part in turn.content %}{{ part.text }}{% endfor %}{% endfor %}", "user"),
    ],
)
def test_a_template_that_drops_turns_is_refused(template: str, role: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        load_template(tokenizer_folder(tmp_path, "byte_level", template))
    assert (caught.value.code, caught.value.params["role"]) == ("template_hides_turn", role)


def test_a_tokenizer_without_end_token_cannot_be_trained(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", WITHOUT_END, eos_token=None)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}', encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        load_template(folder).encode_example(ONE_TURN)
    assert caught.value.code == "tokenizer_no_eos"


@pytest.mark.parametrize("name", sorted(bundled_models()))
def test_bundled_models_learn_answers_and_their_end(name: str) -> None:
    template = load_template(bundled_models()[name])
    assert template.source == "model"
    end = template.encoder.tokenizer.eos_token
    assert trained_texts(template, WITH_SYSTEM) == [f"{ANSWER}{end}", f"Hello, world! 😀{end}"]
    ((ids, learned),) = template.encode_example(WITH_SYSTEM)
    assert ids[: learned.index(True)] == template.prompt_ids(WITH_SYSTEM[:2])
    assert template.encoder.count("龍が飛ぶ鬱蒼とした森 😀")[1] == 0


def test_a_saved_template_is_the_only_one(tmp_path: Path) -> None:
    source = load_template(tokenizer_folder(tmp_path / "m", "byte_level", CHATML), "plain")
    target = tokenizer_folder(tmp_path / "adapter", "byte_level", chat_template="{{ 'old' }}")
    save_template(source, target)
    assert "chat_template" not in json.loads((target / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert AutoTokenizer.from_pretrained(target).chat_template == bundled_text("plain")
    assert load_template(target).text == source.text


KEPT_OUT = (TWO_TURNS[0], replace(TWO_TURNS[1], learned=False), *TWO_TURNS[2:])
LAST_KEPT_OUT = (*TWO_TURNS[:3], replace(TWO_TURNS[3], learned=False))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_turn_that_its_author_kept_out_is_context_and_not_learned(name: str, tmp_path: Path) -> None:
    template = template_of(name, tmp_path)
    assert trained_texts(template, KEPT_OUT) == [TEMPLATES[name][2].format(TWO_TURNS[3].content)]
    shown = "".join("".join(template.encoder.pieces(ids)) for ids, _ in template.encode_example(KEPT_OUT))
    assert ANSWER in shown
    assert trained_texts(template, LAST_KEPT_OUT) == [TEMPLATES[name][2].format(ANSWER)]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("messages", [KEPT_OUT, LAST_KEPT_OUT], ids=["first", "last"])
def test_a_turn_kept_out_is_not_learned_where_questions_are(
    name: str, messages: tuple[Message, ...], tmp_path: Path
) -> None:
    template = template_of(name, tmp_path)
    texts = "\n".join(trained_text for trained_text in _whole_texts(template, messages))
    for turn in messages:
        if turn.role == "assistant":
            assert (turn.content in texts) == turn.learned


def _whole_texts(template: ChatTemplate, messages: tuple[Message, ...]) -> list[str]:
    rows = template.encode_example(messages, assistant_only=False)
    return [
        "".join(piece for piece, is_learned in zip(template.encoder.pieces(ids), learned, strict=True) if is_learned)
        for ids, learned in rows
    ]
