"""What a model makes of a row while a data file is checked: its tokens, and whether training would refuse it."""

from __future__ import annotations

from dataclasses import dataclass

from llmlora.core.errors import ModelFileError
from llmlora.core.examples import Example
from llmlora.data.problems import Problem, error
from llmlora.data.quality import texts_of
from llmlora.data.validate import RowTokens
from llmlora.prepare.dataset import PrepareOptions, encode_rows, learnable_row, needed_length
from llmlora.prepare.template import ChatTemplate


@dataclass(frozen=True)
class RowCounter:
    """Counts rows exactly as they are trained on, template and end token included."""

    template: ChatTemplate
    max_length: int

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
            if failure.code != "template_refused":
                raise
            refusal = self._refused(example, "row_refused_by_template", detail=failure.params["detail"])
            return RowTokens(num_text, num_text, num_unknown, refusal)
        longest = max((len(ids) for ids, _ in rows), default=0)
        if any(learnable_row(row, self.max_length, encoder) for row in rows):
            return RowTokens(longest, num_text, num_unknown)
        needed = max(self.max_length, needed_length(rows))
        refusal = self._refused(example, "no_trainable_tokens", max_length=self.max_length, needed=needed)
        return RowTokens(longest, num_text, num_unknown, refusal)

    def _refused(self, example: Example, code: str, **params: object) -> Problem:
        return error(code, example.line, example.row, None, None, count=1, listed=str(example.row), **params)
