"""Conversations as the model sees them: one chat template for training, preview, chat and export."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from transformers import PreTrainedTokenizerBase

from llmlora.core.bundled_templates import BUNDLED_TEMPLATES, OWN_TEMPLATE, TEMPLATE_NAMES
from llmlora.core.errors import ConfigError, ModelFileError
from llmlora.core.examples import Message
from llmlora.core.layout import TEMPLATE_FILE, TOKENIZER_CONFIG
from llmlora.core.publish import write_json, write_text
from llmlora.data.asked import asks_with_text_alone
from llmlora.data.formats import is_blank
from llmlora.data.text_file import read_utf8
from llmlora.prepare.rendering import Rendered, compile_template, has_generation_markers, render_template
from llmlora.prepare.tokenizer import TextEncoder, load_tokenizer
from llmlora.prepare.turns import (
    PROBE_CALLS,
    PROBE_REASONING,
    PROBE_THOUGHT,
    PROBE_TOOLS,
    PROBE_USER,
    THINK_END,
    THINK_START,
    TurnStyle,
    call_styles,
    guarded_json,
    shows_calls,
    shows_result,
    shows_tools,
    turn_values,
)

BYTE_ORDER_MARK = "\ufeff"  # what some editors put at the start of a file, and no model was trained on
Source = Literal["model", "plain", "given"]
Row = tuple[list[int], list[bool]]

_PROBE_SYSTEM, _PROBE_USER, _PROBE_ANSWER = "probe-system-text", "probe-user-text", "probe-assistant-text"


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template with the tokenizer it is used with.

    `source` is "model" (found in the folder), "plain" (the bundled one for models that have none) or "given".
    """

    text: str
    name: str
    source: Source
    encoder: TextEncoder

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer of the same folder."""
        return self.encoder.tokenizer

    @cached_property
    def supports_system(self) -> bool:
        """Whether the template shows a system turn; if not, its text goes in front of the first user turn."""
        try:
            text = self._run([Message("system", _PROBE_SYSTEM), Message("user", _PROBE_USER)], True).text
        except ModelFileError as error:
            if error.code == "template_refused":
                return False
            raise
        return _PROBE_SYSTEM in text

    @cached_property
    def is_raw(self) -> bool:
        """Whether the model is asked with the last user's text alone: no system message, no earlier turns."""
        try:
            bos = self.encoder.variables.get("bos_token", "")
            return asks_with_text_alone(lambda turns: self._run(turns, True).text, bos)
        except ModelFileError as error:
            if error.code == "template_refused":
                return False
            raise

    @cached_property
    def turn_end_id(self) -> int:
        """The token that the labels of an answer end with, whatever the text of the template looks like.

        Raises ModelFileError: `tokenizer_no_eos`, or `template_refused` when it takes no question with an answer.
        """
        talk = [Message("user", _PROBE_USER), Message("assistant", _PROBE_ANSWER)]
        try:
            ids = self.encode_example(talk)[-1][0]
        except ModelFileError as error:
            if error.code != "template_refused":
                raise
            ids = self.encode_example([Message("system", _PROBE_SYSTEM), *talk])[-1][0]
        return ids[-1]

    @cached_property
    def call_style(self) -> TurnStyle | None:
        """How the template wants calls of tools; None when it shows them in no form, or not what the tool answered."""
        for style in call_styles():
            text = self._probe(PROBE_CALLS[:2], style)
            if shows_calls(text):
                return style if shows_result(self._probe(PROBE_CALLS, style)) else None
        return None

    @cached_property
    def shows_tools(self) -> bool:
        """Whether the template shows the tools that a conversation may call."""
        return shows_tools(self._probe([PROBE_USER], TurnStyle(), PROBE_TOOLS))

    @cached_property
    def turn_style(self) -> TurnStyle:
        """How the template wants calls, and where it wants what an assistant thought."""
        style = self.call_style or TurnStyle()
        if PROBE_THOUGHT in self._probe(PROBE_REASONING, style):
            return style
        inline = replace(style, reasoning="inline")
        if THINK_END in self.text and PROBE_THOUGHT in self._probe(PROBE_REASONING, inline):
            return inline
        opens = self._probe([PROBE_USER], style, add_generation_prompt=True).rstrip().endswith(THINK_START)
        return replace(style, reasoning="opened" if opens else "hidden")

    def _probe(
        self, turns: Sequence[Message], style: TurnStyle, tools: str = "", add_generation_prompt: bool = False
    ) -> str:
        try:
            return self._rendered(turns, add_generation_prompt, tools, style).text
        except ModelFileError as error:
            if error.code == "template_refused":
                return ""
            raise

    @cached_property
    def marks_answers(self) -> bool:
        """Whether the template marks the assistant's text itself."""
        return has_generation_markers(self.text)

    def render(self, messages: Sequence[Message], add_generation_prompt: bool = False) -> str:
        """Return the text of a conversation; with `add_generation_prompt` ready for the assistant's turn.

        Raises ModelFileError(template_refused) when the template does not take these turns.
        """
        return self._run(self._folded(messages), add_generation_prompt).text

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Return the ids after which the assistant answers: control tokens of the template only, never a second BOS."""
        text = self._run(self._guarded(messages), True).text
        return self.encoder.with_bos(self.encoder.encode(text))

    def count_control_tokens(self, messages: Sequence[Message]) -> int:
        """Return how many control tokens the users' texts contain."""
        return sum(self.encoder.guard(turn.content)[1] for turn in messages)

    def encode_example(self, messages: Sequence[Message], assistant_only: bool = True, tools: str = "") -> list[Row]:
        """Return the training rows of a conversation: token ids, and for each whether it is learned.

        One row where the rendering of the whole conversation begins with every prompt the model will ever see; else
        one row per assistant turn, each rendered as the last. Every answer ends with a learned end token; calls of
        tools are learned as they are rendered. A turn with nothing in it is shown but not learned, nor is one that its
        author kept out. Without `assistant_only` everything else is learned as well. `tools` is JSON text.

        Raises ModelFileError: `template_refused` when the template does not take these turns, `template_without_tools`
        when it does not show the tools or calls in them.
        """
        self._check_shows(messages, tools)
        tools = guarded_json(tools, self._guarded_text)
        turns = self._guarded(_until_last_learned(messages))
        whole = None if assistant_only else self._whole_row(self._guarded(messages), tools)
        row = whole or (self._single_row(turns, tools) if turns else None)
        if row is not None:
            return [row]
        return [self._turn_row(turns, index, tools) for index, turn in enumerate(turns) if _is_learned(turn)]

    def _check_shows(self, messages: Sequence[Message], tools: str) -> None:
        """Refuse tools and calls that the template would drop without a word."""
        if tools and not self.shows_tools:
            raise ModelFileError("template_without_tools", name=self.name, part="tools")
        if any(turn.tool_calls for turn in messages) and self.call_style is None:
            raise ModelFileError("template_without_tools", name=self.name, part="tool_calls")

    def num_hidden_reasoning(self, messages: Sequence[Message]) -> int:
        """Return how many turns hold reasoning that the template shows nowhere."""
        count = sum(bool(turn.reasoning) for turn in messages)
        return count if count and self.turn_style.reasoning == "hidden" else 0

    def _run(self, turns: Sequence[Message], add_generation_prompt: bool, tools: str = "") -> Rendered:
        is_plain = not any(turn.tool_calls or turn.reasoning or turn.tool_call_id for turn in turns)
        return self._rendered(turns, add_generation_prompt, tools, TurnStyle() if is_plain else self.turn_style)

    def _rendered(
        self, turns: Sequence[Message], add_generation_prompt: bool, tools: str, style: TurnStyle
    ) -> Rendered:
        variables = {**self.encoder.variables, "add_generation_prompt": add_generation_prompt}
        given = json.loads(tools) if tools else None
        return render_template(self.text, self.name, turn_values(turns, style), variables, given)

    def _folded(self, messages: Sequence[Message]) -> list[Message]:
        turns = list(messages)
        if not turns or turns[0].role != "system" or self.supports_system or self.is_raw:
            return turns
        if len(turns) > 1 and turns[1].role == "user":
            learned = turns[0].learned and turns[1].learned
            return [Message("user", f"{turns[0].content}\n\n{turns[1].content}", learned=learned), *turns[2:]]
        return [replace(turns[0], role="user"), *turns[1:]]

    def _guarded(self, messages: Sequence[Message]) -> list[Message]:
        return [self._guarded_turn(turn) for turn in self._folded(messages)]

    def _guarded_turn(self, turn: Message) -> Message:
        guard = self._guarded_text
        calls = guarded_json(turn.tool_calls, guard)
        return replace(turn, content=guard(turn.content), tool_calls=calls, reasoning=guard(turn.reasoning))

    def _guarded_text(self, text: str) -> str:
        return self.encoder.guard(text)[0]

    def _whole_row(self, turns: Sequence[Message], tools: str) -> Row | None:
        """Return all turns in one row, or None where the tokens of a turn that is kept out cannot be told."""
        text = self._run(turns, False, tools).text
        ids = self.encoder.with_bos(self.encoder.encode(text))
        learned = [True] * len(ids)
        for index, turn in enumerate(turns):
            if turn.learned:
                continue
            before = self._run(turns[:index], False, tools).text if index else ""
            parts = [before, self._run(turns[: index + 1], False, tools).text]
            prefixes = [self.encoder.with_bos(self.encoder.encode(part)) if part else [] for part in parts]
            if any(ids[: len(prefix)] != prefix for prefix in prefixes):
                return None
            start, end = (len(prefix) for prefix in prefixes)
            learned[start:end] = [False] * (end - start)
        if not self.encoder.end_ids.intersection(ids[-3:]):
            ids.append(self._end_id())
            learned.append(turns[-1].learned)
        return ids, learned

    def _single_row(self, turns: Sequence[Message], tools: str) -> Row | None:
        """Return all turns in one row, or None where some prompt is not a token prefix of the whole."""
        whole = self._run(turns, False, tools)
        marked = _learned_spans(whole.spans, turns) if self.marks_answers else None
        spans = self._answer_spans(turns, whole.text, tools) if marked is None else marked
        if not spans:
            return None
        ids = self.encoder.with_bos(self.encoder.encode(whole.text))
        learned = [False] * len(ids)
        for start, end in spans:
            bounds = self._token_bounds(ids, whole.text, start, end)
            if bounds is None:
                return None
            learned[bounds[0] : bounds[1]] = [True] * (bounds[1] - bounds[0])
        last = max(index for index, is_learned in enumerate(learned) if is_learned)
        return ids[: last + 1], learned[: last + 1]

    def _answer_spans(self, turns: Sequence[Message], whole: str, tools: str) -> tuple[tuple[int, int], ...]:
        """Return the characters of each answer, or nothing where the template rewrites earlier turns."""
        spans = []
        for index, turn in enumerate(turns):
            if not _is_learned(turn):
                continue
            before = self._run(turns[:index], True, tools).text
            until = self._run(turns[: index + 1], False, tools).text if index + 1 < len(turns) else whole
            if not until.startswith(before) or not whole.startswith(until.rstrip()):
                return ()
            spans.append((len(before), len(until)))
        return tuple(spans)

    def _token_bounds(self, ids: list[int], text: str, start: int, end: int) -> tuple[int, int] | None:
        """Return the token range of an answer up to its end token, when its prompt is a token prefix of the row."""
        prompt = self.encoder.with_bos(self.encoder.encode(text[:start]))
        first = len(prompt)
        if ids[:first] != prompt:
            return None
        limit = self.encoder.with_bos(self.encoder.encode(text[:end]))
        ends = [index for index in range(first, len(ids)) if ids[index] in self.encoder.end_ids]
        # Markers may leave the end token out, so it is looked for one token behind them; white space may stand between.
        stop = next((index for index in ends if text_between_is_blank(self.encoder, ids, len(limit), index)), None)
        return None if stop is None else (first, stop + 1)

    def _turn_row(self, turns: Sequence[Message], index: int, tools: str) -> Row:
        """Return one answer as the last turn, behind exactly the ids that the model will be asked with."""
        before = self._run(turns[:index], True, tools).text
        until = self._run(turns[: index + 1], False, tools).text
        answer = until[len(before) :] if until.startswith(before) else self._rewritten(turns, index, tools, before)
        prompt = self.encoder.with_bos(self.encoder.encode(before))
        reply = self._reply_ids(prompt, before, answer)
        stop = next((place for place, token in enumerate(reply) if token in self.encoder.end_ids), None)
        if stop is not None:
            reply = reply[: stop + 1]
        else:
            spoken = answer if turns[index].tool_calls else _spoken(answer, turns[index].content)
            reply = [*self._without_trailing_space(self._reply_ids(prompt, before, spoken)), self._end_id()]
        return prompt + reply, [False] * len(prompt) + [True] * len(reply)

    def _reply_ids(self, prompt: list[int], before: str, answer: str) -> list[int]:
        joined = self.encoder.with_bos(self.encoder.encode(before + answer))
        fits = joined[: len(prompt)] == prompt
        return joined[len(prompt) :] if fits else self.encoder.encode_continuation(before, answer)

    def _rewritten(self, turns: Sequence[Message], index: int, tools: str, before: str) -> str:
        """Return what an answer adds where its rendering does not begin with its prompt, which may open <think>."""
        turn, until = turns[index], self._run(turns[: index + 1], False, tools).text
        if is_blank(turn.content):
            answer = _behind_heading(until, before, self._run(turns[:index], False, tools).text if index else "")
        else:
            answer = _from_content(until, turn.content, before)
        if turn.reasoning and self.turn_style.reasoning == "opened":
            return f"{turn.reasoning}\n{THINK_END}\n\n{answer}"
        return answer

    def _without_trailing_space(self, reply: list[int]) -> list[int]:
        kept = list(reply)
        while len(kept) > 1 and not self.encoder.pieces(kept)[-1].strip():
            kept.pop()
        return kept

    def _end_id(self) -> int:
        if self.encoder.eos_id is None:
            raise ModelFileError("tokenizer_no_eos", name=self.name)
        return self.encoder.eos_id


