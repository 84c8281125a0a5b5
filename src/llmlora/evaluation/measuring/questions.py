"""The questions that both models are asked: from a questions file, a bundled one, or the job's own rows."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from llmlora.core.assets import asset_path
from llmlora.core.errors import DatasetError
from llmlora.core.examples import Example, Message
from llmlora.core.job import DataSource
from llmlora.core.lfs_pointer import is_lfs_pointer, lfs_params
from llmlora.core.publish import sha256_file
from llmlora.data.asked import asked_of
from llmlora.data.problems import Problem
from llmlora.data.raw import RawRow
from llmlora.data.read import ReadOptions, Source, iter_examples
from llmlora.data.text_file import utf8_way

QuestionSource = Literal["file", "bundled", "training_rows"]
MAX_LINE_BYTES = 16 << 20
MAX_ROWS_READ = 100_000
QUESTION_FIELDS = {"prompt", "messages", "system", "reference", "paraphrases", "terms"}

_JAPANESE = re.compile(r"[ぁ-んァ-ヴ一-鿿]")


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its reference answer.

    `messages` end with the user's turn. `row` is the 1-based row it came from; `paraphrases` ask the same in other
    words; `terms` are words that a good answer uses.
    """

    row: int
    reference: str
    messages: tuple[Message, ...]
    paraphrases: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the user asks, without the turns before."""
        return self.messages[-1].content

    @property
    def given_text(self) -> str:
        """Everything the model is told: what stands here need not be learned."""
        return "\n".join(turn.content for turn in self.messages)

    def reworded(self, text: str) -> Question:
        """Return the same question in other words."""
        return replace(self, messages=(*self.messages[:-1], Message("user", text)), paraphrases=())


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of one evaluation, where they came from, and how many there were to choose from."""

    source: QuestionSource
    name: str
    questions: tuple[Question, ...]
    num_available: int

    @property
    def has_paraphrases(self) -> bool:
        """Whether any question comes in other words, too."""
        return any(question.paraphrases for question in self.questions)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that a report carries."""
        return {
            "source": self.source,
            "name": self.name,
            "num_questions": len(self.questions),
            "num_available": self.num_available,
            "has_paraphrases": self.has_paraphrases,
        }


def load_questions(
    path: Path | None, data: DataSource, *, limit: int, system: str | None = None, rewrite: bool = False
) -> QuestionSet:
    """Return at most `limit` questions: of `path`, else of the bundled file for this data, else of the data's rows.

    The choice depends on the questions' texts alone, so that every evaluation of the same data asks the same ones.
    `rewrite` adds three rule-made wordings to questions that have none.

    Raises:
        DatasetError: the file cannot be read, a row lacks something, or no row has a question and an answer.
    """
    source: QuestionSource = "training_rows"
    file = Path(data.path)
    if path is not None:
        source, file = "file", path
        found = _with_system(_read_any(path), system)
    elif (bundled := _bundled_questions(data)) is not None:
        source, file = "bundled", bundled
        found = _with_system(read_questions(bundled), system)
    else:
        options = ReadOptions(format=data.format, columns=data.columns, encoding=data.encoding)  # type: ignore[arg-type]
        found = questions_of(iter_examples(file, options), system)
    questions = list(itertools.islice(found, MAX_ROWS_READ))
    if not questions:
        raise DatasetError("no_questions", path=str(file))
    chosen = choose(questions, limit)
    if rewrite:
        chosen = [replace(item, paraphrases=item.paraphrases or rewordings(item.text)) for item in chosen]
    return QuestionSet(source, file.name, tuple(chosen), len(questions))


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a JSONL file: prompt or messages, reference, and if wanted paraphrases, system, terms."""
    with path.open("rb") as stream:
        for line, raw in enumerate(stream, 1):
            if len(raw) > MAX_LINE_BYTES:
                raise DatasetError("question_too_long", path=str(path), line=line, limit=MAX_LINE_BYTES)
            text = _decoded(raw, path, line).strip()
            if text:
                yield _question(_parsed(text, path, line), path, line)


def questions_of(examples: Iterable[Example], system: str | None = None) -> Iterator[Question]:
    """Yield the question of each training row that has one, with the setting `system` as in training."""
    for example in examples:
        if (asked := asked_of(example, system)) is not None:
            yield Question(example.row, asked.answer, asked.messages)


def choose(questions: Sequence[Question], limit: int) -> list[Question]:
    """Return at most `limit` questions, spread by a hash of their texts, in the order of their file."""
    ranked = sorted(questions, key=lambda item: (hashlib.sha256(item.given_text.encode()).digest(), item.row))
    return sorted(ranked[:limit], key=lambda item: item.row)


