"""Examples to token ids and labels on disk, cached by content: the arrays that training and preview both read."""

from __future__ import annotations

import hashlib
import shutil
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from llmlora.core.errors import DatasetError, DatasetRowError, ModelFileError
from llmlora.core.examples import Example, Message
from llmlora.core.layout import META_FILE, TEMPORARY_PREFIX, prepared_dir
from llmlora.core.publish import publishing_dir, read_json, read_manifest, sha256_file, sha256_json, write_json
from llmlora.data.container import require_file
from llmlora.data.problems import all_overlong
from llmlora.data.read import KEPT_OUT, ReadOptions, iter_examples
from llmlora.prepare.template import ChatTemplate, Row, load_template
from llmlora.prepare.tokenizer import TextEncoder, tokenizer_digest
from llmlora.weights.base import Base

IGNORED = -100
PREPARE_VERSION = 6  # part of the cache key: raise it whenever the same input gives other arrays
# What a template does not take -> the same said of rows of a data file.
ROW_REFUSALS = {"template_refused": "row_refused_by_template", "template_without_tools": "row_needs_tools"}
MAX_UNKNOWN_SHARE = 0.2
MAX_LISTED_ROWS = 20
MAX_CUT_SHOWN = 256
UNKNOWN_SAMPLE = 200
LEAST_ANSWER = 5  # tokens: a character of up to four bytes, and the end token
PROGRESS_EXAMPLES = 256
MAX_CACHED = 32

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
OnProgress = Callable[[int], None]


@dataclass(frozen=True)
class PrepareOptions:
    """How examples become training rows; `max_length` counts tokens, end token included.

    `split_long_text` divides text rows that are longer, `drop_overlong` leaves other rows that are longer out.
    """

    max_length: int
    assistant_only_loss: bool = True
    chat_template: str | None = None
    system: str | None = None
    split_long_text: bool = True
    drop_overlong: bool = False


@dataclass(frozen=True)
class PreparedDataset:
    """Training rows end to end.

    `input_ids` and `labels` (int32, -100 where nothing is learned; label i belongs to token i) are flat; row k is
    `offsets[k]:offsets[k+1]` and comes from example `rows[k]` (1-based). `cut_ids` holds the first tokens that
    truncation took from each row, `facts` the counts.
    """

    input_ids: Ints
    labels: Ints
    offsets: Longs
    rows: Longs
    cut_ids: Ints
    cut_offsets: Longs
    num_cut: Longs
    facts: dict[str, Any]

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> tuple[Ints, Ints]:
        """Return ids and labels of training row `index` (0-based)."""
        start, end = self.offsets[index], self.offsets[index + 1]
        return self.input_ids[start:end], self.labels[start:end]

    def cut(self, index: int) -> tuple[Ints, int]:
        """Return the first tokens that truncation took from a row, and how many it took in all."""
        return self.cut_ids[self.cut_offsets[index] : self.cut_offsets[index + 1]], int(self.num_cut[index])

    @property
    def lengths(self) -> Longs:
        """Tokens of each row."""
        return np.diff(self.offsets)

    @property
    def num_tokens(self) -> int:
        """Tokens of all rows."""
        return len(self.input_ids)

    @property
    def num_label_tokens(self) -> int:
        """Tokens that are learned."""
        return int(self.facts["num_label_tokens"])

    @property
    def num_truncated(self) -> int:
        """Rows that were cut to max_length."""
        return int(self.facts["num_truncated"])

    def least_length(self, drops_overlong: bool) -> int:
        """Return a max_length with which the same examples are trained on: cut, but with some of an answer in each.

        Where longer rows are left out it is the length of the longest.
        """
        if drops_overlong:
            return int(self.lengths.max())
        learned = np.flatnonzero(np.asarray(self.labels) != IGNORED)
        starts = self.offsets[:-1]
        before = learned[np.searchsorted(learned, starts)] - starts
        needed = np.minimum(before + LEAST_ANSWER, self.lengths)
        examples = np.flatnonzero(np.diff(self.rows, prepend=0))  # one row with something to learn is enough
        return int(np.minimum.reduceat(needed, examples).max())

    @property
    def content(self) -> str:
        """Hash of what is learned: equal for equal rows, whichever version has made them."""
        learned = hashlib.sha256()
        for values in (self.input_ids, self.labels, self.offsets):
            learned.update(np.ascontiguousarray(values).data)
        return learned.hexdigest()

    @property
    def digest(self) -> str:
        """Hash of everything the arrays depend on."""
        return str(self.facts["digest"])


