"""Go templates as far as the tests need them: those that llmlora writes itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from llmlora.export.modelfile import RAW_TEMPLATE

_BRANCH = re.compile(r'eq \.Role "(\w+)" }}(.*?){{ \.Content }}(.*?)(?={{ else if|{{ end }}{{ if and)', re.S)
_OPENING = re.compile(r'{{ if and \$last \(ne \.Role "assistant"\) }}(.*?){{ end }}', re.S)
_LITERAL = re.compile(r'{{ "((?:[^"\\]|\\.)*)" }}')


def render_go(template: str, messages: Sequence[Mapping[str, str]]) -> str:
    """Render a conversation; raises ValueError for a template of another shape."""
    if template == RAW_TEMPLATE:
        return messages[-1]["content"]
    branches = {role: (_text(before), _text(after)) for role, before, after in _BRANCH.findall(template)}
    opening = _OPENING.search(template)
    if not branches or opening is None:
        raise ValueError(f"not a template of ours: {template[:80]!r}")
    turns = [branches[turn["role"]][0] + turn["content"] + branches[turn["role"]][1] for turn in messages]
    return "".join(turns) + ("" if messages[-1]["role"] == "assistant" else _text(opening[1]))


def _text(piece: str) -> str:
    return _LITERAL.sub(lambda found: found[1].replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\"), piece)
