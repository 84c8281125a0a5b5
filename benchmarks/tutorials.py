"""What the lessons of the course promise: every job trained and evaluated with several seeds on the bundled model.

    python benchmarks/tutorials.py --out benchmarks/results/DATE-tutorials.json

trains each job of each lesson, with every seed where a step judges its numbers, and writes what was measured. Beside
each lesson it writes the ranges that the lesson shows and that `llmlora tutorial check` holds a job against: the losses
of all seeds, widened by WIDER and AT_LEAST on both sides, and facts from FEWEST of the lowest count to the highest.
`--level 1`, `--job main` and `--seed 42` measure a part; what the results hold already stays, so parts can be measured
side by side into one file.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from llmlora.core.events import EventWriter
from llmlora.core.job import create_job
from llmlora.core.layout import run_dir
from llmlora.core.publish import read_json
from llmlora.evaluation.measuring.evaluate import Evaluation, EvaluationOptions
from llmlora.inference.trained_job import find_trained
from llmlora.services.demo import BASE_MODEL, asset_path
from llmlora.services.plan_training import PlannedJob, plan_training
from llmlora.services.train_request import TrainRequest
from llmlora.services.tutorial_steps import epoch_losses
from llmlora.services.tutorials import NAMES
from llmlora.worker.frame import StopFlag
from llmlora.worker.train import run as train_in

FOREIGN = Path(__file__).parent / "results" / "2026-11-29-presets.json"
SEEDS = (42, 1)
WIDER, AT_LEAST, FEWEST = 0.25, 0.05, 0.8
COMPARED = (
    "r", "lora_alpha", "lora_dropout", "target_modules", "learning_rate", "num_train_epochs", "stages",
    "per_device_train_batch_size", "max_length", "warmup_steps", "validation_split", "early_stopping_patience",
    "early_stopping_min_delta",
)  # fmt: skip


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", type=int, nargs="+")
    parser.add_argument("--job", nargs="+")
    parser.add_argument("--seed", type=int, nargs="+", choices=SEEDS, default=SEEDS)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    for name in NAMES:
        lesson = read_json(asset_path("tutorials", f"{name}.json"))
        if options.level is None or lesson["level"] in options.level:
            measure(name, lesson, options)
        write_ranges(name, lesson, known_runs(options.out))


def measure(name: str, lesson: dict[str, Any], options: argparse.Namespace) -> None:
    """Train and evaluate the jobs of a lesson with every seed; what the results hold already is not measured again."""
    judged = {step["job"] for step in lesson["steps"] if step["kind"] in ("loss", "facts")}
    for seed, (key, job) in itertools.product(options.seed, lesson["jobs"].items()):
        known = {(run["lesson"], run["job"], run["seed"]) for run in known_runs(options.out)}
        is_wanted = (options.job is None or key in options.job) and (seed == SEEDS[0] or key in judged)
        if not is_wanted or (name, key, seed) in known:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            run = {"lesson": name, "job": key, "seed": seed, **one_run(lesson, job, seed, Path(scratch))}
        print(json.dumps(run, ensure_ascii=False), file=sys.stderr, flush=True)
        runs = sorted(
            [*known_runs(options.out), run], key=lambda run: (run["lesson"], run["job"], SEEDS.index(run["seed"]))
        )
        _write(options.out, {**_conditions(), "runs": runs})


def known_runs(out: Path) -> list[dict[str, Any]]:
    """Return the runs that a file of results holds."""
    return list(read_json(out)["runs"]) if out.is_file() else []


def one_run(lesson: dict[str, Any], job: dict[str, Any], seed: int, scratch: Path) -> dict[str, Any]:
    """Train one job and ask it, in this process."""
    presets = {kind: job.get(kind) for kind in ("preset", "training_preset")}
    data = asset_path("datasets", lesson["dataset"])
    planned = plan_training(TrainRequest(BASE_MODEL, data, **presets, settings={**job["settings"], "seed": seed}))
    folder, started = scratch / "job", time.monotonic()
    result = trained_in(folder, planned)
    report = Evaluation(find_trained(folder), EvaluationOptions(check_forgetting=False), silent).run()
    return {
        "settings": {name: planned.job.to_json()["train"][name] for name in COMPARED},
        "rows": planned.job.num_rows,
        "steps": result["num_steps"],
        "losses": epoch_losses(folder),
        "final_loss": round(result["final_loss"], 4),
        "eval_loss": result["eval_loss"],
        "trainable_percent": result["parameters"]["percent"],
        "adapter_bytes": sum(path.stat().st_size for path in (folder / "adapter").glob("*.safetensors")),
        "facts": {name: report["facts"][name] for name in FACTS},
        "dtype": result["dtype"],
        "seconds": round(time.monotonic() - started, 1),
    }


def silent(phase: str, num_done: int, total: int) -> None:
    """Tell nobody how far an evaluation is."""


def trained_in(folder: Path, planned: PlannedJob) -> dict[str, Any]:
    """Train a planned job in a new folder, in this process; returns the summary of the run."""
    folder.mkdir()
    create_job(folder, planned.job)
    run_dir(folder, 1).mkdir(parents=True)
    events = EventWriter(run_dir(folder, 1), 1)
    result = train_in(folder, read_json(folder / "config.json"), events, StopFlag())
    events.close()
    return result


FACTS = ("as_trained", "asked_as_trained", "in_other_words", "asked_in_other_words", "remembered_before")


def write_ranges(name: str, lesson: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    """Write beside a lesson what it shows and what it is checked against, when each of its jobs was measured."""
    path = asset_path("tutorials", f"{name}.measured.json")
    own = [run for run in runs if run["lesson"] == name]
    if {run["job"] for run in own} == set(lesson["jobs"]):
        jobs = {key: ranges_of([run for run in own if run["job"] == key]) for key in lesson["jobs"]}
        _write(path, {"rows": own[0]["rows"], "jobs": jobs, "studies": {"foreign": foreign(lesson)}})


def foreign(lesson: dict[str, Any]) -> dict[str, int]:
    """Return what the preset of the evaluated job taught of data unlike what the bundled model was made with."""
    (preset,) = {lesson["jobs"][step["job"]]["preset"] for step in lesson["steps"] if step["kind"] == "facts"}
    runs = [run for run in read_json(FOREIGN)["runs"] if run["settings"] == f"preset={preset}"]
    counted = {
        "known": "as_asked",
        "total": "facts",
        "other_known": "in_other_words",
        "other_total": "asked_in_other_words",
    }
    return {"sets": len(runs), **{name: sum(run[field] for run in runs) for name, field in counted.items()}}


def ranges_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the ranges of a job from its runs with different seeds."""
    first = runs[0]
    epochs = sorted({int(epoch) for run in runs for epoch in run["losses"]})
    return {
        "settings": first["settings"],
        "num_runs": len(runs),
        "num_steps": first["steps"],
        "epochs": max(epochs),
        "trainable_percent": round(first["trainable_percent"], 1),
        "adapter_megabytes": round(first["adapter_bytes"] / 1e6, 1),
        "loss": {str(epoch): _loss_range(runs, epoch) for epoch in epochs},
        "last_loss": _loss_range(runs, epochs[-1]),
        "facts": _known(runs, "as_trained", "asked_as_trained"),
        "other_words": _known(runs, "in_other_words", "asked_in_other_words"),
    }


def _loss_range(runs: list[dict[str, Any]], epoch: int) -> list[float]:
    losses = [found for run in runs for name, found in run["losses"].items() if int(name) == epoch]
    return [round(max(0.0, min(losses) * (1 - WIDER) - AT_LEAST), 2), round(max(losses) * (1 + WIDER) + AT_LEAST, 2)]


def _known(runs: list[dict[str, Any]], known: str, total: str) -> dict[str, Any]:
    counts = [run["facts"][known] for run in runs]
    return {"known": [int(min(counts) * FEWEST), max(counts)], "total": runs[0]["facts"][total]}


def _conditions() -> dict[str, Any]:
    return {
        "date": "2026-11-30",
        "command": ["python", *sys.argv],
        "cores": len(os.sched_getaffinity(0)),
        "machine": "busy: other work ran beside it, so the seconds are upper bounds",
    }


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