ARRAYS = ("input_ids", "labels", "offsets", "rows", "cut_ids", "cut_offsets", "num_cut")


def prepare_file(
    path: Path, read: ReadOptions, base: Base, options: PrepareOptions, on_progress: OnProgress | None = None
) -> PreparedDataset:
    """Return the prepared rows of a data file, cached by file, tokenizer, template and options."""
    require_file(path)
    key = sha256_json({"file": sha256_file(path), "read": asdict(read)})
    counts: Counter[str] = Counter()
    examples = iter_examples(path, read, lambda problem: counts.update((problem.code,)))
    return prepare_examples(examples, base, options, key, on_progress, counts)


def prepare_examples(
    examples: Iterable[Example],
    base: Base,
    options: PrepareOptions,
    cache_key: str | None = None,
    on_progress: OnProgress | None = None,
    left_out: Mapping[str, int] | None = None,
) -> PreparedDataset:
    """Return the prepared rows of examples; with `cache_key` (a hash of the data) they are kept in the workspace.

    `on_progress(number of examples)` is called now and then; it may raise to stop. `left_out` counts, once all examples
    are read, those that did not come because their author kept them out (`row_kept_out`).

    Raises:
        DatasetRowError: `rows_without_answer`, `no_trainable_tokens`, `rows_longer_than_model`, `no_row_fits` or
            `row_refused_by_template`, naming all such rows.
        DatasetError: `nothing_to_prepare`; `too_many_unknown_tokens` when the tokenizer does not know the language.
        ModelFileError, ConfigError: tokenizer or template.
    """
    template = load_template(base.tokenizer_dir, options.chat_template)
    digest = sha256_json(
        {
            "version": PREPARE_VERSION,
            "data": cache_key,
            "tokenizer": tokenizer_digest(base.tokenizer_dir),
            "template": template.text,
            "options": asdict(options),
        }
    )
    folder = prepared_dir() / digest
    if cache_key is not None and (cached := load_prepared(folder)) is not None:
        return cached
    builder = _Builder(template, options, base.context_length)
    prepared = builder.build(_reporting(examples, on_progress), digest)
    prepared.facts["num_kept_out"] = (left_out or {}).get(KEPT_OUT, 0)
    if cache_key is None:
        return prepared
    save_prepared(prepared, folder)
    _forget_oldest(prepared_dir())
    return load_prepared(folder) or prepared


def _reporting(examples: Iterable[Example], on_progress: OnProgress | None) -> Iterator[Example]:
    for count, example in enumerate(examples):
        if on_progress is not None and count % PROGRESS_EXAMPLES == 0:
            on_progress(count)
        yield example


def _forget_oldest(cache: Path) -> None:
    """Keep the cache from growing for ever; who has an old folder mapped into memory keeps what it has."""
    folders = [path for path in cache.iterdir() if path.is_dir() and not path.name.startswith(TEMPORARY_PREFIX)]
    for path in sorted(folders, key=lambda item: item.stat().st_mtime)[:-MAX_CACHED]:
        shutil.rmtree(path, ignore_errors=True)


def save_prepared(prepared: PreparedDataset, folder: Path) -> None:
    """Publish prepared rows as a folder of .npy files."""
    with publishing_dir(folder, existing="keep") as temporary:
        for name in ARRAYS:
            np.save(temporary / f"{name}.npy", getattr(prepared, name), allow_pickle=False)
        write_json(temporary / META_FILE, prepared.facts)


def load_prepared(folder: Path) -> PreparedDataset | None:
    """Return the rows of a published folder, memory-mapped; None when it is missing or damaged."""
    if read_manifest(folder) is None:
        return None
    try:
        arrays = {name: _mapped(folder / f"{name}.npy") for name in ARRAYS}
        return PreparedDataset(**arrays, facts=read_json(folder / META_FILE))
    except FileNotFoundError:  # forgotten by another process at this moment
        return None


def _mapped(path: Path) -> Any:
    whole = np.load(path, mmap_mode="r", allow_pickle=False)
    return whole if len(whole) else np.asarray(whole)


