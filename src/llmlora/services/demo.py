"""The whole main job on bundled things: data, training, before and after, verified export, chat with the file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.core.assets import BASE_MODEL, DATASET, asset_path
from llmlora.core.errors import ConfigError
from llmlora.core.free_place import free_place
from llmlora.core.layout import STITCHED, gguf_name
from llmlora.core.writable import require_output
from llmlora.services.chat import chat
from llmlora.services.evaluate import evaluate
from llmlora.services.export import export_model
from llmlora.services.follow import OnEvent
from llmlora.services.plan_training import PlannedJob, plan_training
from llmlora.services.train import start_training
from llmlora.services.train_request import TrainRequest


@dataclass(frozen=True)
class Lesson:
    """What the demo teaches a model: a bundled data set, questions about it, settings other than recommended, files."""

    dataset: str
    questions: str
    settings: Mapping[str, Any]
    quantizations: Sequence[str]


LESSONS = {
    BASE_MODEL: Lesson(DATASET, "level1_basic_qa.jsonl", {"r": 4, "num_train_epochs": 15}, ("F16", "Q4_K_M")),
    "smollm2": Lesson("support_en.jsonl", "support_en.jsonl", {}, (STITCHED,)),
}


@dataclass(frozen=True)
class DemoResult:
    """What the demo made and measured."""

    folder: Path
    base_model: str
    training: dict[str, Any]
    evaluation: dict[str, Any]
    export: dict[str, Any]
    question: str
    answer: str

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "folder": str(self.folder),
            "base_model": self.base_model,
            "training": self.training,
            "evaluation": self.evaluation,
            "export": self.export,
            "chat": {"prompt": self.question, "text": self.answer},
        }


def free_folder(wanted: Path) -> Path:
    """Make `wanted`, or the first of wanted-2, wanted-3 … that does not exist yet, and return it."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    number, folder = 1, wanted
    while True:
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            folder = wanted.with_name(f"{wanted.name}-{number}")
        else:
            return folder


def plan_demo(wanted: Path, base_model: str = BASE_MODEL, on_event: OnEvent | None = None) -> PlannedJob:
    """Check the place for the folder and the bundled data, and settle the training values; nothing is written.

    Raises:
        ConfigError: `no_demo_of_model`. NotFound: `model_installable`, with the command.
        ResourceError: neither `wanted` nor a folder beside it can be written.
    """
    if base_model not in LESSONS:
        raise ConfigError("no_demo_of_model", name=base_model, known=", ".join(LESSONS))
    beside = wanted.with_name(f"{wanted.name}-2") if os.path.lexists(wanted) else wanted
    require_output(beside, "--out")
    lesson, out = LESSONS[base_model], free_place(wanted) / "job"
    request = TrainRequest(base_model, asset_path("datasets", lesson.dataset), settings=lesson.settings, out=out)
    return plan_training(request, on_event=on_event)


def run_demo(planned: PlannedJob, folder: Path, on_event: OnEvent, on_stage: Callable[[str], None]) -> DemoResult:
    """Run every stage in order; a stage that fails ends the demo with its typed error."""
    on_stage("train")
    training = start_training(planned, folder / "job", on_event)
    on_stage("evaluate")
    lesson = LESSONS[planned.base.name]
    questions = asset_path("questions", lesson.questions)
    evaluation = evaluate(folder / "job", questions, on_event, check_quality=False)
    on_stage("export")
    export = export_model(folder / "job", folder / "export", lesson.quantizations, on_event=on_event)
    on_stage("chat")
    question = str(json.loads(questions.read_text(encoding="utf-8").splitlines()[0])["prompt"])
    answer = chat(str(folder / "export" / gguf_name(lesson.quantizations[-1])), question, temperature=0.0)
    return DemoResult(folder, planned.base.name, training, evaluation, export, question, str(answer["text"]))
