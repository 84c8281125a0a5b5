"""What a model makes of a row while a data file is checked: its tokens, and whether training would refuse it."""

from __future__ import annotations

from dataclasses import dataclass

from llmlora.core.errors import ModelFileError
from llmlora.core.examples import Example
from llmlora.data.problems import OVERLONG, Problem, error, warning
from llmlora.data.quality import texts_of
from llmlora.data.validate import RowTokens
from llmlora.prepare.dataset import (
    ROW_REFUSALS,
    PrepareOptions,
    encode_rows,
    learnable_row,
    longest_row,
    needed_length,
    too_long_code,
)
from llmlora.prepare.template import ChatTemplate


@dataclass(frozen=True)
class RowCounter:
    """Counts rows exactly as they are trained on, template and end token included."""

    template: ChatTemplate
    max_length: int
    context_length: int | None = None
    drop_overlong: bool = False

    def __call__(self, example: Example) -> RowTokens:
        """Return the counts of one example.

        Raises ModelFileError when the template or tokenizer cannot be used with any row.
        """
        encoder = self.template.encoder
        counted = [encoder.count(text) for _, text in texts_of(example) if text]
        num_text, num_unknown = sum(tokens for tokens, _ in counted), sum(unknown for _, unknown in counted)
        try:
            rows = encode_rows(self.template, example, PrepareOptions(self.max_length))
        except ModelFileError as failure:
            if failure.code not in ROW_REFUSALS:
                raise
            refusal = self._refused(example, ROW_REFUSALS[failure.code], **failure.params)
            return RowTokens((num_text,), num_text, num_unknown, refusal)
        lengths, longest = tuple(len(ids) for ids, _ in rows), longest_row(rows)
        if self.drop_overlong and longest > self.max_length:
            place = (example.line, example.row)
            left_out = warning(OVERLONG, *place, num_tokens=longest, max_length=self.max_length)
            return RowTokens(lengths, num_text, num_unknown, left_out, self.context_length)
        if any(learnable_row(row, self.max_length, encoder) for row in rows):
            return RowTokens(lengths, num_text, num_unknown, None, self.context_length)
        if longest <= self.max_length:
            return RowTokens(lengths, num_text, num_unknown, self._refused(example, "rows_without_answer"))
        needed = max(self.max_length, needed_length(rows))
        code, limit = too_long_code(needed_length(rows), self.context_length), self.context_length
        refusal = self._refused(example, code, max_length=self.max_length, needed=needed, limit=limit)
        return RowTokens(lengths, num_text, num_unknown, refusal)

    def _refused(self, example: Example, code: str, **params: object) -> Problem:
        return error(code, example.line, example.row, None, None, count=1, listed=str(example.row), **params)
