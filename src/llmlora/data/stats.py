"""Numbers about the rows of a data file, gathered in one pass and little memory."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from typing import Any

from llmlora.core.examples import Example
from llmlora.data.japanese import (
    FULL_WIDTH,
    HALF_KATAKANA,
    HALF_WIDTH,
    KANA,
    TERM,
    style_of,
)
from llmlora.data.problems import Problem, warning
from llmlora.data.quality import answers_of, texts_of

SAMPLE_SIZE = 10_000
# Where the bars of a histogram end: 1, 2, 3, 5, 7, 10, 15, 20, 30, …
BAR_LIMITS = (1, 2, 3, 5, 7, *(step * 10**power for power in range(7) for step in (10, 15, 20, 30, 50, 70)))
FEW_ROWS = 50
# Style is looked at in the first 1,000 characters of the first 5,000 rows, then of every tenth row.
STYLED_CHARACTERS = 1000
STYLED_ROWS = 5_000
STYLED_EVERY = 10
# Rows -> what such a dataset is good for (docs/reference/datasets.md); below the first limit there is a warning.
SIZE_CLASSES = ((50, "too_few"), (100, "test"), (500, "usable"), (1000, "good"))
MIXED_SHARE = 0.2
MIXED_ROWS = 10


class Lengths:
    """Smallest, largest and mean of many numbers, how many fall where, and quantiles from a sample of 10,000."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.smallest = 0
        self.largest = 0
        self._bars = [0] * (len(BAR_LIMITS) + 1)
        self._sample: list[int] = []
        self._random = random.Random(0)

    def add(self, value: int) -> None:
        """Take one number."""
        self.smallest = value if not self.count else min(self.smallest, value)
        self.largest = max(self.largest, value)
        self.count += 1
        self.total += value
        self._bars[bisect_left(BAR_LIMITS, value)] += 1
        if len(self._sample) < SAMPLE_SIZE:
            self._sample.append(value)
        elif (place := int(self._random.random() * self.count)) < SAMPLE_SIZE:
            self._sample[place] = value

    @property
    def histogram(self) -> list[dict[str, int]]:
        """Return {over, up_to, count} from the smallest to the largest number."""
        bounds = [0, *BAR_LIMITS, 10 * BAR_LIMITS[-1]]
        first, last = bisect_left(BAR_LIMITS, self.smallest), bisect_left(BAR_LIMITS, self.largest)
        places = range(first, last + 1) if self.count else ()
        return [{"over": bounds[place], "up_to": bounds[place + 1], "count": self._bars[place]} for place in places]

    def to_dict(self) -> dict[str, Any]:
        """Return min, mean, median, p95 and max."""
        if not self.count:
            return {}
        ordered = sorted(self._sample)
        return {
            "min": self.smallest,
            "mean": round(self.total / self.count, 1),
            "median": ordered[len(ordered) // 2],
            "p95": ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)],
            "max": self.largest,
        }


class RowStats:
    """Lengths in characters, writing style and structure of the rows that can be trained on."""

    def __init__(self) -> None:
        self.num_rows = 0
        self.num_characters = 0
        self.num_bytes = 0
        self.num_turns = Lengths()
        self.num_answers = Lengths()
        self.characters = Lengths()
        self.answer_characters = Lengths()
        self.styles: Counter[str] = Counter()
        self.widths: Counter[str] = Counter()
        self.num_styled = 0
        self.num_japanese = 0
        self._num_terms = 0
        self._answer_total = 0

    def add(self, example: Example) -> None:
        """Take one row."""
        texts = [text for _, text in texts_of(example)]
        answers = answers_of(example)
        size = sum(map(len, texts))
        self.num_rows += 1
        self.num_characters += size
        self.num_bytes += sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
        self.characters.add(size)
        self.num_turns.add(len(texts))
        self.num_answers.add(len(answers))
        self.answer_characters.add(sum(map(len, answers)))
        if self.num_rows <= STYLED_ROWS or not self.num_rows % STYLED_EVERY:
            self._add_style("\n".join(answers)[:STYLED_CHARACTERS], texts)

    def _add_style(self, answer: str, texts: list[str]) -> None:
        self.num_styled += 1
        self._answer_total += len(answer)
        self._num_terms += len(TERM.findall(answer))
        self.num_japanese += any(KANA.search(text) is not None for text in texts)
        style = style_of(answer)
        if style:
            self.styles[style] += 1
        self._add_widths(answer)

    def _add_widths(self, text: str) -> None:
        self.widths["half"] += HALF_WIDTH.search(text) is not None
        if not text.isascii():
            self.widths["wide"] += FULL_WIDTH.search(text) is not None
            self.widths["half_katakana"] += HALF_KATAKANA.search(text) is not None

    def warnings(self) -> list[Problem]:
        """Return the findings about the file as a whole."""
        found = []
        if 0 < self.num_rows < FEW_ROWS:
            found.append(warning("too_few_rows", count=self.num_rows, wanted=FEW_ROWS))
        polite, plain = self.styles["polite"], self.styles["plain"]
        if polite + plain >= MIXED_ROWS and min(polite, plain) >= MIXED_SHARE * (polite + plain):
            found.append(warning("mixed_style", polite=polite, plain=plain))
        wide, half = self.widths["wide"], self.widths["half"]
        if wide + half >= MIXED_ROWS and min(wide, half) >= MIXED_SHARE * (wide + half):
            found.append(warning("mixed_widths", wide=wide, half=half))
        if self.widths["half_katakana"]:
            found.append(warning("half_width_katakana", count=self.widths["half_katakana"]))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers of the report."""
        return {
            "num_rows": self.num_rows,
            "num_characters": self.num_characters,
            "num_bytes": self.num_bytes,
            "characters": self.characters.to_dict(),
            "answer_characters": self.answer_characters.to_dict(),
            "num_answer_characters": self.answer_characters.total,
            "histograms": {
                "characters": self.characters.histogram,
                "answer_characters": self.answer_characters.histogram,
            },
            "turns": self.num_turns.to_dict(),
            "answers": self.num_answers.to_dict(),
            "japanese_share": round(self.num_japanese / max(1, self.num_styled), 3),
            "style": {"num_rows": self.num_styled, "polite": self.styles["polite"], "plain": self.styles["plain"]},
            "terms_per_100_characters": round(100 * self._num_terms / max(1, self._answer_total), 2),
            "size_class": size_class(self.num_rows),
        }


def size_class(num_rows: int) -> str:
    """Return what a dataset of so many rows is good for: too_few, test, usable, good or high."""
    return next((name for limit, name in SIZE_CLASSES if num_rows < limit), "high")
