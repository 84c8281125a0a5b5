"""Whether the first line of a table names its columns or is a row already, and the `--map` that reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from llmlora.core.locale import shell_word
from llmlora.data.fields import ALL_NAMES, SYNONYMS, find_mapping, normalised

Kind = Literal["header", "row", "unclear"]
BY_NUMBER = re.compile(r"#\d+")
SENTENCE = re.compile(r"[。！？!?]|[.．…]\s*$|\n|(?:です|ます|ました|でした|ません|ください)か?$")
NUMBER = re.compile(r"[\d\s./:,-]*")
LONGEST_NAME = 40
# Words of column names that are no field of a row.
OTHER_NAMES = frozenset(
    normalised(word)
    for word in (
        "id", "no", "no.", "number", "番号", "連番", "title", "タイトル", "件名", "見出し", "body", "内容", "category",
        "カテゴリ", "カテゴリー", "分類", "種別", "name", "名前", "date", "日付", "更新日", "source", "出典", "note",
        "備考", "メモ", "解説", "choices", "options", "選択肢",
    )
)  # fmt: skip
# Words of column names that are no field's usual name, and yet say what stands there.
LIKE = {
    "instruction": ("problem", "inputs", "source", "article", "human", "原文", "発話"),
    "output": (
        "answers", "solution", "target", "targets", "reply", "summary", "translation", "返事", "返信", "返し", "対応",
        "正答", "訳文", "要約",
    ),
}  # fmt: skip
WORSE = frozenset(("bad", "worse", "worst", "wrong", "incorrect", "negative", "rejected", "losing", "loser"))
WORSE_JAPANESE = ("誤り", "誤答", "悪い", "不正解", "不採用", "却下", "拒否")
SHOWN_CHOICES = 4
NUMBERING = frozenset(normalised(word) for word in ("id", "no", "no.", "number", "番号", "連番", "#"))
CHOICES = frozenset(("choices", "options", "選択肢"))  # part of a question wherever they stand
NAMES = ALL_NAMES | OTHER_NAMES | {word for words in LIKE.values() for word in words}
JAPANESE_WORDS = tuple(
    sorted(name for name in (*ALL_NAMES, *LIKE["instruction"], *LIKE["output"]) if len(name) > 1 and not name.isascii())
)


def is_by_number(columns: Mapping[str, str]) -> bool:
    """Tell whether every `--map` names its column by number (`#1`), as in a table whose first line is a row."""
    return bool(columns) and all(BY_NUMBER.fullmatch(column) for column in columns.values())


def has_header(first: Sequence[str], columns: Mapping[str, str]) -> bool:
    """Tell whether the first record of a table is taken as its header: always, except where columns go by number."""
    if not is_by_number(columns):
        return True
    mapping = find_mapping(first, {})
    return (mapping is not None and mapping.is_complete) or kind_of(first) == "header"


def kind_of(first: Sequence[str]) -> Kind:
    """Return what the first record of a table is, as far as its cells tell.

    One cell that is a name, or holds the word of one, may be a row about such a thing; two are a header.
    """
    cells = [cell.strip() for cell in first if cell.strip()]
    exact = [cell for cell in cells if normalised(cell.rstrip("?？!！:：")) in ALL_NAMES and len(cell) > 1]
    if exact:
        others = [cell for cell in cells if cell not in exact]
        is_named = len(exact) > 1 or not others or any(_is_named(cell, longest=LONGEST_NAME) for cell in others)
        return "header" if is_named else "unclear"
    if any(SENTENCE.search(cell) or len(cell) > LONGEST_NAME for cell in cells):
        return "row"
    return "header" if sum(map(_is_named, cells)) > 1 else "unclear"


def _is_named(cell: str, longest: int = 12) -> bool:
    """Tell whether a cell holds the word of a name; a Japanese one, of which words are not parted, if it is short."""
    return bool(_words(cell) & NAMES) or _fits(cell, JAPANESE_WORDS, longest)


def _words(cell: str) -> set[str]:
    return {normalised(word) for word in re.findall(r"\w+", normalised(cell).replace("_", " ")) if len(word) > 1}


def _fits(cell: str, names: Sequence[str], longest: int = 12) -> bool:
    return len(cell) <= longest and any(name in normalised(cell) for name in names)


def map_options(columns: Mapping[str, str]) -> str:
    """Return the options of the command line that name these columns, ready to paste."""
    return " ".join(f"--map {shell_word(f'{name}={column}')}" for name, column in columns.items())


def proposal(names: Sequence[str]) -> dict[str, str]:
    """Return which of these columns probably hold question and answer; of a single one, the text."""
    columns = [name for name in names if name.strip()]
    content = [name for name in columns if normalised(name) not in NUMBERING] or columns
    if len(content) < 2:
        return {"text": content[0]} if content else {}
    answers = [name for name in content if _means(name, "output")]
    questions = [name for name in content if _means(name, "instruction") and name not in answers[:1]]
    question = next(iter(questions), None) or next(name for name in content if name not in answers[:1])
    answer = next(iter(answers), None) or next(name for name in content if name != question)
    return {"instruction": question, "output": answer}


def numbered(count: int) -> list[str]:
    """Return the names of columns that have none: `#1`, `#2`, …"""
    return [f"#{place}" for place in range(1, count + 1)]


def proposal_by_number(first: Sequence[str]) -> dict[str, str]:
    """Return which columns probably hold question and answer where the first line is a row: those with words in it."""
    names = numbered(len(first))
    worded = [name for name, cell in zip(names, first, strict=True) if not NUMBER.fullmatch(cell)]
    return proposal(worded if len(worded) > 1 else names)


def candidates(name: str, free: Sequence[str]) -> list[str]:
    """Return which of the columns left over may hold a field: those whose names say so, else all with words in them.

    One whose name says that it holds a wrong answer is none.
    """
    content = [column for column in free if normalised(column) not in NUMBERING and not _is_worse(column)]
    meaning = {"prompt": "instruction", "completion": "output"}.get(name, name)
    said = [column for column in content if meaning in LIKE and _means(column, meaning)]
    named = [column for column in content if not BY_NUMBER.fullmatch(column)]
    return (said or named or content)[:SHOWN_CHOICES]


def _is_worse(column: str) -> bool:
    return bool(_words(column) & WORSE) or any(word in column for word in WORSE_JAPANESE)


def _means(column: str, name: str) -> bool:
    words = (*SYNONYMS[name], *LIKE[name])
    return bool(_words(column) & set(words)) or _fits(column, [word for word in words if not word.isascii()])
