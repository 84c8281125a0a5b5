"""A data file as a model would be trained on it: rows as spans of text, and what other lengths would cut."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.core.errors import DatasetRowError
from llmlora.core.examples import Example
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.data.stats import Lengths
from llmlora.prepare.dataset import (
    IGNORED,
    OnProgress,
    PreparedDataset,
    PrepareOptions,
    encode_rows,
    learnable_row,
    prepare_file,
)
from llmlora.prepare.preview import MASKED, TRAINED, TRUNCATED, preview_rows
from llmlora.prepare.template import ChatTemplate, load_template
from llmlora.prepare.tokenizer import TextEncoder, load_tokenizer
from llmlora.weights.base import Base

LISTED_ROWS = 100
TOO_SHORT = ("no_trainable_tokens", "rows_longer_than_model", "no_row_fits")  # what a larger max_length would mend


@dataclass(frozen=True)
class ViewQuery:
    """Which training rows to show (0-based `start`, at most `limit`), and the lengths to try on the whole file."""

    start: int = 0
    limit: int = 20
    lengths: tuple[int, ...] = ()


@dataclass
class _Trial:
    """What one max_length would do to the rows of a file."""

    max_length: int
    num_cut: int = 0
    num_vanished: int = 0
    vanished: list[int] = field(default_factory=list)

    def look_at(self, row: int, ids: list[int], learned: list[bool], encoder: TextEncoder) -> None:
        self.num_cut += 1
        if learnable_row((ids, learned), self.max_length, encoder) is None:
            self.num_vanished += 1
            if len(self.vanished) < LISTED_ROWS:
                self.vanished.append(row)

    def to_dict(self) -> dict[str, Any]:
        names = ("max_length", "num_cut", "num_vanished")
        return {**{name: getattr(self, name) for name in names}, "vanished_rows": self.vanished}


def training_view(
    path: Path,
    read: ReadOptions,
    base: Base,
    options: PrepareOptions,
    query: ViewQuery,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Return `facts`, `tokens`, `rows` and `lengths` of a data file, made of the arrays that training uses.

    Each of `lengths` tells how many training rows it would cut, and how many of those would lose their whole answer
    (`vanished_rows` names the first 100 examples). Where the wished max_length leaves an example without an answer,
    which training refuses, `refusal` says so and `rows` is empty.

    Raises:
        DatasetError, ModelFileError, ConfigError: what training would refuse whatever the length.
    """
    longest = base.context_length or options.max_length
    uncut = replace(options, max_length=longest, split_long_text=False, drop_overlong=False)
    whole = prepare_file(path, read, base, uncut, on_progress)
    template = load_template(base.tokenizer_dir, options.chat_template)
    shown, refusal = _wished(path, read, base, options, whole, on_progress)
    rows = [] if shown is None else preview_rows(shown, load_tokenizer(base.tokenizer_dir), query.limit, query.start)
    examples, texts = _examples(path, read, {row["row"] for row in rows}, bool(whole.facts["num_raw"]))
    trials = [_Trial(length) for length in sorted({*query.lengths, options.max_length})]
    return {
        "facts": (shown or whole).facts,
        "refusal": refusal,
        "tokens": _tokens(whole, template.encoder, trials, texts if options.split_long_text else ()),
        "rows": [_spanned(row, _kept_out(examples[row["row"]], row, template, uncut)) for row in rows],
        "next_start": query.start + len(rows) if shown is not None and query.start + len(rows) < len(shown) else None,
        "lengths": [trial.to_dict() for trial in trials],
    }


def _wished(
    path: Path,
    read: ReadOptions,
    base: Base,
    options: PrepareOptions,
    whole: PreparedDataset,
    on_progress: OnProgress | None,
) -> tuple[PreparedDataset | None, dict[str, Any] | None]:
    """Return the rows of the wished max_length, or why training would refuse it."""
    if int((whole.lengths + whole.num_cut).max()) <= options.max_length:  # nothing to cut: these are the same arrays
        return replace(whole, facts={**whole.facts, "max_length": options.max_length}), None
    try:
        return prepare_file(path, read, base, options, on_progress), None
    except DatasetRowError as error:
        if error.code not in TOO_SHORT:
            raise
        return None, error.to_dict()


