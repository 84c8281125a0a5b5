"""What the worker kind `inspect` does with data files: check, show, change, convert and mix them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from llmlora.data.browse import RowQuery, browse
from llmlora.data.convert import Overlong, RowPlan, convert_dataset
from llmlora.data.doubts import doubts_of
from llmlora.data.edit import RowChange, add_row, change_row, keep_rows
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
    return {"report": report.stored(), "doubts": doubts_of(path, report)}


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


def edit(config: dict[str, Any]) -> dict[str, Any]:
    """Write the file with one row changed; the result tells the suffix of what was written."""
    source = Source(Path(config["path"]), _read(config))
    return {"suffix": change_row(source, Path(config["output"]), RowChange(**config["change"]))}


def add(config: dict[str, Any]) -> dict[str, Any]:
    """Write the file with one more row; the result tells the suffix of what was written."""
    source = Source(Path(config["path"]), _read(config))
    return {"suffix": add_row(source, Path(config["output"]), config["value"])}


def choose(config: dict[str, Any]) -> dict[str, Any]:
    """Write the rows that are left when others are left out, as they stand in the file."""
    source, counts = Source(Path(config["path"]), _read(config)), ("num_read", "num_written", "num_invalid")
    plan = RowPlan(source, config["choices"], _overlong(config))
    suffix = keep_rows(source, Path(config["output"]), plan.marks)
    names = (*counts, "num_duplicates", "num_overlong", "num_kept_out", "dropped")
    return {"suffix": suffix, **{name: getattr(plan, name) for name in names}}


def convert(config: dict[str, Any]) -> dict[str, Any]:
    """Write the file in the canonical form, with the choices of `dataset convert`."""
    path, output = Path(config["path"]), Path(config["output"])
    report = convert_dataset(path, output, _read(config), _overlong(config), **config["choices"])
    return {"suffix": output.suffix, **report.to_dict()}


def _overlong(config: dict[str, Any]) -> Overlong | None:
    found = config["overlong"]
    return None if found is None else Overlong(found["max_length"], found["limit"], dict(found["rows"]))


def _read(config: dict[str, Any]) -> ReadOptions:
    return ReadOptions(**config["read"])


DATA_TASKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "data": check,
    "rows": rows,
    "edit": edit,
    "add": add,
    "choose": choose,
    "convert": convert,
    "mix": mix,
}
