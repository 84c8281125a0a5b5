"""What the lessons of the course promise: every job trained and evaluated with several seeds on the bundled model.

    python benchmarks/tutorials.py --out benchmarks/results/DATE-tutorials.json

trains each job of each lesson with every seed, and writes what was measured. Beside each lesson it writes the ranges
that the lesson shows and that `llmlora tutorial check` holds a job against: the losses of all seeds, widened by WIDER
and AT_LEAST on both sides, and facts from FEWEST of the lowest count to the highest.
`--level 1`, `--job main` and `--seed 42` measure a part; what the results hold already stays, so parts can be measured
side by side into one file. `--work FOLDER` keeps the trained jobs there and takes those that it holds.

    python benchmarks/tutorials.py --study levels files --work FOLDER --out RESULTS

measures what level 3 tells besides its jobs: the main job of each level asked about the data of level 3, and what the
last one forgot (`levels`), and what GGUF files of the one of level 3 keep (`files`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from llmlora.core.assets import BASE_MODEL, asset_path
from llmlora.core.events import EventWriter
from llmlora.core.job import JobConfig, create_job
from llmlora.core.layout import RESULT_FILE, VERIFY_FILE, run_dir
from llmlora.core.publish import read_json, write_json
from llmlora.evaluation.measuring.evaluate import Evaluation, EvaluationOptions, Held, Measured
from llmlora.evaluation.measuring.questions import Question
from llmlora.inference.trained_job import find_trained
from llmlora.inference.transformers_chat import TransformersChat
from llmlora.services.combine import plan_combination
from llmlora.services.export import export_model
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import TrainRequest
from llmlora.services.tutorial_steps import epoch_losses
from llmlora.services.tutorials import NAMES
from llmlora.worker.frame import StopFlag
from llmlora.worker.train import run as train_in

RESULTS = Path(__file__).parent / "results"
ROWS_TAUGHT = "2026-12-01-rows.json"
TOWNSFOLK = "2026-12-01-townsfolk.json"
STUDIED = ("2026-12-01-level3-seed-1.json", "2026-12-01-levels.json")  # what level 3 tells besides its jobs; last wins
FOREIGN = {
    1: ("2026-11-30-presets.json", "preset=light", 20),
    2: ("2026-11-30-presets.json", "preset=balanced", 20),
    3: (ROWS_TAUGHT, "preset=recommended", 50),
}  # by level: the runs that taught whole other data sets, as its evaluated job or as recommended, and their rows
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
    parser.add_argument("--study", nargs="+", choices=STUDIES, help="what level 3 tells besides its jobs, instead")
    parser.add_argument("--work", type=Path, help="folder for the trained jobs, which stay")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() if options.work is None else nullcontext(options.work) as work:
        if options.study:
            for seed in options.seed:
                study(options.study, seed, Path(work), options.out)
        else:
            for name in NAMES:
                measure(name, lesson_of(name), options, Path(work))
    for name in NAMES:
        write_ranges(name, lesson_of(name), known(options.out))


def lesson_of(name: str) -> dict[str, Any]:
    """Return what is written of a lesson."""
    return dict(read_json(asset_path("tutorials", f"{name}.json")))


def measure(name: str, lesson: dict[str, Any], options: argparse.Namespace, work: Path) -> None:
    """Train and evaluate the jobs of a lesson with every seed; what the results hold already is not measured again."""
    if options.level is not None and lesson["level"] not in options.level:
        return
    for seed, key in itertools.product(options.seed, lesson["jobs"]):
        done = {(run["lesson"], run["job"], run["seed"]) for run in known(options.out)["runs"]}
        if (options.job is not None and key not in options.job) or (name, key, seed) in done:
            continue
        run = {"lesson": name, "job": key, "seed": seed, **one_run(name, key, seed, work)}
        print(json.dumps(run, ensure_ascii=False), file=sys.stderr, flush=True)
        found = known(options.out)
        runs = sorted([*found["runs"], run], key=lambda run: (run["lesson"], run["job"], SEEDS.index(run["seed"])))
        _write(options.out, {**_conditions(), "runs": runs, "studies": found["studies"]})


def known(out: Path) -> dict[str, Any]:
    """Return the runs and studies that a file of results holds."""
    found = read_json(out) if out.is_file() else {}
    return {"runs": list(found.get("runs", ())), "studies": dict(found.get("studies", {}))}


def one_run(name: str, key: str, seed: int, work: Path) -> dict[str, Any]:
    """Train one job and ask it, in this process."""
    started = time.monotonic()
    folder = job_folder(name, key, seed, work)
    config, result = read_json(folder / "config.json"), read_json(run_dir(folder, 1) / RESULT_FILE)
    options = EvaluationOptions(check_forgetting=False, check_quality=False)
    report = OneBase(find_trained(folder), options, silent).run()
    return {
        "settings": {name: config["train"][name] for name in COMPARED},
        "rows": config["num_rows"],
        "steps": result["num_steps"],
        "losses": epoch_losses(folder),
        "final_loss": _rounded(result.get("final_loss")),
        "eval_loss": result.get("eval_loss"),
        "trainable_percent": result.get("parameters", {}).get("percent"),
        "adapter_bytes": sum(path.stat().st_size for path in (folder / "adapter").glob("*.safetensors")),
        "facts": {name: report["facts"][name] for name in FACTS},
        "dtype": result.get("dtype"),
        **({"distance_from_sum": result["distance_from_sum"]} if "distance_from_sum" in result else {}),
        "seconds": round(time.monotonic() - started, 1),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def job_folder(name: str, key: str, seed: int, work: Path) -> Path:
    """Return the folder of a finished job of a lesson; it and those that it is made of are trained where need be."""
    lesson = lesson_of(name)
    job, folder = lesson["jobs"][key], work / f"{name}-{seed}" / key
    if (folder / "adapter").is_dir():
        return folder
    if "members" in job:
        members = [job_folder(name, member, seed, work) for member in job["members"]]
        trained_in(folder, plan_combination(members, method=job["method"]))
        return folder
    presets = {kind: job.get(kind) for kind in ("preset", "training_preset")}
    data = asset_path("datasets", lesson["dataset"])
    request = TrainRequest(BASE_MODEL, data, **presets, settings={**job["settings"], "seed": seed})
    trained_in(folder, plan_training(request).job)
    return folder


def silent(phase: str, num_done: int, total: int) -> None:
    """Tell nobody how far an evaluation is."""


def trained_in(folder: Path, job: JobConfig) -> None:
    """Train a planned job in a new folder, in this process."""
    folder.mkdir(parents=True)
    create_job(folder, job)
    run_dir(folder, 1).mkdir(parents=True)
    events = EventWriter(run_dir(folder, 1), 1)
    result = train_in(folder, read_json(folder / "config.json"), events, StopFlag())
    events.close()
    write_json(run_dir(folder, 1) / RESULT_FILE, result)


def study(names: list[str], seed: int, work: Path, out: Path) -> None:
    """Measure what level 3 tells besides its jobs, and keep it among the results; it shows those of the first seed."""
    for name in names:
        key = name if seed == SEEDS[0] else f"{name}_seed_{seed}"
        for measured in STUDIES[name](work, seed):
            print(json.dumps(measured, ensure_ascii=False), file=sys.stderr, flush=True)
            found = known(out)
            _write(out, {**_conditions(), "runs": found["runs"], "studies": {**found["studies"], key: measured}})


class OneBase(Evaluation):
    """An evaluation that asks the base only once in this process: it is the same for all jobs that are asked alike.

    The first one that is run must ask the most.
    """

    _measured: ClassVar[dict[Any, Measured]] = {}

    def _measure(
        self, side: str, chat: TransformersChat, questions: Sequence[Question], held: Held, limit: int
    ) -> Measured:
        if side != "base":
            return super()._measure(side, chat, questions, held, limit)
        asked = (self._options.check_quality, tuple(question.text for question in questions), limit)
        if asked not in self._measured:
            self._measured[asked] = super()._measure(side, chat, questions, held, limit)
        return self._measured[asked]


def study_levels(work: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Ask the base and the main job of each level about the data of level 3, and what the last one has forgotten.

    Yields what is known after each level.
    """
    questions = asset_path("questions", f"{Path(lesson_of(NAMES[-1])['dataset']).stem}.jsonl")
    found: dict[str, Any] = {}
    for level, name in sorted(enumerate(NAMES, 1), reverse=True):
        folder = job_folder(name, "main", seed, work)
        options = EvaluationOptions(questions=questions, check_forgetting=name == NAMES[-1])
        report = OneBase(find_trained(folder), options, silent).run()
        facts, quality, losses = report["facts"], report["quality"], epoch_losses(folder)
        if name == NAMES[-1]:  # the only one whose rows ask these questions
            known, asked = facts["remembered_before"], facts["asked_as_trained"]
            found["base"] = {"facts": {"known": known, "total": asked}, **_kinds(quality, "base")}
        found[f"level{level}"] = {
            "last_loss": losses[max(losses)],
            **(
                {"facts": {"known": facts["as_trained"], "total": facts["asked_as_trained"]}}
                if name == NAMES[-1]
                else {}
            ),
            **_kinds(quality, "tuned"),
            **({"forgot": forgotten(report["forgetting"])} if options.check_forgetting else {}),
        }
        yield found