def text_between_is_blank(encoder: TextEncoder, ids: Sequence[int], start: int, end: int) -> bool:
    """Tell whether only white space stands between two token positions (nothing when `end` is before `start`)."""
    return end < start or not "".join(encoder.pieces(ids[start:end])).strip()


def _is_answer(turn: Message) -> bool:
    return turn.role == "assistant" and (bool(turn.tool_calls) or not is_blank(turn.content))


def _is_learned(turn: Message) -> bool:
    return _is_answer(turn) and turn.learned


def _learned_spans(spans: tuple[tuple[int, int], ...], turns: Sequence[Message]) -> tuple[tuple[int, int], ...] | None:
    """Return the marked spans of turns that are learned, where each of the assistant's turns has one span.

    None where they cannot be told from those of turns that are kept out.
    """
    wanted = [_is_learned(turn) for turn in turns if turn.role == "assistant"]
    if len(spans) == len(wanted):
        return tuple(span for span, is_wanted in zip(spans, wanted, strict=True) if is_wanted)
    return spans if all(turn.learned for turn in turns) else None


def _until_last_learned(messages: Sequence[Message]) -> list[Message]:
    answers = [index for index, turn in enumerate(messages) if _is_learned(turn)]
    return list(messages[: answers[-1] + 1]) if answers else []


