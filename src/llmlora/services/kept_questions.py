"""The workspace's own questions: what somebody found worth asking in a chat, to be asked in evaluations."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from llmlora.core.errors import Conflict, InputError
from llmlora.core.layout import questions_file
from llmlora.core.publish import disk_errors, write_text

MOST_QUESTIONS: Final = 10_000
_writing = threading.Lock()


def kept_questions(home: Path) -> list[dict[str, Any]]:
    """Return the questions, the first one first: `prompt`, `reference` and, where there are any, `paraphrases`.

    Raises:
        InputError: `questions_damaged`, a line that is no JSON object.
    """
    path = questions_file(home)
    if not path.is_file():
        return []
    try:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except ValueError as error:
        raise InputError("questions_damaged", path=str(path)) from error
    return [question for question in found if isinstance(question, dict)]


def add_question(home: Path, prompt: str, reference: str, paraphrases: Sequence[str] = ()) -> int:
    """Add a question with its right answer and return how many there are now; the same one again changes nothing.

    Raises:
        Conflict: `questions_full`. InputError: `questions_damaged`. DiskFull: there is no room.
    """
    new = {"prompt": prompt, "reference": reference, **({"paraphrases": list(paraphrases)} if paraphrases else {})}
    with _writing:
        known = kept_questions(home)
        if new in known:
            return len(known)
        if len(known) >= MOST_QUESTIONS:
            raise Conflict("questions_full", limit=MOST_QUESTIONS, path=str(questions_file(home)))
        lines = [json.dumps(question, ensure_ascii=False) + "\n" for question in (*known, new)]
        with disk_errors(home):
            write_text(questions_file(home), "".join(lines))
        return len(lines)
