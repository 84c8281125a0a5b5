"""Which column holds what: the usual names of columns and roles in English and Japanese, and `--map`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
}  # fmt: skip
REQUIRED: dict[DatasetFormat, tuple[str, ...]] = {
    "chat": ("messages",),
    "completion": ("prompt", "completion"),
    "instruction": ("instruction", "output"),
    "text": ("text",),
}
OPTIONAL: dict[DatasetFormat, tuple[str, ...]] = {
    "chat": ("system",),
    "completion": (),
    "instruction": ("input", "system"),
    "text": (),
}
MAPPABLE = ("instruction", "input", "output", "system", "prompt", "completion", "text", "messages")
ROLES = {
    "system": "system", "user": "user", "assistant": "assistant", "tool": "tool",
    "human": "user", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant", "bot": "assistant",
    "function": "tool", "function_call": "tool", "function_response": "tool", "observation": "tool",
    "システム": "system", "ユーザー": "user", "ユーザ": "user", "利用者": "user",
    "アシスタント": "assistant", "ツール": "tool",
}  # fmt: skip


@dataclass(frozen=True)
class RowMapping:
    """The format of a row and which column each of its fields is in; fields without a column are absent."""

    format: DatasetFormat
    columns: Mapping[str, str]
    ignored: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether every field that the format needs has a column."""
        return all(name in self.columns for name in REQUIRED[self.format])


def normalised(name: str) -> str:
    """Return the form in which column names are compared."""
    return unicodedata.normalize("NFKC", name).strip().casefold().replace(" ", "_").replace("-", "_")


ALL_NAMES = frozenset(normalised(name) for names in SYNONYMS.values() for name in names)


def check_columns(columns: Mapping[str, str]) -> None:
    """Check the left sides of `--map FIELD=COLUMN`.

    Raises:
        ConfigError: a field that does not exist.
    """
    for name in columns:
        if name not in MAPPABLE:
            raise ConfigError("unknown_field", name=name, known=", ".join(MAPPABLE))


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
    order: tuple[DatasetFormat, ...] = (wanted,) if wanted else ("chat", "completion", "instruction", "text")
    if not wanted:
        order = tuple(sorted(order, key=lambda name: -sum(field in given for field in REQUIRED[name])))
    candidates = [mapping for name in order if (mapping := _mapping(name, present, by_name, given))]
    complete = [mapping for mapping in candidates if mapping.is_complete]
    if complete:
        return complete[0]
    partial = [mapping for mapping in candidates if any(field in mapping.columns for field in REQUIRED[mapping.format])]
    order_partial = ("instruction", "completion", "chat", "text")
    return min(partial, key=lambda mapping: order_partial.index(mapping.format), default=None)


def _mapping(
    name: DatasetFormat, present: list[str], by_name: Mapping[str, str], given: Mapping[str, str]
) -> RowMapping | None:
    columns: dict[str, str] = {}
    taken = set(given.values())
    for field in (*REQUIRED[name], *OPTIONAL[name]):
        if field in given:
            column = given[field] if given[field] in present else by_name.get(normalised(given[field]))
        else:
            names = SYNONYMS[field] + (SYNONYMS["conversations"] if field == "messages" else ())
            found = (by_name.get(normalised(synonym)) for synonym in names)
            column = next((key for key in found if key is not None and key not in taken), None)
        if column is not None:
            columns[field] = column
            taken.add(column)
    if not columns:
        return None
    used = set(columns.values())
    return RowMapping(name, columns, tuple(key for key in present if key not in used))


def role_of(word: object) -> str | None:
    """Return system, user, assistant or tool for the name of a speaker, or None."""
    return ROLES.get(normalised(word)) if isinstance(word, str) else None
