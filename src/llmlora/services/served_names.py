"""Names of models in Ollama's notation, for programs that speak its protocol: `name:tag`, ASCII, small letters.

A job is its name and the short end of its id (`midori:5k2q8z1a`), what it began with has `-base` behind that, a file of
an export its quantization. A job's name alone means its newest one.
"""

from __future__ import annotations

import re
from typing import Final

from llmlora.core.errors import ConfigError, NotFound
from llmlora.core.layout import STITCHED
from llmlora.ollama.names import slug
from llmlora.services.askable import AT_BASE, Askable, find_askable
from llmlora.services.find import SHORT_DIGITS, find_job, short_id
from llmlora.services.queue import Queue
from llmlora.store.jobs import JobRow

LATEST: Final = ":latest"
BASE: Final = "base"
PAGE: Final = 200
_TAG: Final = re.compile(rf"(?P<short>[0-9a-z]{{{SHORT_DIGITS}}})(-(?P<part>[a-z0-9_]+))?")


def served_name(askable: Askable) -> str:
    """Return the name of a model."""
    kind, _, rest = askable.id.rpartition(":")
    if not kind:
        return f"{askable.id}{LATEST}"
    identifier, _, quantization = rest.removesuffix(AT_BASE).partition("/")
    part = BASE if askable.kind == "base" else quantization.lower()
    return f"{slug(askable.name)}:{short_id(identifier).lower()}" + (f"-{part}" if part else "")


def find_served(queue: Queue, name: str) -> Askable:
    """Return the model of a name in Ollama's notation, or of one that `find_askable` knows.

    Raises:
        NotFound: `model_not_askable`, there is none; or the job or export has not finished.
    """
    wanted = name.lower().removesuffix(LATEST)
    title, _, tag = wanted.partition(":")
    found = _by_tag(queue, title, tag) if tag else _newest(queue, title)
    return found or find_askable(queue, wanted if not tag else name)


def _by_tag(queue: Queue, title: str, tag: str) -> Askable | None:
    match = _TAG.fullmatch(tag)
    if match is None:
        return None
    try:
        row = queue.get(find_job(queue, match["short"]))
    except (NotFound, ConfigError):
        return None
    if slug(row.name) != title:
        return None
    part = match["part"]
    if part is None:
        return find_askable(queue, row.id)
    is_base = part == BASE and row.kind == "train"
    return find_askable(queue, f"{row.id}{AT_BASE}" if is_base else f"{row.id}/{_quantization(part)}")


def _quantization(part: str) -> str:
    return part if part == STITCHED else part.upper()


def _newest(queue: Queue, title: str) -> Askable | None:
    """Return the newest finished training job whose name becomes this one."""
    before = None
    while True:
        page = queue.page(kinds=("train",), statuses=("succeeded",), before=before, limit=PAGE)
        found: JobRow | None = next((row for row in page.items if slug(row.name) == title), None)
        if found is not None:
            return find_askable(queue, found.id)
        before = page.next_cursor
        if before is None:
            return None
