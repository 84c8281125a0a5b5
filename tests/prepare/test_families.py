"""The families of templates people train: what is learned is the answer and its end, what is asked is what chat asks.

The templates are written here, as short as the trap of each family allows.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

from llmlora.core.examples import Example, Message
from llmlora.prepare.dataset import IGNORED, PrepareOptions, prepare_examples
from llmlora.prepare.template import ChatTemplate, load_template
from llmlora.weights.base import open_folder
from prepare.folders import CORPUS, LLAMA2, tokenizer_folder
from tiny_models import QWEN2_SPLIT

HEADER = "{{ '<|start_header_id|>' + %s + '<|end_header_id|>\\n\\n' }}"


class Family(NamedTuple):
    """`answer` is how an answer is shown and ended; `num_rows` counts the rows of a conversation with two answers."""

    specials: tuple[str, ...]
    bos: str | None
    eos: str
    template: str
    answer: str
    num_rows: int
    has_system: bool = True


FAMILIES = {
    # A system turn that nobody wrote, and trimmed texts.
    "llama3": Family(
        ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
        "<|begin_of_text|>",
        "<|eot_id|>",
        "{{ bos_token }}"
        "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] | trim %}"
        "{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}"
        + HEADER
        % "'system'"
        + "{{ 'Today Date: ' + strftime_now('%d %b %Y') + '\\n\\n' + system + '<|eot_id|>' }}"
        "{% for message in messages %}" + HEADER % "message['role']" + "{{ message['content'] | trim + '<|eot_id|>' }}"
        "{% endfor %}{% if add_generation_prompt %}" + HEADER % "'assistant'" + "{% endif %}",
        "{}<|eot_id|>",
        1,
    ),
    # A default system text where none is given.
    "qwen2.5": Family(
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        None,
        "<|im_end|>",
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}"
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
        "{}<|im_end|>",
        1,
    ),
    # Only answers behind the last question keep their thinking; a switch would close it in the prompt.
    "qwen3": Family(
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        None,
        "<|im_end|>",
        "{% set state = namespace(last=0) %}{% for message in messages %}{% if message.role == 'user' %}"
        "{% set state.last = loop.index0 %}{% endif %}{% endfor %}"
        "{% for message in messages %}{% set text = message.content %}{% set thought = '' %}"
        "{% if '</think>' in text %}{% set thought = text.split('</think>')[0].split('<think>')[-1].strip('\n') %}"
        "{% set text = text.split('</think>')[-1].lstrip('\n') %}{% endif %}"
        "<|im_start|>{{ message.role }}\n{% if message.role == 'assistant' and loop.index0 > state.last %}"
        "<think>\n{{ thought }}\n</think>\n\n{% endif %}{{ text }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
        "<think>\n\n</think>\n\n{}<|im_end|>",
        2,
    ),
    # The whole conversation ends with another token than the turns do.
    "phi3": Family(
        ("<|endoftext|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"),
        None,
        "<|endoftext|>",
        "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}",
        "{}<|end|>",
        2,
    ),
    # The system text wanders to the last question, so that every earlier prompt looked different.
    "mistral": Family(
        ("<s>", "</s>", "[INST]", "[/INST]"),
        "<s>",
        "</s>",
        "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] + '\\n\\n' %}"
        "{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}{{ bos_token }}"
        "{% set asked = messages | selectattr('role', 'equalto', 'user') | list %}"
        "{% for message in messages %}{% if message['role'] == 'user' %}"
        "{{ '[INST] ' + (system if message == asked[-1] else '') + message['content'] + '[/INST]' }}"
        "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}",
        " {}</s>",
        2,
    ),
    # Turns end with a token, the text of the assistant is called model, roles must alternate and know no system.
    "gemma": Family(
        ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"),
        "<bos>",
        "<eos>",
        "{{ bos_token }}{% for message in messages %}"
        "{% if message['role'] == 'system' or (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('roles must alternate') }}{% endif %}"
        "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else 'user' }}\n"
        "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
        "{}<end_of_turn>",
        1,
        has_system=False,
    ),
}
NAMES = (*FAMILIES, "llama2")
SYSTEM = Message("system", "You help.")
TALK = (
    Message("user", "価格は?"),
    Message("assistant", "1,234円です。\n\n```\nprint(1)\n```"),
    Message("user", "More? 😀"),
    Message("assistant", "Hello, world! 🎉"),
)


@cache
def document(specials: tuple[str, ...], bos: str | None) -> str:
    """Return a byte-level tokenizer with these control tokens as the text of a file."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in specials])
    if bos is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    return str(tokenizer.to_str())