def _examples(
    path: Path, read: ReadOptions, wanted: Collection[int], has_raw: bool
) -> tuple[dict[int, Example], set[int]]:
    """Return the examples that are shown, and which of all are plain text, which is divided and never cut."""
    examples, texts, last = {}, set(), max(wanted, default=0)
    for example in iter_examples(path, read):
        if example.row > last and not has_raw:
            break
        if example.row in wanted:
            examples[example.row] = example
        if example.text is not None:
            texts.add(example.row)
    return examples, texts


def _tokens(
    whole: PreparedDataset, encoder: TextEncoder, trials: Sequence[_Trial], divided: Collection[int]
) -> dict[str, Any]:
    """Return counts over all training rows at their full length, and let the trials look at those that are too long."""
    lengths = Lengths()
    sizes = whole.lengths + whole.num_cut
    for index, size in enumerate(sizes.tolist()):
        lengths.add(size)
        row = int(whole.rows[index])
        short = [trial for trial in trials if size > trial.max_length] if row not in divided else []
        if short:
            ids, labels = whole.row(index)
            learned = [label != IGNORED for label in labels.tolist()]
            for trial in short:
                trial.look_at(row, ids.tolist(), learned, encoder)
    last = whole.offsets[1:] - 1
    ends = np.isin(whole.input_ids[last], list(encoder.end_ids)) & (whole.labels[last] != IGNORED)
    return {
        **lengths.to_dict(),
        "num_rows": len(whole),
        "total": lengths.total,
        "learned": whole.num_label_tokens,
        "num_end_learned": int(ends.sum()),
        "histogram": lengths.histogram,
    }


def _kept_out(example: Example, row: dict[str, Any], template: ChatTemplate, options: PrepareOptions) -> set[int]:
    """Return the places of tokens of answers that their author kept out of training."""
    if all(turn.learned for turn in example.messages):
        return set()
    everything = replace(example, messages=tuple(replace(turn, learned=True) for turn in example.messages))
    encoded = encode_rows(template, everything, options)
    if len(encoded) != 1:  # a template that shows each answer in a row of its own shows none but those learned
        return set()
    places = set()
    for place, (token, own, is_answer) in enumerate(zip(row["tokens"], *encoded[0], strict=False)):
        if token["id"] != own:
            break
        if is_answer and token["state"] == MASKED:
            places.add(place)
    return places


def _spanned(row: dict[str, Any], kept_out: Collection[int]) -> dict[str, Any]:
    """Return a row of the preview with spans in the place of its tokens."""
    spans = list(_spans(row["tokens"], kept_out))
    counts = {name: row[name] for name in ("row", "num_tokens", "num_label_tokens", "num_cut", "end_token_trained")}
    return {
        **counts,
        "num_characters": sum(len(span["text"]) for span in spans if span["kind"] not in ("special", "cut")),
        "spans": spans,
    }


def _spans(tokens: Sequence[dict[str, Any]], kept_out: Collection[int]) -> Iterable[dict[str, Any]]:
    """Yield {text, kind, learned, num_tokens}: neighbours of one kind together, each special token alone.

    `kind` is learned, context, masked (of an answer that its author kept out), special, cut (behind max_length) or
    bytes (a character of several tokens, or one that the tokenizer does not know).
    """
    span: dict[str, Any] | None = None
    num_parts = 0
    for place, token in enumerate(tokens):
        num_parts += 1
        if not token["text"] and place + 1 < len(tokens) and token["state"] == tokens[place + 1]["state"]:
            continue  # a part of a character, whose text stands at its last token
        kind = _kind(token, num_parts > 1 or not token["text"], place in kept_out)
        found = {"text": token["text"], "kind": kind, "learned": token["state"] == TRAINED, "num_tokens": num_parts}
        num_parts = 0
        if span and kind != "special" and (span["kind"], span["learned"]) == (kind, found["learned"]):
            span["text"] += found["text"]
            span["num_tokens"] += found["num_tokens"]
            continue
        if span:
            yield span
        span = found
    if span:
        yield span


def _kind(token: dict[str, Any], is_in_parts: bool, is_kept_out: bool) -> str:
    if token["state"] == TRUNCATED:
        return "cut"
    if token["special"] and not token["unknown"]:
        return "special"
    if token["unknown"] or is_in_parts:
        return "bytes"
    if token["state"] == TRAINED:
        return "learned"
    return "masked" if is_kept_out else "context"
