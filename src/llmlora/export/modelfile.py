"""The Modelfile of an export: how Ollama has to run the GGUF so that it answers as it was trained."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmlora.core.errors import ExportError, ModelFileError
from llmlora.core.examples import Message
from llmlora.data.asked import asks_with_text_alone

Render = Callable[[Sequence[Message]], str]
RAW_TEMPLATE = (
    "{{ range $i, $_ := .Messages }}{{ if eq (len (slice $.Messages $i)) 1 }}{{ .Content }}{{ end }}{{ end }}"
)
# Private-use characters: no template contains them, none trims or rewrites them.
MARKS = ("\ue001", "\ue002", "\ue003", "\ue004")
MAX_CONTEXT = 4096


@dataclass(frozen=True)
class ModelfileContent:
    """What a Modelfile says; `template` is an exact Go template or None, `parameters` may repeat a name by a list."""

    model: str
    template: str | None
    system: str | None
    parameters: Mapping[str, str | int | float | Sequence[str]]
    comment: str = ""


def modelfile_text(content: ModelfileContent) -> str:
    """Return the text of a Modelfile; raises ExportError when a value cannot be written in its syntax."""
    lines = [f"# {line}" for line in content.comment.splitlines()]
    lines.append(f"FROM ./{content.model}")
    if content.template is not None:
        lines.append(f"TEMPLATE {quoted(content.template)}")
    if content.system:
        lines.append(f"SYSTEM {quoted(content.system)}")
    for name, value in content.parameters.items():
        values = [value] if isinstance(value, str | int | float) else value
        lines.extend(f"PARAMETER {name} {quoted(item) if isinstance(item, str) else item}" for item in values)
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a value in quotes, as Modelfiles read it back unchanged.

    The syntax has no escapes: a value between triple quotes ends at the first line that ends in them, so a text with
    such a line in it is refused.
    """
    if '"' not in text and "\n" not in text and "\x00" not in text:
        return f'"{text}"'
    if re.search(r'"""[ \t\r]*\n', text) or "\x00" in text:
        raise ExportError("modelfile_unquotable", text=text[:80])
    return f'"""{text}"""'


def default_parameters(generation: Mapping[str, Any], stops: Sequence[str], context_length: int) -> dict[str, Any]:
    """Return PARAMETER values: the model's own sampling settings, else greedy, as the answers were evaluated.

    Ollama's defaults (temperature 0.8, repeat penalty 1.1 in older versions) would change every answer.
    """
    samples = bool(generation.get("do_sample"))
    parameters: dict[str, Any] = {
        "temperature": generation.get("temperature", 1.0) if samples else 0,
        "repeat_penalty": generation.get("repetition_penalty") or 1.0,
        "num_ctx": min(context_length, MAX_CONTEXT),
    }
    for name in ("top_p", "top_k"):
        if samples and generation.get(name) is not None:
            parameters[name] = generation[name]
    if stops:
        parameters["stop"] = list(stops)
    return parameters


def go_template(render: Render, bos: str | None) -> str | None:
    """Return a Go template for Ollama that renders exactly like a chat template, or None when there is none.

    Found by rendering marked conversations: if every role always has the same text before and after its content,
    and nothing else depends on the position, the template is those texts; five shapes are compared to make sure.
    A template that shows the last user's text alone has a Go template of its own. `render` ends with the opening of the
    assistant's turn. The server adds `bos` itself.
    """
    if asks_with_text_alone(render, bos or ""):
        return RAW_TEMPLATE
    pieces = _turn_pieces(render, bos)
    if pieces is None:
        return None
    for roles in ("u", "su", "uau", "suau", "uauau"):
        messages, expected = [], ""
        for role, mark in zip(roles, MARKS + MARKS, strict=False):
            name = {"s": "system", "u": "user", "a": "assistant"}[role]
            if name not in pieces:
                return None
            messages.append(Message(name, mark))
            before, after = pieces[name]
            expected += before + mark + after
        if _without_bos(render(messages), bos) != expected + pieces["opening"][0]:
            return None
    return _go_text(pieces)


def _turn_pieces(render: Render, bos: str | None) -> dict[str, tuple[str, str]] | None:
    """Return the texts around the content of each role, and under `opening` the start of the assistant's turn."""
    first, second, third, fourth = MARKS
    user = _without_bos(render([Message("user", first)]), bos)
    turns = [Message("user", first), Message("assistant", second), Message("user", third)]
    long = _without_bos(render(turns), bos)
    if user.count(first) != 1 or any(long.count(mark) != 1 for mark in (first, second, third)):
        return None
    before_user, tail = user.split(first)
    between = long.split(first)[1].split(second)[0]
    # Before an answer stands the user's end and the assistant's start; an opening that differs is not linear.
    if tail != between:
        return None
    after_user = _user_end(render, before_user, tail)
    before_assistant = tail[len(after_user) :]
    after_second = long.split(second)[1].split(third)[0]
    if not after_second.endswith(before_user):
        return None
    after_assistant = after_second[: len(after_second) - len(before_user)] if before_user else after_second
    pieces = {
        "user": (before_user, after_user),
        "assistant": (before_assistant, after_assistant),
        "opening": (tail[len(after_user) :], ""),
    }
    with_system = _without_bos(render([Message("system", fourth), Message("user", first)]), bos)
    if with_system.count(fourth) != 1 or with_system.count(first) != 1:
        return None
    before_system, rest = with_system.split(fourth)
    middle = rest.split(first)[0]
    if not middle.endswith(before_user):
        return None
    pieces["system"] = (before_system, middle[: len(middle) - len(before_user)])
    return pieces


def _user_end(render: Render, before_user: str, tail: str) -> str:
    """Return what a user's turn ends with, as two of them in a row show; nothing where a template takes no such two."""
    first, second = MARKS[:2]
    try:
        text = render([Message("user", first), Message("user", second)])
    except ModelFileError:
        return ""
    _, has_first, rest = text.partition(first)
    between, has_second, _ = rest.partition(second)
    end = between.removesuffix(before_user)
    is_known = has_first and has_second and between.endswith(before_user) and tail.startswith(end)
    return end if is_known else ""


def _without_bos(text: str, bos: str | None) -> str:
    return text.removeprefix(bos) if bos else text


def _go_text(pieces: Mapping[str, tuple[str, str]]) -> str | None:
    texts = {name: (_go_literal(before), _go_literal(after)) for name, (before, after) in pieces.items()}
    branches = []
    for name in ("system", "user", "assistant"):
        before, after = texts[name]
        branches.append(f'eq .Role "{name}" }}}}{before}{{{{ .Content }}}}{after}')
    body = "{{ if " + "{{ else if ".join(branches) + "{{ end }}"
    last = '{{ if and $last (ne .Role "assistant") }}' + texts["opening"][0] + "{{ end }}"
    start = "{{ range $i, $_ := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}"
    return f"{start}{body}{last}{{{{ end }}}}"


def _go_literal(text: str) -> str:
    """Return text that a Go template prints as it is."""
    if "{{" not in text and "}}" not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{{{ "{escaped}" }}}}'