def _from_content(rendered: str, content: str, prompt: str) -> str:
    """Return a rendering from its last answer on, where the template shows the prompt differently afterwards."""
    shared = _num_shared(rendered, prompt)
    line = rendered.rfind("\n", 0, shared) + 1
    for wanted in (content, content.strip()):
        # Where the answer begins like what the prompt shows instead, it begins before they part.
        near = (place for place in range(shared, line - 1, -1) if rendered.startswith(wanted, place))
        place = next(near, rendered.find(wanted, shared))
        if place >= 0:
            return rendered[place:]
    return content


def _spoken(answer: str, content: str) -> str:
    """Return a rendered answer without what the template writes behind it and no end token is in.

    A marker that is no token of this vocabulary would be learned letter by letter, and shown in every answer.
    """
    text = content.strip()
    place = answer.rfind(text)
    return answer[: place + len(text)] if place >= 0 else answer


def _behind_heading(rendered: str, prompt: str, earlier: str) -> str:
    """Return a turn's rendering behind the lines that its prompt has as well: who speaks."""
    line = rendered.rfind("\n", 0, _num_shared(rendered, prompt)) + 1
    return rendered[max(line, _num_shared(rendered, earlier)) :]


def _num_shared(first: str, second: str) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(second)))


def load_template(folder: Path, override: str | None = None) -> ChatTemplate:
    """Return the chat template of a model or adapter folder; a model without one gets the bundled `plain`.

    `override` is the name of a bundled template or a Jinja file.

    Raises:
        ConfigError: `unknown_template` and `template_needs_tokens` for the override.
        ModelFileError: a tokenizer or template that cannot be used, `template_hides_turn` among others.
    """
    encoder = TextEncoder(load_tokenizer(folder))
    if override == OWN_TEMPLATE and (own := own_text(folder)) is not None:
        text, name, source = own, OWN_TEMPLATE, "model"
    elif override is not None:
        text, name, source = (*_given(override, encoder), "given")
    elif (own := own_text(folder)) is not None:
        text, name, source = own, folder.name, "model"
    else:
        text, name, source = bundled_text("plain"), "plain", "plain"
    compile_template(text, name)
    template = ChatTemplate(text, name, source, encoder)  # type: ignore[arg-type]
    _check_shows_turns(template)
    return template