@dataclass
class _Builder:
    """Collects rows; broken ones are remembered, so that all of them can be named together."""

    template: ChatTemplate
    options: PrepareOptions
    context_length: int | None = None
    ids: array[int] = field(default_factory=lambda: array("i"))
    labels: array[int] = field(default_factory=lambda: array("i"))
    offsets: array[int] = field(default_factory=lambda: array("q", [0]))
    rows: array[int] = field(default_factory=lambda: array("q"))
    cut_ids: array[int] = field(default_factory=lambda: array("i"))
    cut_offsets: array[int] = field(default_factory=lambda: array("q", [0]))
    num_cut: array[int] = field(default_factory=lambda: array("q"))
    without_labels: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    refusal: ModelFileError | None = None
    needed_length: int = 0
    answerless: list[int] = field(default_factory=list)
    overlong: list[int] = field(default_factory=list)
    num_examples: int = 0
    num_control_tokens: int = 0
    num_system_folded: int = 0
    num_system_unused: int = 0
    num_raw: int = 0
    num_reasoning_hidden: int = 0
    num_dropped: int = 0
    num_split: int = 0
    num_counted: int = 0
    num_unknown: int = 0

    def build(self, examples: Iterable[Example], digest: str) -> PreparedDataset:
        """Return the rows of all examples, or raise for all bad ones together."""
        for example in examples:
            self._add(example)
        self._raise_problems()
        arrays: dict[str, Any] = {name: np.array(getattr(self, own), dtype) for name, own, dtype in _COLUMNS}
        return PreparedDataset(**arrays, facts=self._facts(arrays["labels"], digest))

    def _facts(self, labels: Ints, digest: str) -> dict[str, Any]:
        return {
            "digest": digest,
            "num_examples": self.num_examples,
            "num_rows": len(self.rows),
            "num_tokens": len(self.ids),
            "num_label_tokens": int((labels != IGNORED).sum()),
            "num_truncated": sum(1 for count in self.num_cut if count) + self.num_dropped,
            "num_rows_dropped": self.num_dropped,
            "num_overlong_left_out": len(self.overlong) if self.options.drop_overlong else 0,
            "num_texts_split": self.num_split,
            "num_tokens_cut": sum(self.num_cut),
            "num_control_tokens": self.num_control_tokens,
            "num_system_folded": self.num_system_folded,
            "num_system_unused": self.num_system_unused,
            "num_raw": self.num_raw,
            "num_reasoning_hidden": self.num_reasoning_hidden,
            "unknown_share": self._unknown_share,
            "max_length": self.options.max_length,
            "template": self.template.name,
            "template_source": self.template.source,
        }

    def _add(self, example: Example) -> None:
        self.num_examples += 1
        self._count_unknown(example)
        self._count_marks(example)
        try:
            encoded = encode_rows(self.template, example, self.options)
        except ModelFileError as error:
            if error.code not in ROW_REFUSALS:
                raise
            self.refused.append(example.row)
            self.refusal = self.refusal or error
            return
        is_too_long = is_overlong(encoded, self.options.max_length)
        if is_too_long:
            self.overlong.append(longest_row(encoded))
        if is_too_long and self.options.drop_overlong:
            return
        self.num_split += example.text is not None and len(encoded) > 1
        fitted = (learnable_row(row, self.options.max_length, self.template.encoder) for row in encoded)
        kept = [row for row in fitted if row is not None]
        self.num_dropped += len(encoded) - len(kept) if kept else 0
        if not kept and not is_too_long:
            self.answerless.append(example.row)
        elif not kept:
            self.without_labels.append(example.row)
            self.needed_length = max(self.needed_length, needed_length(encoded))
        for ids, learned, cut in kept:
            self._append(example.row, ids, learned, cut)

    def _append(self, row: int, ids: list[int], learned: list[bool], cut: list[int]) -> None:
        labels = [token if is_learned else IGNORED for token, is_learned in zip(ids, learned, strict=True)]
        labels[0] = IGNORED  # nothing stands before the first token from which it could be predicted
        self.ids.extend(ids)
        self.labels.extend(labels)
        self.offsets.append(len(self.ids))
        self.rows.append(row)
        self.cut_ids.extend(cut[:MAX_CUT_SHOWN])
        self.cut_offsets.append(len(self.cut_ids))
        self.num_cut.append(len(cut))

    def _count_marks(self, example: Example) -> None:
        template = self.template
        if example.messages:
            turns = with_system(example.messages, self.options.system)
            self.num_control_tokens += template.count_control_tokens(turns)
            has_no_role = turns[0].role == "system" and not template.supports_system
            self.num_system_folded += has_no_role and not template.is_raw
            self.num_system_unused += has_no_role and template.is_raw
            self.num_reasoning_hidden += template.num_hidden_reasoning(turns)
        else:
            self.num_raw += 1
            self.num_system_unused += bool(self.options.system)
            self.num_control_tokens += sum(template.encoder.guard(text)[1] for text in _texts(example))

    def _count_unknown(self, example: Example) -> None:
        """Look at the first rows only: the share settles soon, and counting costs as much as encoding."""
        if self.num_examples > UNKNOWN_SAMPLE:
            return
        for text in _texts(example):
            tokens, unknown = self.template.encoder.count(text)
            self.num_counted += tokens
            self.num_unknown += unknown

    @property
    def _unknown_share(self) -> float:
        return self.num_unknown / max(1, self.num_counted)

    def _raise_problems(self) -> None:
        if not self.num_examples:
            raise DatasetError("nothing_to_prepare")
        if self.options.drop_overlong and len(self.overlong) == self.num_examples:
            raise all_overlong(self.overlong, self.options.max_length, self.context_length).to_error()
        if self._unknown_share > MAX_UNKNOWN_SHARE:
            percent, limit = round(100 * self._unknown_share, 1), round(100 * MAX_UNKNOWN_SHARE)
            raise DatasetError("too_many_unknown_tokens", percent=percent, limit=limit)
        if self.refusal is not None:
            params = {**self.refusal.params, "rows": self.refused, "listed": _listed(self.refused)}
            raise DatasetRowError(ROW_REFUSALS[self.refusal.code], count=len(self.refused), **params)
        if self.answerless:
            rows, listed = self.answerless, _listed(self.answerless)
            raise DatasetRowError("rows_without_answer", rows=rows, listed=listed, count=len(rows))
        if self.without_labels:
            code = too_long_code(self.needed_length, self.context_length)
            if code == "rows_longer_than_model" and len(self.overlong) == self.num_examples:
                code = "no_row_fits"  # leaving them out would leave nothing
            raise DatasetRowError(
                code,
                rows=self.without_labels,
                listed=_listed(self.without_labels),
                count=len(self.without_labels),
                max_length=self.options.max_length,
                needed=max(self.needed_length, self.options.max_length),
                limit=self.context_length,
            )


