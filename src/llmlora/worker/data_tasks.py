"""What the worker kind `inspect` does with data files: check them, show rows of them, mix them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from llmlora.data.browse import RowQuery, browse
from llmlora.data.findings import FindingWriter
from llmlora.data.mix import MixSource, mix_files
from llmlora.data.problems import Problem, placed
from llmlora.data.read import ReadOptions, Source
from llmlora.data.validate import check_dataset


def check(config: dict[str, Any]) -> dict[str, Any]:
    """Check a data file; the result is what `dataset check` puts in words."""
    eval_path = Path(config["eval_path"]) if config["eval_path"] else None
    path, findings = Path(config["path"]), FindingWriter()
    on_problem = partial(_add, findings, path) if config["findings"] else lambda _: None
    report = check_dataset(path, _read(config), eval_path, on_problem=on_problem)
    if config["findings"]:
        findings.write(Path(config["findings"]))
    return report.stored()


def _add(findings: FindingWriter, path: Path, problem: Problem) -> None:
    findings.add(replace(problem, params=placed(problem.params, path)))


def rows(config: dict[str, Any]) -> dict[str, Any]:
    """Return a page of rows."""
    query = config["query"]
    only = None if query["rows"] is None else frozenset(query["rows"])
    return browse(Source(Path(config["path"]), _read(config)), RowQuery(**{**query, "rows": only})).to_dict()


def mix(config: dict[str, Any]) -> dict[str, Any]:
    """Write several data files as one; the result is how many rows each of them gave."""
    sources = [MixSource(Path(item["path"]), ReadOptions(**item["read"]), item["share"]) for item in config["sources"]]
    return {"counts": mix_files(sources, Path(config["path"]), config["seed"])}


def _read(config: dict[str, Any]) -> ReadOptions:
    return ReadOptions(**config["read"])


DATA_TASKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"data": check, "rows": rows, "mix": mix}