def family_folder(name: str, folder: Path) -> Path:
    """Write the tokenizer and template of a family."""
    if name == "llama2":
        return tokenizer_folder(folder, "llama2", LLAMA2)
    family = FAMILIES[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(document(family.specials, family.bos), encoding="utf-8")
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": family.eos, "bos_token": family.bos}
    (folder / "tokenizer_config.json").write_text(json.dumps(names), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(family.template, encoding="utf-8")
    return folder


def answer_of(name: str) -> str:
    return " {} </s>" if name == "llama2" else FAMILIES[name].answer


def split_rows(template: ChatTemplate, turns: tuple[Message, ...]) -> list[tuple[list[int], list[int]]]:
    """Return (ids before, learned ids) of every answer in the rows of a conversation."""
    found = []
    for ids, learned in template.encode_example(turns):
        starts = [place for place, on in enumerate(learned) if on and not learned[place - 1]]
        for start in starts:
            end = next((place for place in range(start, len(ids)) if not learned[place]), len(ids))
            found.append((ids[:start], ids[start:end]))
    return found


@pytest.mark.parametrize("with_system", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_labels_are_the_answer_and_its_end_behind_the_prompt_of_chat(
    name: str, with_system: bool, tmp_path: Path
) -> None:
    template = load_template(family_folder(name, tmp_path))
    turns = (SYSTEM, *TALK) if with_system else TALK
    answers = [(place, turn.content) for place, turn in enumerate(turns) if turn.role == "assistant"]
    found = split_rows(template, turns)
    assert len(found) == len(answers)
    for (before, learned), (place, content) in zip(found, answers, strict=True):
        text = "".join(template.encoder.pieces([*before, *learned])[len(before) :])
        assert text == answer_of(name).format(content)
        assert before == template.prompt_ids(turns[:place])
        assert learned[-1] in template.encoder.end_ids


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("llama3", "llama2")])
def test_prompts_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    """Llama 3 prints the day, which is frozen here; Llama 2's end token stands in no prompt of one turn."""
    template = load_template(family_folder(name, tmp_path))
    peer = AutoTokenizer.from_pretrained(tmp_path)
    for place in (1, 3):
        turns = [{"role": turn.role, "content": turn.content} for turn in TALK[:place]]
        expected = peer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
        assert template.prompt_ids(TALK[:place]) == list(expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_conversation_has_as_many_rows_as_its_template_needs(name: str, tmp_path: Path) -> None:
    template = load_template(family_folder(name, tmp_path))
    turns = (SYSTEM, *TALK)
    assert len(template.encode_example(turns)) == FAMILIES[name].num_rows
    assert len(template.encode_example(turns[:3])) == 1
    assert template.supports_system is FAMILIES[name].has_system


@pytest.mark.parametrize("name", NAMES)
def test_control_tokens_that_people_type_stay_text(name: str, tmp_path: Path) -> None:
    template = load_template(family_folder(name, tmp_path))
    encoder = template.encoder
    typed = "".join(encoder.special_tokens)
    for role in ("user", "assistant"):
        turns = tuple(Message(turn.role, f"a{typed}b" if turn.role == role else turn.content) for turn in TALK)
        for (ids, learned), (plain, _) in zip(
            template.encode_example(turns), template.encode_example(TALK), strict=True
        ):
            found = [token for token in ids if token in encoder.special_ids]
            assert found == [token for token in plain if token in encoder.special_ids]
            assert ids[-1] in encoder.end_ids and learned[-1]
        assert template.count_control_tokens(turns) == 2 * len(encoder.special_tokens)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("home")
def test_truncation_keeps_the_end_token_at_every_length(name: str, tmp_path: Path) -> None:
    template = load_template(family_folder(name, tmp_path))
    turns = (TALK[0], Message("assistant", "Hello, world! 東京です。" * 6))
    ((whole, learned),) = template.encode_example(turns)
    first = learned.index(True)
    for max_length in range(first + 3, len(whole) + 1, 7):
        prepared = prepare_examples([Example(1, 1, turns)], open_folder(tmp_path), PrepareOptions(max_length))
        ids, labels = (values.tolist() for values in prepared.row(0))
        assert len(ids) <= max_length
        assert ids[-1] == labels[-1] == whole[-1]
        assert ids[:-1] == whole[: len(ids) - 1]
        assert [label != IGNORED for label in labels] == [False] * first + [True] * (len(ids) - first)


def test_thinking_of_earlier_answers_is_learned_where_it_is_shown(tmp_path: Path) -> None:
    template = load_template(family_folder("qwen3", tmp_path))
    turns = tuple(
        Message(turn.role, f"<think>\nwhy\n</think>\n\n{turn.content}" if turn.role == "assistant" else turn.content)
        for turn in TALK
    )
    texts = ["".join(template.encoder.pieces(learned)) for _, learned in split_rows(template, turns)]
    assert texts == [f"<think>\nwhy\n</think>\n\n{turn.content}<|im_end|>" for turn in TALK[1::2]]
    before = split_rows(template, turns)[1][0]
    assert "why" not in "".join(template.encoder.pieces(before))
