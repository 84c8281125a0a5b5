"""Jobs and datasets by what users call them: an id, the beginning or the end of one, or a name that is alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from llmlora.core.errors import ConfigError, NotFound
from llmlora.services.queue import Queue
from llmlora.store import datasets, jobs

SHORT_DIGITS: Final = 8  # of an id that are shown; they are random, so they tell jobs apart
LEAST_DIGITS: Final = 4


def short_id(identifier: str) -> str:
    """Return the end of an id by which commands call it."""
    return identifier[-SHORT_DIGITS:]


def find_job(queue: Queue, word: str, *, deleted: bool = False) -> str:
    """Return the id of the job that a word means, among those that are not deleted or among those that are.

    Raises:
        NotFound: `job_not_found`, `job_not_found_near`. ConfigError: `job_ambiguous`.
    """
    with queue.database.read() as connection:
        names = jobs.names(connection, deleted=deleted)
    found = _meant(word, names)
    if len(found) > 1:
        raise ConfigError("job_ambiguous", word=word, found=_listed(found, names), first=short_id(found[0]))
    if not found:
        close = get_close_matches(word, sorted(set(names.values())), 3)
        if close:
            raise NotFound("job_not_found_near", id=word, close=", ".join(close), first=close[0])
        raise NotFound("job_not_found", id=word)
    return found[0]


def find_dataset(queue: Queue, word: str, *, deleted: bool = False) -> str:
    """Return the id of the dataset that a word means, among those that are not deleted or among those that are.

    Raises:
        NotFound: `dataset_not_found`, `dataset_not_found_near`. ConfigError: `dataset_ambiguous`.
    """
    with queue.database.read() as connection:
        names = datasets.names(connection, deleted=deleted)
    found = _meant(word, names)
    if len(found) > 1:
        raise ConfigError("dataset_ambiguous", word=word, found=_listed(found, names), first=short_id(found[0]))
    if not found:
        close = get_close_matches(word, sorted(set(names.values())), 3)
        if close:
            raise NotFound("dataset_not_found_near", id=word, close=", ".join(close), first=close[0])
        raise NotFound("dataset_not_found", id=word)
    return found[0]


def dataset_word(queue: Queue, dataset_id: str, name: str) -> str:
    """Return what means this dataset alone as data: its name, unless a file here or another dataset has it, too."""
    with queue.database.read() as connection:
        is_alone = _meant(name, datasets.names(connection)) == [dataset_id]
    return name if is_alone and not os.path.lexists(name) else short_id(dataset_id)


def _meant(word: str, names: Mapping[str, str]) -> list[str]:
    """Return the ids that a word means: a whole id, then a name, then a part of an id."""
    digits = word.upper()
    if digits in names:
        return [digits]
    by_name = [identifier for identifier, name in names.items() if name == word]
    if by_name or len(word) < LEAST_DIGITS:
        return by_name
    return [identifier for identifier in names if identifier.endswith(digits) or identifier.startswith(digits)]


def _listed(found: list[str], names: Mapping[str, str]) -> str:
    return ", ".join(f"{short_id(identifier)} ({names[identifier]})" for identifier in found[:5])
