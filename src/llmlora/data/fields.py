"""Which column holds what: the usual names of columns and roles in English and Japanese, and `--map`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmlora.core.errors import ConfigError
from llmlora.core.examples import DatasetFormat

# Field -> column names that mean it, best first; compared after NFKC, lower case, and "_" for spaces and hyphens.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "messages": ("messages",),
    "conversations": ("conversations", "conversation", "会話", "メッセージ"),
    "instruction": (
        "instruction", "question", "query", "prompt", "指示", "質問", "問題", "設問", "問い", "質問文", "問題文",
        "指示文", "問い合わせ", "お問い合わせ", "q", "user", "ユーザー", "input", "入力",
    ),
    "input": ("input", "context", "入力", "文脈", "コンテキスト", "補足"),
    "output": (
        "output", "response", "answer", "出力", "回答", "解答", "応答", "答え", "返答", "正解", "回答文", "解答文", "a",
        "assistant", "アシスタント",
    ),
    "system": ("system", "system_prompt", "システム", "システムプロンプト"),
    "prompt": ("prompt", "プロンプト"),
    "completion": ("completion", "補完", "応答"),
    "text": ("text", "テキスト", "本文", "文章"),
    "history": ("history", "履歴", "会話履歴"),
    "reasoning": ("reasoning_content", "reasoning", "thinking", "thought", "思考"),
    "tools": ("tools", "functions", "available_tools", "ツール"),
}  # fmt: skip
MEDIA_COLUMNS = {"image", "images", "video", "videos", "audio", "audios", "image_url", "image_urls", "image_path"}
# Names that only sound like one: such a column may hold a note about a medium as well.
MEDIA_NAME = re.compile(
    r"(image|img|picture|pic|photo|pixel|screenshot|figure|video|movie|clip|audio|sound|voice|wav|media"
    r"|画像|写真|図|動画|映像|音声|録音)s?"
    r"(_?(の?パス|url|uri|ファイル名?|path|file_?name|file|name|value|byte|base64|b64|data|array|\d{1,6})s?){0,3}"
)
REQUIRED: dict[DatasetFormat, tuple[str, ...]] = {
    "chat": ("messages",),
    "completion": ("prompt", "completion"),
    "instruction": ("instruction", "output"),
    "text": ("text",),
}
OPTIONAL: dict[DatasetFormat, tuple[str, ...]] = {
    "chat": ("system", "tools"),
    "completion": (),
    "instruction": ("input", "system", "history", "reasoning", "tools"),
    "text": (),
}
# Fields that hold the same thing: of two columns that fit one of them, only the user knows which is meant.
SAME_THING = (
    ("instruction", "prompt"), ("output", "completion"), ("input",), ("system",), ("text",),
    ("messages", "conversations"), ("history",), ("reasoning",), ("tools",),
)  # fmt: skip
JOIN = "+"
MAPPABLE = (
    "instruction", "input", "output", "system", "prompt", "completion", "text", "messages", "history", "reasoning",
    "tools",
)  # fmt: skip
ROLES = {
    "system": "system", "user": "user", "assistant": "assistant", "tool": "tool",
    "developer": "system", "prompter": "user", "ai": "assistant",
    "human": "user", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant", "bot": "assistant",
    "function": "tool", "function_response": "tool", "observation": "tool", "tool_response": "tool",
    "tool_output": "tool", "tool_result": "tool", "ipython": "tool",
    "function_call": "assistant", "tool_call": "assistant", "tool_calls": "assistant",
    "システム": "system", "ユーザー": "user", "ユーザ": "user", "利用者": "user",
    "アシスタント": "assistant", "ツール": "tool",
}  # fmt: skip


@dataclass(frozen=True)
class RowMapping:
    """The format of a row and which column each of its fields is in; fields without a column are absent.

    `joined` holds the fields that several columns make up, which `columns` names with `+` between them. `rivals` are
    the columns that fit a field as well as the one that was taken for it.
    """

    format: DatasetFormat
    columns: Mapping[str, str]
    ignored: tuple[str, ...]
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rivals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Tell whether every field that the format needs has a column."""
        return all(name in self.columns for name in REQUIRED[self.format])


def normalised(name: str) -> str:
    """Return the form in which column names are compared."""
    return unicodedata.normalize("NFKC", name).strip().casefold().replace(" ", "_").replace("-", "_")


ALL_NAMES = frozenset(normalised(name) for names in SYNONYMS.values() for name in names)


