"""What the shell proposes while a command is typed: names and ids of jobs and datasets, straight from the index."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from llmlora.catalog.ollama_name import PREFIX as OLLAMA
from llmlora.catalog.ollama_store import list_ollama_models
from llmlora.core.layout import home_dir
from llmlora.services.find import short_id
from llmlora.services.hub_record import fetched_names
from llmlora.store import datasets, jobs
from llmlora.store.glance import glance

Proposals = list[tuple[str, str]]  # words with what they stand for, which some shells show

TAKEN_APART = re.compile(r"[\s'\"\\$`&|;<>()*?#~!{}\[\]]|^-")  # by a shell, unless it is quoted


def job_words(incomplete: str) -> Proposals:
    """Propose the jobs of the workspace."""
    return _proposals(incomplete, glance(home_dir(), jobs.names))


def deleted_job_words(incomplete: str) -> Proposals:
    """Propose the jobs that were deleted a moment ago."""
    return _proposals(incomplete, glance(home_dir(), partial(jobs.names, deleted=True)))


def dataset_words(incomplete: str) -> Proposals:
    """Propose the datasets of the workspace."""
    return _proposals(incomplete, glance(home_dir(), datasets.names))


def deleted_dataset_words(incomplete: str) -> Proposals:
    """Propose the datasets that were deleted a moment ago."""
    return _proposals(incomplete, glance(home_dir(), partial(datasets.names, deleted=True)))


def fetched_model_words(incomplete: str) -> Proposals:
    """Propose the models that can be deleted: those of Ollama's stores, and those that were fetched from the Hub."""
    names = [(name, "") for name in sorted(fetched_names())]
    names += [(f"{OLLAMA}{model.name}", "") for model in list_ollama_models()]
    return [(word, meaning) for word, meaning in names if word.startswith(incomplete)]


def _proposals(incomplete: str, names: Mapping[str, str]) -> Proposals:
    """Return the names that are one plain word and mean one thing, and all ids."""
    known = list(names.values())
    plain = {key: name for key, name in names.items() if known.count(name) == 1 and not TAKEN_APART.search(name)}
    words = [(name, short_id(key)) for key, name in plain.items()]
    words += [(short_id(key), name) for key, name in names.items()]
    return [(word, meaning) for word, meaning in words if word.startswith(incomplete)]
