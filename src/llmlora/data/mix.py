"""Write several data files as one, a share of the rows of each; equal sources and seed always give the same file."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from llmlora.core.errors import DatasetError
from llmlora.core.examples import Example
from llmlora.core.publish import replacing
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.data.split import split_hash


@dataclass(frozen=True, slots=True)
class MixSource:
    """A data file and which share of its rows is taken, more than 0 and at most 1."""

    path: Path
    read: ReadOptions
    share: float = 1.0


def mix_files(sources: Sequence[MixSource], output: Path, seed: int) -> list[int]:
    """Write the rows of the sources as canonical JSON Lines, one source after the other; return the rows of each.

    Of each source at least one row is taken, and which ones depends on their numbers and the seed only.

    Raises:
        DatasetError: `mix_of_formats`, rows that no one file can hold; or what is wrong with a source.
    """
    counts = []
    forms: set[tuple[str, ...]] = set()
    with replacing(output) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        for source in sources:
            count = 0
            for example in _taken(source, seed):
                row = example.to_dict()
                forms.add(_form(row))
                _write(row, stream)
                count += 1
            counts.append(count)
        if len(forms) > 1:
            raise DatasetError("mix_of_formats", path=str(output), forms=", ".join(sorted(map("+".join, forms))))
    return counts


def _taken(source: MixSource, seed: int) -> Iterator[Example]:
    examples = iter_examples(source.path, source.read)
    if source.share >= 1:
        return examples
    rows = [example.row for example in iter_examples(source.path, source.read)]
    size = max(1, round(source.share * len(rows)))
    taken = set(heapq.nsmallest(size, rows, key=lambda row: split_hash(row, seed)))
    return (example for example in examples if example.row in taken)


def _form(row: Mapping[str, object]) -> tuple[str, ...]:
    """Return which of the forms a row has that a data file holds only one of."""
    return tuple(name for name in ("messages", "prompt", "completion", "text") if name in row)


def _write(row: Mapping[str, object], stream: TextIO) -> None:
    stream.write(json.dumps(row, ensure_ascii=False) + "\n")