_COLUMNS = (
    ("input_ids", "ids", np.int32), ("labels", "labels", np.int32), ("offsets", "offsets", np.int64),
    ("rows", "rows", np.int64), ("cut_ids", "cut_ids", np.int32), ("cut_offsets", "cut_offsets", np.int64),
    ("num_cut", "num_cut", np.int64),
)  # fmt: skip


def encode_rows(template: ChatTemplate, example: Example, options: PrepareOptions) -> list[Row]:
    """Return the training rows of an example at their full length: token ids, and for each whether it is learned.

    Raises ModelFileError: `template_refused`, or `tokenizer_no_eos`.
    """
    encoder = template.encoder
    if example.messages:
        turns = with_system(example.messages, options.system)
        return template.encode_example(turns, options.assistant_only_loss, example.tools)
    if encoder.eos_id is None:
        raise ModelFileError("tokenizer_no_eos", name=template.name)
    if example.text is not None:
        ids = encoder.with_bos(encoder.encode_raw(example.text))
        whole = [*ids, encoder.eos_id]
        blocks = text_blocks(whole, options.max_length, encoder) if options.split_long_text else [whole]
        return [(block, [True] * len(block)) for block in blocks]
    before, after = example.prompt or "", example.completion or ""
    prompt = encoder.with_bos(encoder.encode_raw(before))
    joined = encoder.with_bos(encoder.encode_raw(before + after))
    fits = joined[: len(prompt)] == prompt
    guarded = [encoder.guard(part)[0] for part in (before, after)]
    reply = joined[len(prompt) :] if fits else encoder.encode_continuation(guarded[0], guarded[1])
    learns_prompt = not options.assistant_only_loss
    return [([*prompt, *reply, encoder.eos_id], [learns_prompt] * len(prompt) + [True] * (len(reply) + 1))]