def _check_shows_turns(template: ChatTemplate) -> None:
    """Refuse a template that drops what is asked or answered, such as one for messages made of parts."""
    try:
        shown = template.render([Message("user", _PROBE_USER), Message("assistant", _PROBE_ANSWER)])
    except ModelFileError as error:
        if error.code == "template_refused":  # by these turns; those of the data will tell
            return
        raise
    for role, text in (("user", _PROBE_USER), ("assistant", _PROBE_ANSWER)):
        if text not in shown:
            raise ModelFileError("template_hides_turn", name=template.name, role=role)


def _given(override: str, encoder: TextEncoder) -> tuple[str, str]:
    if override == OWN_TEMPLATE:
        raise ConfigError("no_own_template")
    if override in BUNDLED_TEMPLATES:
        missing = [token for token in BUNDLED_TEMPLATES[override] if token not in encoder.special_tokens]
        if missing:
            raise ConfigError("template_needs_tokens", name=override, tokens=", ".join(missing))
        return (raw_text(encoder) if override == "raw" else bundled_text(override)), override
    path = os.path.expanduser(override)
    if not os.path.isfile(path):  # never raises, whatever the name
        raise ConfigError("unknown_template", name=override, known=", ".join(TEMPLATE_NAMES))
    return _read(Path(path)), Path(path).name


