"""Follow every printed advice to the letter, and count the facts before and after.

    nice python benchmarks/advice.py [--data NAME …] [--situation NAME …] [--work FOLDER] [--out FILE.json]

Each situation is a run of a model (`nano`) on the first rows of a data set of benchmarks/data, with settings that go
wrong in one way. It is trained and evaluated with the questions beside the data, as asked and in two other wordings;
then the command of the advice is run exactly as printed and evaluated in the same way, until nothing is advised any
more, at most MOST_ROUNDS times. The file that `dataset reword` writes is filled in to the last cell with the wordings
of `*_wordings.jsonl`, two for each question; those of the questions are never trained on. Equal runs are computed once
and kept in the work folder, so that a changed rule is tried again in seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import io
import itertools
import json
import platform
import shlex
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmlora import __version__
from llmlora.cli.main import run
from llmlora.cli.words import columns_of, settings_of
from llmlora.core.job import JobConfig
from llmlora.core.next_run import lower_rate_words, train_command
from llmlora.core.publish import read_json, write_json
from llmlora.evaluation.advising.advice import advise
from llmlora.services.evaluate import evaluate
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import training_request

FOLDER = Path(__file__).parent / "data"
DATA = ("stargazers_ja", "pottery_ja", "pressworks_ja")
NUM_ROWS = 12
MOST_ROUNDS = 3
SITUATIONS: dict[str, str] = {
    "default": "",
    "epochs=3": "--set num_train_epochs=3",
    "learning_rate=1": "--set learning_rate=1",
    "learning_rate=0.05": "--set learning_rate=0.05",
    "learning_rate=0.0001": "--set learning_rate=0.0001",
    "efficient": "--preset efficient",
    "r=1": "--set r=1",
    "batch=64": "--set per_device_train_batch_size=64",
    "dropout=0.6": "--set lora_dropout=0.6",
    "warmup=140": "--set warmup_steps=140",
    "max_length=24": "--set max_length=24",
    "epochs=100": "--set num_train_epochs=100",
    "memory_saver": "--training-preset memory_saver",
    "max_steps=20": "--set max_steps=20",
}
WITH_FORGETTING = ("default", "epochs=100")  # the check takes longer than the rest of an evaluation
TWO_VALUES = ("--model", "--data", "--preset", "--training-preset", "--format", "--encoding")


class Sweep:
    """Runs, each computed once: the folder of a run is named by what decides its result."""

    def __init__(self, work: Path, model: str, check_forgetting: bool = False) -> None:
        self.work = work
        self.model = model
        self.check_forgetting = check_forgetting

    def follow(self, data: str, words: str) -> list[dict[str, Any]]:
        """Return the rounds of one situation: what was run, what it knew, what it was told to do next."""
        file = self.rows_of(data)
        command = f"train --model {shlex.quote(self.model)} --data {shlex.quote(str(file))} {words}".strip()
        rounds: list[dict[str, Any]] = []
        while command and len(rounds) <= MOST_ROUNDS:
            if command.startswith("dataset reword"):
                if any("reworded" in done["command"] for done in rounds):
                    break  # the wordings are used up
                command = self._filled(command, data)
            found = self._measured(command, data)
            rounds.append({**found, "command": command})
            command = (found["advice"] or {}).get("command", "")
        return rounds

    def rows_of(self, data: str) -> Path:
        """Return the file with the first rows of a data set."""
        target = self.work / f"{data}.jsonl"
        lines = (FOLDER / f"{data}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        target.write_text("".join(lines[:NUM_ROWS]), encoding="utf-8")
        return target

    def _questions(self, data: str) -> Path:
        target = self.work / f"{data}_questions.jsonl"
        lines = (FOLDER / f"{data}_questions.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        target.write_text("".join(lines[:NUM_ROWS]), encoding="utf-8")
        return target

    def _measured(self, command: str, data: str) -> dict[str, Any]:
        job = planned(command)
        content = [job.to_json()["train"], job.data.sha256, job.base_digest]
        folder = self.work / hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        report_file = folder / "measured.json"
        if not report_file.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            document = called(["train", *shlex.split(command)[1:], "--out", str(folder)])
            if "error" not in document:
                document = evaluate(
                    folder,
                    self._questions(data),
                    max_questions=NUM_ROWS,
                    check_forgetting=self.check_forgetting,
                    check_quality=False,
                )
            write_json(report_file, document)
        report = read_json(report_file)
        if "error" in report:
            advice = {"code": report["code"], "command": after_error(job, report)}
            return {"facts": None, "other_words": None, "light": None, "advice": advice}
        pieces = advise(job, report, folder)
        return {
            "facts": [report["facts"]["remembered"], report["facts"]["total"]],
            "other_words": other_words(report),
            "light": (report["forgetting"] or {}).get("light"),
            "advice": {"code": pieces[0]["code"], **pieces[0]["params"]} if pieces else None,
        }

    def _filled(self, command: str, data: str) -> str:
        """Write the file to fill in, fill it in, put it together with the data; return the printed train command."""
        words = shlex.split(command)
        target = self.work / words[words.index("-o") + 1]
        words[words.index("-o") + 1] = str(target)
        target.unlink(missing_ok=True)
        written = called(words)
        lines = (FOLDER / f"{data}_wordings.jsonl").read_text(encoding="utf-8").splitlines()
        others = {item["prompt"]: item["wordings"] for item in map(json.loads, lines)}
        with target.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        with target.open("w", encoding="utf-8-sig", newline="") as stream:
            table = csv.DictWriter(stream, rows[0])
            table.writeheader()
            table.writerows({**row, "rewording": others[row["question"]].pop(0)} for row in rows)
        following = shlex.split(written["command"])
        Path(following[following.index("-o") + 1]).unlink(missing_ok=True)
        return str(called(following)["command"]).partition(" --out ")[0]


def after_error(job: JobConfig, document: dict[str, Any]) -> str:
    """Return the command that the hint of a failed run comes to: room for the rows, or else a lower rate."""
    if document["code"] == "no_trainable_tokens":
        return train_command(job, max_length=document["params"]["needed"])
    return f"train {lower_rate_words(job)}"


def other_words(report: dict[str, Any]) -> list[int]:
    """Return how many questions with facts were answered with all of them: by first and by second other wording."""
    items = [item for item in report["items"] if item["facts"]]
    return [sum(item["paraphrases"][place]["has_facts"] for item in items) for place in (0, 1)]


def planned(command: str) -> JobConfig:
    """Return the job that a train command makes."""
    words = iter(shlex.split(command)[1:])
    given: dict[str, list[str]] = {}
    for word in words:
        given.setdefault(word, []).append(next(words))
    one = {name: given[name][0] for name in TWO_VALUES if name in given}
    choices = {"preset": one.get("--preset"), "training_preset": one.get("--training-preset")}
    request = training_request(one["--model"], one["--data"], settings=settings_of(given.get("--set")), **choices)
    if columns_of(given.get("--map")):
        raise AssertionError(command)
    return plan_training(request).job


def called(words: list[str]) -> dict[str, Any]:
    """Run one command as the shell would, and return its JSON document: the result, or what went wrong."""
    result, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(result), contextlib.redirect_stderr(error):
        code = run([*words, "--json", "--quiet"])
    return dict(json.loads(error.getvalue().splitlines()[-1] if code else result.getvalue()))


def verdicts(rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each advice that was followed whether facts fell, as asked or in other words."""
    found = []
    for before, after in itertools.pairwise(rounds):
        if after["facts"] is None:
            found.append({"advice": before["advice"]["code"], "fell": before["facts"] is not None})
            continue
        facts = before["facts"][0] if before["facts"] else 0
        others = before["other_words"] or [0, 0]
        found.append({
            "advice": before["advice"]["code"],
            "facts": [facts, after["facts"][0]],
            "other_words": [sum(others), sum(after["other_words"])],
        })  # fmt: skip
        found[-1]["fell"] = any(later < earlier for earlier, later in (found[-1]["facts"], found[-1]["other_words"]))
    return found


def main() -> None:
    """Run the sweep and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="nano")
    parser.add_argument("--data", nargs="*", default=list(DATA))
    parser.add_argument("--situation", nargs="*", default=list(SITUATIONS))
    parser.add_argument("--work", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    work = (asked.work or Path(tempfile.mkdtemp(prefix="llmlora-advice-"))).absolute()
    work.mkdir(parents=True, exist_ok=True)
    sweep, results = Sweep(work, asked.model), []
    for situation in asked.situation:
        sweep.check_forgetting = situation in WITH_FORGETTING
        for data in asked.data:
            rounds = sweep.follow(data, SITUATIONS[situation])
            results.append({"situation": situation, "data": data, "rounds": rounds, "followed": verdicts(rounds)})
            print(json.dumps({"situation": situation, "data": data, "followed": results[-1]["followed"]}), flush=True)
    if asked.out is not None:
        results = json.loads(json.dumps(results).replace(str(work), "WORK"))
        write_json(asked.out, {
            "command": "python benchmarks/advice.py",
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "version": __version__,
            "machine": platform.platform(),
            "model": asked.model,
            "rows_per_data_set": NUM_ROWS,
            "results": results,
        })  # fmt: skip


if __name__ == "__main__":
    main()