def text_blocks(ids: list[int], max_length: int, encoder: TextEncoder) -> list[list[int]]:
    """Return a text with its end token in blocks of at most `max_length` tokens; no token is lost.

    A tokenizer's BOS stands in front of each block, the end token behind the last. Blocks end between characters, and
    the last one holds something to learn before its end token.
    """
    head = ids[:1] if encoder.adds_bos and ids[0] == encoder.bos_id else []
    rest, room, least = ids[len(head) :], max_length - len(head), 3 - len(head)
    blocks = []
    while len(rest) > room:
        size = room - max(0, least - (len(rest) - room))
        size = encoder.whole_characters(rest[:size]) or size
        blocks.append([*head, *rest[:size]])
        rest = rest[size:]
    return [*blocks, [*head, *rest]]


def is_overlong(rows: Iterable[Row], max_length: int) -> bool:
    """Tell whether training would have to cut one of an example's rows."""
    return any(len(ids) > max_length for ids, _ in rows)


def longest_row(rows: Iterable[Row]) -> int:
    """Return the tokens of the longest row of an example."""
    return max((len(ids) for ids, _ in rows), default=0)


def too_long_code(needed: int, limit: int | None) -> str:
    """Return the code of rows without an answer that could be learned: one that fits the model would help, or not."""
    return "rows_longer_than_model" if limit is not None and needed > limit else "no_trainable_tokens"


def with_system(messages: tuple[Message, ...], system: str | None) -> tuple[Message, ...]:
    """Return a conversation that begins with a system turn, if there is a text for one."""
    return (Message("system", system), *messages) if system and messages[0].role != "system" else messages


def learnable_row(row: Row, max_length: int, encoder: TextEncoder) -> tuple[list[int], list[bool], list[int]] | None:
    """Return a row cut to max_length with its cut tokens, None when nothing of an answer would be learned."""
    fitted = fit_row(*row, max_length, encoder.whole_characters)
    ids, learned, _ = fitted
    has_answer = any(on and token not in encoder.end_ids for token, on in zip(ids[1:], learned[1:], strict=True))
    return fitted if has_answer else None


def fit_row(
    ids: list[int], learned: list[bool], max_length: int, whole: Callable[[list[int]], int] = len
) -> tuple[list[int], list[bool], list[int]]:
    """Return (ids, learned, cut ids) of a row within `max_length` tokens.

    A cut inside an answer keeps the answer's own end token as its last, learned token; a cut elsewhere falls back to
    the end of the last whole answer. `whole` says how many leading ids make whole characters, so that no row ends in
    half a character.
    """
    if len(ids) <= max_length:
        return ids, learned, []
    last = max_length - 1
    if not (learned[last] and learned[max_length]):
        kept = next((place + 1 for place in range(last, -1, -1) if learned[place]), 1)
        return ids[:kept], learned[:kept], ids[kept:]
    end = next((place for place in range(max_length, len(ids)) if not learned[place]), len(ids)) - 1
    last = whole(ids[:last])
    if last > 0 and learned[last - 1]:
        return [*ids[:last], ids[end]], [*learned[:last], True], ids[last:]
    kept = next((place + 1 for place in range(last - 1, -1, -1) if learned[place]), 1)
    return ids[:kept], learned[:kept], ids[kept:]


def needed_length(rows: Iterable[Row]) -> int:
    """Return the tokens that the longest of some rows needs for its first answer."""
    return max((_first_answer_end(learned) for _, learned in rows), default=0)


def _first_answer_end(learned: list[bool]) -> int:
    first = next((place for place, is_learned in enumerate(learned) if is_learned), len(learned))
    return next((place for place in range(first, len(learned)) if not learned[place]), len(learned))


def _texts(example: Example) -> Iterator[str]:
    yield from (turn.content for turn in example.messages)
    yield from (text for text in (example.text, example.prompt, example.completion) if text)


def _listed(rows: list[int]) -> str:
    shown = ", ".join(str(row) for row in rows[:MAX_LISTED_ROWS])
    return shown if len(rows) <= MAX_LISTED_ROWS else f"{shown}, …"
