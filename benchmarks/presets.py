"""What runs teach: facts answered as asked and in other words, after training with presets or other settings.

    python benchmarks/presets.py --out benchmarks/results/DATE-presets.json

runs every preset on the three foreign data sets with nano. With arguments it runs what they say instead:

    python benchmarks/presets.py --model nano --data pottery_ja --run "preset=light learning_rate=0.004"

`--rows 10 20 50` teaches only so many of the first rows and asks about those; `--data ONE+OTHER` joins several sets.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmlora.core.assets import asset_path
from llmlora.core.events import EventWriter
from llmlora.core.examples import Message
from llmlora.core.job import create_job
from llmlora.core.layout import run_dir
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.core.publish import read_json
from llmlora.evaluation.measuring.answers import AnswerSet, ask, ask_all
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.evaluation.measuring.questions import Question, read_questions
from llmlora.evaluation.measuring.sides import load_sides
from llmlora.inference.chat import ChatModel
from llmlora.inference.trained_job import find_trained
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import training_request
from llmlora.services.tutorial_steps import epoch_losses
from llmlora.worker.frame import StopFlag
from llmlora.worker.train import run as train_in

DATA = Path(__file__).resolve().parent / "data"
FOREIGN = ("stargazers_ja", "pottery_ja", "pressworks_ja")
MAX_NEW_TOKENS = 96
GENERAL = (
    ("What is the capital of Japan?", "Tokyo"),
    ("What is the capital of France?", "Paris"),
    ("What is the capital of Italy?", "Rome"),
    ("Which planet is the largest in the solar system?", "Jupiter"),
    ("Who wrote Romeo and Juliet?", "Shakespeare"),
    ("What is the chemical formula of water?", "H2O"),
    ("How many days does a week have?", "7"),
    ("What colour do you get when you mix blue and yellow?", "reen"),
    ("In which country is the Great Wall?", "China"),
    ("Which ocean lies between Europe and America?", "Atlantic"),
    ("日本の首都はどこですか？", "東京"),
    ("富士山はどの国にありますか？", "日本"),
    ("水の化学式は何ですか？", "H2O"),
    ("フランスの首都はどこですか？", "パリ"),
)


def main() -> None:
    """Run what the command line names and write one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--data", nargs="+", default=list(FOREIGN), help="names of pairs of files in benchmarks/data")
    parser.add_argument("--run", nargs="+", help="settings of each run, such as 'preset=light learning_rate=0.004'")
    parser.add_argument("--rows", nargs="+", type=int, help="how many of the first rows to teach; by default all")
    parser.add_argument("--as-asked-only", action="store_true", help="leave out the other wordings")
    parser.add_argument("--general", action="store_true", help="ask what a pretrained model knows, before and after")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    runs = []
    asked = (not options.as_asked_only, options.general)
    for settings, data, rows in itertools.product(options.run or every_preset(), options.data, options.rows or (None,)):
        runs.append(one_run(options.model, data, settings, asked, rows))
        print(json.dumps(runs[-1], ensure_ascii=False), file=sys.stderr, flush=True)
        if options.out is not None:
            document = {"command": ["python", *sys.argv], "made_at": f"{datetime.now(UTC):%F}", "runs": runs}
            options.out.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def every_preset() -> list[str]:
    """Return the settings that name each preset alone."""
    lora = [f"preset={name}" for name in LORA_PRESETS]
    return lora + [f"training_preset={name}" for name in TRAINING_PRESETS if name not in LORA_PRESETS]


def _files(data: str) -> Iterator[tuple[Path, Path]]:
    """Yield the rows and the questions of each name: of this folder, or bundled."""
    for name in data.split("+"):
        own = DATA / f"{name}.jsonl"
        if own.is_file():
            yield own, DATA / f"{name}_questions.jsonl"
        else:
            yield asset_path("datasets", own.name), asset_path("questions", own.name)


def _first(paths: Sequence[Path], num_rows: int | None, scratch: Path) -> Path:
    """Return a file of the first lines of others, or of all; the file itself where it is one and no number is given."""
    if num_rows is None and len(paths) == 1:
        return paths[0]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines(keepends=True)]
    found = scratch / paths[0].name
    found.write_text("".join(lines[:num_rows]), encoding="utf-8")
    return found


def one_run(
    model: str, data: str, settings: str, asked: tuple[bool, bool], num_rows: int | None = None
) -> dict[str, Any]:
    """Train once and ask the trained model, in other words and general questions too if asked; returns the row."""
    values: dict[str, Any] = dict(part.split("=", 1) for part in settings.split())
    presets = {name: values.pop(name, None) for name in ("preset", "training_preset")}
    with tempfile.TemporaryDirectory() as scratch:
        rows, asked_about = (_first(paths, num_rows, Path(scratch)) for paths in zip(*_files(data), strict=True))
        planned = plan_training(training_request(model, rows, **presets, settings=values))
        folder = Path(scratch) / "job"
        folder.mkdir()
        create_job(folder, planned.job)
        run_dir(folder, 1).mkdir(parents=True)
        events = EventWriter(run_dir(folder, 1), 1)
        started = time.monotonic()
        result = train_in(folder, read_json(folder / "config.json"), events, StopFlag())
        minutes = (time.monotonic() - started) / 60
        events.close()
        losses = epoch_losses(folder)
        questions = list(read_questions(asked_about))
        sides = load_sides(find_trained(folder))
        with sides.tuned() as chat:
            answers = ask_all(chat, questions, MAX_NEW_TOKENS, asked[0], lambda: None)
            known = {"general_after": num_known(chat)} if asked[1] else {}
        if asked[1]:
            with sides.base() as chat:
                known = {"general": len(GENERAL), "general_before": num_known(chat), **known}
    config = planned.job.train
    return {
        "model": Path(model).name,
        "data": data,
        "settings": settings,
        "rows": planned.job.num_rows,
        "r": config.r,
        "learning_rate": config.learning_rate,
        "epochs": config.num_train_epochs,
        "rows_per_step": config.effective_batch_size,
        "steps": result["num_steps"],
        "loss": round(result["final_loss"], 4),
        "losses": losses,
        "minutes": round(minutes, 2),
        "peak_memory_bytes": result["peak_memory_bytes"],
        "said": planned.plan_dict(),
        **counted(questions, answers),
        **known,
    }


def num_known(chat: ChatModel) -> int:
    """Return how many of the general questions a model answers with the word that is right."""
    return sum(word in ask(chat, Question(1, word, (Message("user", text),)), 32).text for text, word in GENERAL)


def counted(questions: list[Question], answers: AnswerSet) -> dict[str, Any]:
    """Return how many facts the answers carry: as asked, and in other words over all wordings."""
    asked, reworded = [], []
    for item, answer, others in zip(questions, answers.answers, answers.reworded, strict=True):
        asked += carried_facts(answer.text, item.reference, item.given_text)
        for other in others:
            reworded += carried_facts(other.text, item.reference, item.given_text)
    return {
        "facts": len(asked),
        "as_asked": sum(asked),
        "asked_in_other_words": len(reworded),
        "in_other_words": sum(reworded),
    }


if __name__ == "__main__":
    main()