def rewordings(text: str) -> tuple[str, ...]:
    """Return three other wordings of a question by rule, in its own language."""
    if _JAPANESE.search(text):
        softer = re.sub(r"ですか[?\uff1f]?$", "でしょうか", text)
        return (
            f"質問です。{text}",
            f"{text} 教えてください。",
            softer if softer != text else f"次の質問に答えてください。{text}",
        )
    return (f"I have a question. {text}", f"{text} Please tell me.", f"Answer the following question. {text}")


def _read_any(path: Path) -> Iterator[Question]:
    """Read a questions file; a data file without references is read as training rows are."""
    if is_lfs_pointer(path):
        raise DatasetError("lfs_pointer", **lfs_params(path))
    if path.suffix.lower() in (".jsonl", ".ndjson") and _asks_only(path):
        return read_questions(path)
    first = next(Source(path, ReadOptions()).rows(), None)
    if isinstance(first, RawRow) and first.value.keys() >= {"prompt", "reference"}:
        return _rows_that_ask(path)
    return questions_of(iter_examples(path, ReadOptions()))


def _rows_that_ask(path: Path) -> Iterator[Question]:
    """Yield the questions of a table or a JSON list that has the fields of a questions file."""
    for row in Source(path, ReadOptions()).rows():
        if isinstance(row, Problem):
            raise row.to_error()
        lists = {name: _cell(row.value[name]) for name in ("paraphrases", "terms") if name in row.value}
        yield replace(_question({**row.value, **lists}, path, row.line), row=row.row)


def _cell(value: Any) -> Any:
    """Return the texts in a cell of a table, which semicolons or line breaks part."""
    if not isinstance(value, str):
        return value
    return [text.strip() for text in re.split(r"[;\uff1b\n]", value) if text.strip()]


def _asks_only(path: Path) -> bool:
    """Tell whether the first row is a question, with its reference or lacking it, and not a training row."""
    with path.open("rb") as stream:
        first = next((raw for raw in stream if raw.strip()), b"")
    if len(first) > MAX_LINE_BYTES:
        return False
    value = _parsed(_decoded(first, path, 1).strip() or "null", path, 1)
    if not isinstance(value, dict) or "reference" in value:
        return True
    turns = _messages(value)
    return set(value) <= QUESTION_FIELDS and not (turns and turns[-1].role == "assistant")


def _bundled_questions(data: DataSource) -> Path | None:
    """Return the bundled questions for a bundled data set, known by its bytes: a workspace renames its files."""
    for questions in sorted(asset_path("questions").glob("*.jsonl")):
        if any(sha256_file(file) == data.sha256 for file in asset_path("datasets").glob(f"{questions.stem}.*")):
            return questions
    return None


def _with_system(questions: Iterable[Question], system: str | None) -> Iterator[Question]:
    for question in questions:
        if system and question.messages and question.messages[0].role != "system":
            yield replace(question, messages=(Message("system", system), *question.messages))
        else:
            yield question


def _decoded(raw: bytes, path: Path, line: int) -> str:
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError("questions_not_utf8", path=str(path), line=line, **utf8_way(path)) from error


def _parsed(text: str, path: Path, line: int) -> Any:
    try:
        value = json.loads(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # half a surrogate pair: no tokenizer and no report can take it
        raise DatasetError("questions_bad_text", path=str(path), line=line) from error
    except (ValueError, RecursionError) as error:
        raise DatasetError("questions_not_json", path=str(path), line=line, detail=str(error)) from error
    return value


def _question(value: Any, path: Path, line: int) -> Question:
    if not isinstance(value, dict):
        raise DatasetError("questions_not_json", path=str(path), line=line, detail=type(value).__name__)
    reference = value.get("reference")
    if not isinstance(reference, str) or not reference.strip():
        raise DatasetError("question_incomplete", path=str(path), line=line, field="reference")
    paraphrases, terms = (_texts(value, field, path, line) for field in ("paraphrases", "terms"))
    messages = _messages(value)
    if not messages or messages[-1].role != "user" or not messages[-1].content.strip():
        raise DatasetError("question_incomplete", path=str(path), line=line, field="prompt")
    return Question(line, reference.strip(), messages=messages, paraphrases=paraphrases, terms=terms)


def _texts(value: dict[str, Any], field: str, path: Path, line: int) -> tuple[str, ...]:
    texts = value.get(field) or []
    if not isinstance(texts, list) or not all(isinstance(item, str) and item.strip() for item in texts):
        raise DatasetError("question_incomplete", path=str(path), line=line, field=field)
    return tuple(texts)


def _messages(value: dict[str, Any]) -> tuple[Message, ...]:
    turns = value.get("messages")
    if turns is None and isinstance(value.get("prompt"), str):
        turns = [{"role": "user", "content": value["prompt"]}]
    if not isinstance(turns, list) or not all(_is_turn(turn) for turn in turns):
        return ()
    system = value.get("system")
    before = [Message("system", system)] if isinstance(system, str) and system else []
    return (*before, *(Message(turn["role"], turn["content"]) for turn in turns))


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
