"""The bundled model learns the bundled datasets: facts after training, none before, and every answer stops by itself.

All values are the recommended ones (with the model's own, llmlora.json) except the rank of each level.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest

from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter
from llmlora.core.job import DataSource, JobConfig, write_job
from llmlora.core.recommend import Facts, resolve_config
from llmlora.data.read import ReadOptions
from llmlora.engine.train import fit
from llmlora.evaluation.facts.extract import askable_facts, contains_fact
from llmlora.evaluation.measuring.answers import ask
from llmlora.evaluation.measuring.questions import read_questions
from llmlora.inference.transformers_chat import TransformersChat
from llmlora.prepare.dataset import PrepareOptions, prepare_file
from llmlora.prepare.template import load_template
from llmlora.weights.base import open_folder

ASSETS = Path(str(resources.files("llmlora"))) / "assets"
FIRST_SETTINGS = {
    "r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "target_modules": ("q_proj", "v_proj"), "learning_rate": 5e-5,
    "num_train_epochs": 1, "per_device_train_batch_size": 2, "max_length": 512,
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Answers with all facts and answers that stopped, before and after."""

    before: int
    after: int
    stopped: int


def config_for(num_rows, **settings) -> TrainConfig:
    nano = resolve_base_model("nano")
    facts = Facts(num_rows, nano.num_parameters, nano.context_length, nano.recommended)
    return resolve_config(facts, overrides={"dtype": "float32", **settings}).config


def count_answers(chat, questions) -> tuple[int, int]:
    answers = [ask(chat, question, 64) for question in questions]
    complete = sum(
        all(contains_fact(answer.text, fact) for fact in askable_facts(question.reference, question.text))
        for answer, question in zip(answers, questions, strict=True)
    )
    return complete, sum(answer.has_stopped for answer in answers)


def learn(folder: Path, level: str, config: TrainConfig) -> Outcome:
    base = resolve_base_model("nano").path
    data = ASSETS / "datasets" / f"{level}.json"
    rows = prepare_file(data, ReadOptions(), open_folder(base), PrepareOptions(max_length=config.max_length))
    run = folder / "runs" / "1"
    run.mkdir(parents=True)
    job = JobConfig(
        schema="llmlora.job/1", id="LEVEL", base_model="nano", base_dir=str(base), base_digest="-",
        data=DataSource(path=str(data), sha256="-"), train=config, llmlora_version="-",
    )  # fmt: skip
    write_job(folder, job)
    trained = fit(job, open_folder(base), folder, 1, (rows, None), EventWriter(run, 1), False)
    chat = TransformersChat(trained.model, load_template(base, None), base)
    questions = list(read_questions(ASSETS / "questions" / f"{level}.jsonl"))
    with chat.adapter_disabled():
        before, _ = count_answers(chat, questions)
    return Outcome(before, *count_answers(chat, questions))


def test_level1_learns_at_least_four_of_five(tmp_path):
    outcome = learn(tmp_path, "level1_basic_qa", config_for(5, r=4, lora_alpha=8))
    assert outcome.before == 0
    assert outcome.after >= 4
    assert outcome.stopped == 5


def test_one_epoch_at_a_rate_for_large_models_teaches_nothing(tmp_path):
    """Why the model carries a rate of its own: the values that large models are tuned with do not move it."""
    outcome = learn(tmp_path, "level1_basic_qa", config_for(5, **FIRST_SETTINGS))
    assert (outcome.before, outcome.after) == (0, 0)


@pytest.mark.gate
@pytest.mark.parametrize(("level", "rank"), [("level2_practical_knowledge", 8), ("level3_advanced_medical", 16)])
def test_level_learns_at_least_sixteen_of_twenty(tmp_path, level, rank):
    outcome = learn(tmp_path, level, config_for(20, r=rank, lora_alpha=2 * rank))
    assert outcome.before == 0
    assert outcome.after >= 16
    assert outcome.stopped == 20