def bundled_text(name: str) -> str:
    """Return the text of a bundled template."""
    return (resources.files("llmlora.prepare") / "templates" / f"{name}.jinja").read_text(encoding="utf-8").rstrip("\n")


def raw_text(encoder: TextEncoder) -> str:
    """Return the template that asks with a text alone, as prompt/completion and text rows are learned.

    It prints BOS where the tokenizer puts one in front of every text: other programs add none to a rendered text.
    """
    text = bundled_text("raw")
    if not encoder.adds_bos:
        return text
    bos = encoder.variables["bos_token"]
    has_same_ids = encoder.encode(bos + _PROBE_USER) == encoder.with_bos(encoder.encode(_PROBE_USER))
    return "{{ bos_token }}" + text if has_same_ids else text


def _read(path: Path) -> str:
    try:
        return read_utf8(path).lstrip(BYTE_ORDER_MARK)
    except ConfigError as error:  # part of a model, unlike a recipe
        raise ModelFileError("template_not_utf8", **error.params) from error
    except OSError as error:
        detail = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelFileError("template_unreadable", path=str(path), detail=detail) from error


def own_text(folder: Path) -> str | None:
    """Return the template of a folder: its own file first, then the old places inside JSON; None when it has none."""
    if (folder / TEMPLATE_FILE).is_file():
        return _read(folder / TEMPLATE_FILE)
    for name, key in ((TOKENIZER_CONFIG, "chat_template"), ("chat_template.json", "chat_template")):
        path = folder / name
        if not path.is_file():
            continue
        try:
            value: Any = json.loads(_read(path)).get(key)
        except (ValueError, AttributeError, RecursionError) as error:
            raise ModelFileError("template_unreadable", path=str(path), detail=str(error)[:300]) from error
        if isinstance(value, list):  # several named templates: the one called default is for chat
            value = next((item.get("template") for item in value if item.get("name") == "default"), None)
        if isinstance(value, str) and value.strip():
            return value.lstrip(BYTE_ORDER_MARK)
    return None


def save_template(template: ChatTemplate, folder: Path) -> None:
    """Write `chat_template.jinja`; an older copy in tokenizer_config.json goes, so that every reader finds this one."""
    write_text(folder / TEMPLATE_FILE, template.text)
    path = folder / TOKENIZER_CONFIG
    if path.is_file():
        settings = json.loads(path.read_text(encoding="utf-8"))
        if settings.pop("chat_template", None) is not None:
            write_json(path, settings)
