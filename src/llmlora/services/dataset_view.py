"""Look at a kept dataset: its rows, what is wrong with them, numbers about them, and rows as a model is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from llmlora.core.bundled_templates import BUNDLED_TEMPLATES
from llmlora.core.errors import ConfigError
from llmlora.core.locale import worded_error
from llmlora.data.findings import read_findings
from llmlora.data.problems import Problem
from llmlora.services.dataset_check import kept_read, placing_errors, run_on_dataset
from llmlora.services.inspect import plan_data_task
from llmlora.services.kept_datasets import data_file, findings_file, get_dataset
from llmlora.services.models import require_known_model
from llmlora.services.preview import view_dataset
from llmlora.store import jobs
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow
from llmlora.store.jobs import JobRow
from llmlora.store.statuses import STATUSES

PERSONAL = "personal_"  # codes of findings about personal data begin with it


@dataclass(frozen=True)
class RowWish:
    """Which rows to look at: behind row `after`, with `search` in them, or with a finding of code `problem`."""

    after: int = 0
    limit: int = 50
    search: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class TrainingWish:
    """As which training rows to show a dataset; None is the model's own."""

    model: str
    template: str | None = None
    max_length: int | None = None
    start: int = 0
    limit: int = 20
    lengths: tuple[int, ...] = ()


def rows_of(database: Database, dataset_id: str, wish: RowWish) -> dict[str, Any]:
    """Return {items, next_cursor, num_rows, version}: rows as they stand in the file, each with its problems.

    Raises:
        NotFound: no such dataset. DatasetError: no row of the file can be shown.
    """
    row = get_dataset(database, dataset_id)
    only = None if wish.problem is None else sorted(_rows_with(database, row, wish.problem))
    query = {"after": wish.after, "limit": wish.limit, "search": wish.search, "rows": only}
    path = data_file(database, row)
    found = run_on_dataset(path, plan_data_task("rows", path, kept_read(row), {"query": query}))
    problems: dict[int, list[dict[str, Any]]] = {item["row"]: [] for item in found["rows"]}
    for _, problem in _findings(database, row):
        if problem.row in problems:
            problems[problem.row].append(problem.to_dict())
    return {
        "items": [{**item, "problems": problems[item["row"]]} for item in found["rows"]],
        "next_cursor": _cursor(found["next_after"]),
        "num_rows": row.stats.get("num_rows", row.num_examples),
        "version": row.version,
    }


def problems_of(database: Database, dataset_id: str, code: str | None, after: int, limit: int) -> dict[str, Any]:
    """Return {items, next_cursor, counts, version}: findings of one code or of all, errors first.

    Of each code the first 10,000 are listed; `counts` cover all. Raises NotFound: no such dataset.
    """
    row = get_dataset(database, dataset_id)
    wanted = ((number, item) for number, item in _findings(database, row) if code is None or item.code == code)
    page = list(islice((pair for pair in wanted if pair[0] > after), limit + 1))
    return {
        "items": [problem.to_dict() for _, problem in page[:limit]],
        "next_cursor": _cursor(page[limit - 1][0]) if len(page) > limit else None,
        "counts": _counts(row),
        "version": row.version,
    }


def stats_of(database: Database, dataset_id: str, wish: TrainingWish | None = None) -> dict[str, Any]:
    """Return numbers about a dataset; with a model also in its tokens, counted in a worker.

    Raises:
        NotFound: dataset or model. Those of `training_rows`.
    """
    row = get_dataset(database, dataset_id)
    stats, counts = row.stats, _counts(row)
    characters, learned = stats.get("num_characters") or 0, stats.get("num_answer_characters")
    pairs = {kind: stats.get(f"num_{kind}s", 0) for kind in ("duplicate", "near_duplicate", "contradiction")}
    japanese = stats.get("japanese_share")
    return {
        **{name: stats.get(name) for name in ("num_rows", "num_characters", "characters", "answer_characters")},
        **{name: stats.get(name) for name in ("turns", "answers", "style", "size_class", "terms_per_100_characters")},
        "version": row.version,
        "num_examples": row.num_examples,
        "num_bytes": row.num_bytes,
        "histograms": stats.get("histograms", {}),
        "learned_share": round(learned / characters, 4) if learned is not None and characters else None,
        "languages": {} if japanese is None else {"ja": japanese, "other": round(1 - japanese, 3)},
        "duplicates": pairs,
        "personal_data": {code: count for code, count in counts.items() if code.startswith(PERSONAL)},
        "columns": stats.get("columns", {}),
        "tokens": None if wish is None else _view(database, row, wish)["tokens"],
    }


def training_rows(database: Database, dataset_id: str, wish: TrainingWish) -> dict[str, Any]:
    """Return a dataset as a model would be trained on it, made of the arrays that are trained, in a worker.

    Raises:
        NotFound: dataset or model. InputError: a path over HTTP.
        ConfigError, DatasetError, ModelFileError: what training would refuse as well.
    """
    row = get_dataset(database, dataset_id)
    found = _view(database, row, wish)
    facts, refusal = found["facts"], found["refusal"]
    names = ("num_examples", "num_rows", "num_tokens", "num_label_tokens", "num_truncated", "max_length")
    return {
        **{name: facts[name] for name in (*names, "template", "template_source", "unknown_share")},
        "items": found["rows"],
        "next_cursor": _cursor(found["next_start"]),
        "tokens": found["tokens"],
        "lengths": found["lengths"],
        "refusal": worded_error(refusal),
        "version": row.version,
    }


def users_of(database: Database, dataset_id: str) -> list[JobRow]:
    """Return the jobs that read a dataset, the newest first; raise NotFound for no such dataset."""
    get_dataset(database, dataset_id)
    with database.read() as connection:
        found = jobs.using_dataset(connection, dataset_id, STATUSES)
        return [jobs.get(connection, job_id) for job_id in reversed(found)]


def _view(database: Database, row: DatasetRow, wish: TrainingWish) -> dict[str, Any]:
    require_known_model(wish.model)
    if wish.template is not None and wish.template not in BUNDLED_TEMPLATES:
        raise ConfigError("setting_path_over_http", name="chat_template")
    settings = {"chat_template": wish.template, "max_length": wish.max_length}
    query = {"start": wish.start, "limit": wish.limit, "lengths": list(wish.lengths)}
    path = data_file(database, row)
    with placing_errors(path):
        return view_dataset(path, wish.model, kept_read(row), settings, query)


def _findings(database: Database, row: DatasetRow) -> Iterator[tuple[int, Problem]]:
    """Yield (number, finding); of a dataset of before they were listed the first of each code."""
    path = findings_file(database, row)
    if path.is_file():
        return read_findings(path)
    return enumerate((Problem(**problem) for problem in row.problems), 1)


def _rows_with(database: Database, row: DatasetRow, code: str) -> set[int]:
    return {item.row for _, item in _findings(database, row) if item.code == code and item.row is not None}


def _counts(row: DatasetRow) -> dict[str, int]:
    if "counts" in row.stats:
        return dict(row.stats["counts"])
    counts: dict[str, int] = {}
    for problem in row.problems:
        counts[problem["code"]] = counts.get(problem["code"], 0) + 1
    return counts


def _cursor(number: int | None) -> str | None:
    return None if number is None else str(number)