def _kinds(quality: dict[str, Any], side: str) -> dict[str, Any]:
    return {name: quality[name][side] for name in ("term_accuracy", "consistency", "safety")}


def forgotten(check: dict[str, Any]) -> dict[str, Any]:
    """Return what a forgetting check counted: the verdict is `light`."""
    drift, general, untaught = check["drift"], check["general"], check["untaught"]
    return {
        "light": check["light"],
        "rise": round(check["worst_kind"]["rise"], 2),
        "right_before": general["right_before"],
        "changed": len(general["changed"]),
        "asked": drift["num_questions"],
        "spoilt": drift["newly_broken"] + drift["echoes"],
        "untaught": untaught["num_questions"],
        "invented": len(untaught["new"]),
    }


def study_files(work: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Export the main job of level 3 in each format that the lesson names, and tell what verification found."""
    folder = job_folder(NAMES[-1], "main", seed, work)
    with tempfile.TemporaryDirectory() as scratch:
        export_model(folder, Path(scratch) / "export", KINDS)
        verified = read_json(Path(scratch) / "export" / VERIFY_FILE)
    yield {entry["quantization"]: file_kept(entry) for entry in verified["files"]}


def file_kept(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the size of an exported file, the taught facts that it keeps, and how far it is from the trained model."""
    (distance,) = (check["measured"]["kl"] for check in entry["checks"] if check["check"] == "logprobs")
    return {
        "megabytes": round(entry["size_bytes"] / 1e6, 1),
        "known": entry["facts"]["num_known"],
        "kept": entry["facts"]["num_kept"],
        "kl": float(f"{distance:.2g}"),
        "verdict": entry["verdict"],
    }


KINDS = ("F16", "Q8_0", "Q4_K_M")
STUDIES: dict[str, Callable[[Path, int], Iterator[dict[str, Any]]]] = {"levels": study_levels, "files": study_files}
FACTS = ("as_trained", "asked_as_trained", "in_other_words", "asked_in_other_words", "remembered_before")


def write_ranges(name: str, lesson: dict[str, Any], found: dict[str, Any]) -> None:
    """Write beside a lesson what it shows and what it is checked against, when each of its jobs was measured."""
    path = asset_path("tutorials", f"{name}.measured.json")
    own = [run for run in found["runs"] if run["lesson"] == name]
    if {run["job"] for run in own} == set(lesson["jobs"]):
        jobs = {key: ranges_of([run for run in own if run["job"] == key]) for key in lesson["jobs"]}
        studies = {**found["studies"], **studied(), "rows": rows_taught()} if name == NAMES[-1] else {}
        others = {"foreign": foreign(lesson), "townsfolk": townsfolk()}
        _write(path, {"rows": own[0]["rows"], "jobs": jobs, "studies": {**others, **studies}})


def studied() -> dict[str, Any]:
    """Return the studies that were measured after the jobs of the lessons."""
    return {name: found for file in STUDIED for name, found in read_json(RESULTS / file)["studies"].items()}


def foreign(lesson: dict[str, Any]) -> dict[str, int]:
    """Return what was taught of data unlike what the bundled model was made with."""
    file, settings, num_rows = FOREIGN[lesson["level"]]
    runs = [run for run in read_json(RESULTS / file)["runs"] if run["settings"] == settings]
    runs = [run for run in runs if run.get("rows", num_rows) == num_rows]
    counted = {
        "known": "as_asked",
        "total": "facts",
        "other_known": "in_other_words",
        "other_total": "asked_in_other_words",
    }
    return {"sets": len(runs), **{name: sum(run[field] for run in runs) for name, field in counted.items()}}


def rows_taught() -> dict[str, dict[str, int]]:
    """Return what more and more rows taught with the recommended settings, by their number; the townsfolk's first."""
    runs = sorted(read_json(RESULTS / ROWS_TAUGHT)["runs"], key=lambda run: int(run["rows"]))
    return {str(run["rows"]): taught(run) for run in runs if run["settings"] == "preset=recommended"}


def townsfolk() -> dict[str, dict[str, int]]:
    """Return what each preset teaches of the fifty rows that were written with others in mind, by its name."""
    return {run["settings"].split("=")[1]: taught(run) for run in read_json(RESULTS / TOWNSFOLK)["runs"]}


def taught(run: dict[str, Any]) -> dict[str, int]:
    """Return what a run of `presets.py` taught, by the names of the lessons."""
    return {
        "known": run["as_asked"],
        "total": run["facts"],
        "other_known": run["in_other_words"],
        "other_total": run["asked_in_other_words"],
        "num_steps": run["steps"],
    }


def ranges_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the ranges of a job from its runs with different seeds."""
    first = runs[0]
    return {
        "settings": first["settings"],
        "num_runs": len(runs),
        "num_steps": span([run["steps"] for run in runs]),
        **(_trained_ranges(runs) if first["losses"] else _combined(runs)),
        "adapter_megabytes": round(first["adapter_bytes"] / 1e6, 1),
        "known_before": max(run["facts"]["remembered_before"] for run in runs),
        "facts": _known(runs, "as_trained", "asked_as_trained"),
        "other_words": _known(runs, "in_other_words", "asked_in_other_words"),
    }


def span(values: list[Any]) -> Any:
    """Return the value of all runs, or the least and the most where they differ."""
    return values[0] if len(set(values)) == 1 else [min(values), max(values)]


def _combined(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"distance_percent": span([round(100 * run["distance_from_sum"], 1) for run in runs]), "loss": {}}


def _trained_ranges(runs: list[dict[str, Any]]) -> dict[str, Any]:
    by_run = [{int(name): loss for name, loss in run["losses"].items()} for run in runs]
    epochs = sorted({epoch for losses in by_run for epoch in losses})
    return {
        "epochs": span([max(losses) for losses in by_run]),
        "trainable_percent": round(runs[0]["trainable_percent"], 1),
        "loss": {str(epoch): _widened([losses[epoch] for losses in by_run if epoch in losses]) for epoch in epochs},
        "last_loss": _widened([losses[max(losses)] for losses in by_run]),
    }


def _widened(losses: list[float]) -> list[float]:
    return [round(max(0.0, min(losses) * (1 - WIDER) - AT_LEAST), 2), round(max(losses) * (1 + WIDER) + AT_LEAST, 2)]


def _known(runs: list[dict[str, Any]], known: str, total: str) -> dict[str, Any]:
    counts = [run["facts"][known] for run in runs]
    return {"known": [int(min(counts) * FEWEST), max(counts)], "total": runs[0]["facts"][total]}


def _conditions() -> dict[str, Any]:
    return {
        "date": f"{datetime.now(UTC):%F}",
        "command": ["python", *sys.argv],
        "cores": len(os.sched_getaffinity(0)),
        "machine": "busy: other work ran beside it, so the seconds are upper bounds",
    }


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