def check_columns(columns: Mapping[str, str]) -> None:
    """Check the left sides of `--map FIELD=COLUMN`, and that the right sides are names.

    Raises:
        ConfigError: a field that does not exist, or a column that is no text.
    """
    for name, column in columns.items():
        if name not in MAPPABLE:
            raise ConfigError("unknown_field", name=name, known=", ".join(MAPPABLE))
        if not isinstance(column, str) or not column.strip():
            raise ConfigError("column_not_text", name=name)


def columns_named(word: str, present: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that the right side of `--map` names: one, or several with `+` between them; none if not all.

    A name that is there as it was written wins, also one with a `+` in it.
    """
    by_name: dict[str, str] = {}
    for key in present:
        by_name.setdefault(normalised(key), key)
    return _named(word, frozenset(present), by_name)


def _named(word: str, present: frozenset[str], by_name: Mapping[str, str]) -> tuple[str, ...]:
    whole = word if word in present else by_name.get(normalised(word))
    if whole is not None:
        return (whole,)
    parts = word.split(JOIN)
    for size in range(len(parts) - 1, 0, -1):
        first = JOIN.join(parts[:size])
        found = first if first in present else by_name.get(normalised(first))
        rest = _named(JOIN.join(parts[size:]), present, by_name) if found is not None else ()
        if found is not None and rest:
            return (found, *rest)
    return ()


def find_mapping(
    keys: Iterable[str], given: Mapping[str, str], wanted: DatasetFormat | None = None
) -> RowMapping | None:
    """Return the best reading of a row with these columns, or None when no column says what it is.

    A complete reading wins over an incomplete one; `given` (`--map`) wins over the usual names.
    """
    present = list(keys)
    by_name: dict[str, str] = {}
    for key in present:
        by_name.setdefault(normalised(key), key)
    named = {name: _named(column, frozenset(present), by_name) for name, column in given.items()}
    order: tuple[DatasetFormat, ...] = (wanted,) if wanted else ("chat", "completion", "instruction", "text")
    if not wanted:
        order = tuple(sorted(order, key=lambda name: -sum(field in given for field in REQUIRED[name])))
    candidates = [mapping for name in order if (mapping := _mapping(name, present, by_name, named))]
    complete = [mapping for mapping in candidates if mapping.is_complete]
    if complete:
        return complete[0]
    partial = [mapping for mapping in candidates if any(field in mapping.columns for field in REQUIRED[mapping.format])]
    order_partial = ("instruction", "completion", "chat", "text")
    return min(partial, key=lambda mapping: order_partial.index(mapping.format), default=None)


def _mapping(
    name: DatasetFormat, present: list[str], by_name: Mapping[str, str], given: Mapping[str, tuple[str, ...]]
) -> RowMapping | None:
    found: dict[str, tuple[str, ...]] = {}
    taken = {column for columns in given.values() for column in columns}
    for field_name in (*REQUIRED[name], *OPTIONAL[name]):
        columns = given.get(field_name)
        if columns is None:
            names = SYNONYMS[field_name] + (SYNONYMS["conversations"] if field_name == "messages" else ())
            usual = (by_name.get(normalised(synonym)) for synonym in names)
            columns = tuple(key for key in usual if key is not None and key not in taken)[:1]
        if columns:
            found[field_name] = columns
            taken.update(columns)
    if not found:
        return None
    used = {column for columns in found.values() for column in columns}
    ignored = tuple(key for key in present if key not in used)
    return RowMapping(
        name,
        {field_name: JOIN.join(columns) for field_name, columns in found.items()},
        ignored,
        {field_name: columns for field_name, columns in found.items() if len(columns) > 1},
        _rivals([field_name for field_name in found if field_name not in given], ignored),
    )


def _rivals(fields: Iterable[str], left_over: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return, for each field that no `--map` settled, the columns left over that fit it too."""
    rivals: dict[str, tuple[str, ...]] = {}
    free = list(left_over)
    for field_name in fields:
        group = next(group for group in SAME_THING if field_name in group)
        names = {synonym for member in group for synonym in SYNONYMS[member]}
        fitting = tuple(column for column in free if normalised(column) in names)
        if fitting:
            rivals[field_name] = fitting
            free = [column for column in free if column not in fitting]
    return rivals


def role_of(word: object) -> str | None:
    """Return system, user, assistant or tool for the name of a speaker, or None."""
    return ROLES.get(normalised(word)) if isinstance(word, str) else None
