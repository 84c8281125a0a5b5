"""The two sides of an evaluation: which template and number format they use, and that switching leaves no trace."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import BloomConfig

from evaluation.fake_reports import make_job
from llmlora.core.job import JobConfig
from llmlora.core.layout import ENVIRONMENT_FILE, TEMPLATE_FILE, run_dir
from llmlora.core.publish import write_json
from llmlora.engine.loss import LossPath
from llmlora.evaluation.measuring.sides import AdapterSides, FullSides, load_sides
from llmlora.inference import transformers_chat
from llmlora.inference.chat import ChatRequest, GenerateOptions
from llmlora.inference.trained_job import TrainedJob, find_trained
from llmlora.weights.base import open_folder
from tiny_jobs import tiny_job


def trained(folder: Path, job: JobConfig, *, is_full: bool = False) -> TrainedJob:
    result = folder / "result"
    result.mkdir(exist_ok=True)
    if is_full:
        job = job.model_copy(update={"train": job.train.model_copy(update={"method": "full"})})
    return TrainedJob(job, folder, result, lambda: open_folder(folder))


def record_dtype(folder: Path, run: int, dtype: str) -> None:
    run_dir(folder, run).mkdir(parents=True, exist_ok=True)
    write_json(run_dir(folder, run) / ENVIRONMENT_FILE, {"plan": {"dtype": dtype}})


def test_the_number_format_is_that_of_the_newest_run(tmp_path: Path) -> None:
    job = make_job(tmp_path / "job", steps=0)
    assert trained(tmp_path / "job", job).dtype == "float32", "not recorded"
    record_dtype(tmp_path / "job", 2, "bfloat16")
    record_dtype(tmp_path / "job", 10, "float16")
    assert trained(tmp_path / "job", job).dtype == "float16"
    assert trained(tmp_path / "job", job, is_full=True).dtype == "float32"


def test_rows_are_laid_out_as_in_training(tmp_path: Path) -> None:
    """The path that the run recorded; a job from before is tested for it, and bloom's rows cannot be packed."""
    job = make_job(tmp_path / "job", steps=0)
    shutil.rmtree(run_dir(tmp_path / "job", 1), ignore_errors=True)
    BloomConfig(hidden_size=32, n_layer=1, n_head=4).save_pretrained(tmp_path / "job" / "base")
    side = TrainedJob(job, tmp_path / "job", tmp_path, lambda: open_folder(tmp_path / "job" / "base"))
    assert side.loss_path() == LossPath(packing=False)
    run_dir(tmp_path / "job", 1).mkdir(parents=True)
    write_json(run_dir(tmp_path / "job", 1) / ENVIRONMENT_FILE, {"loss_path": {"packing": True, "own_head": True}})
    assert side.loss_path() == LossPath(packing=True, own_head=True)


def test_full_weights_are_asked_with_the_template_beside_them(tmp_path: Path) -> None:
    job = make_job(tmp_path / "job", steps=0, chat_template="plain")
    full = trained(tmp_path / "job", job, is_full=True)
    assert full.given_template == "plain"
    (full.result_dir / TEMPLATE_FILE).write_text("{{ messages }}", encoding="utf-8")
    assert full.given_template == str(full.result_dir / TEMPLATE_FILE)
    assert trained(tmp_path / "job", job).given_template == "plain", "an adapter's base brings its own"


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdapterSides]:
    """Load a base with a random adapter once."""
    folder = tmp_path_factory.mktemp("sides")
    job_dir = tiny_job("llama", folder, {"r": 2}, num_hidden_layers=1)
    loaded = load_sides(find_trained(job_dir))
    assert isinstance(loaded, AdapterSides)
    yield loaded


def test_switching_the_adapter_off_and_on_leaves_no_trace(sides: AdapterSides) -> None:
    request = ChatRequest(prompt="営業時間は", options=GenerateOptions(max_new_tokens=8))

    def answers() -> tuple[str, str]:
        with sides.base() as chat:
            before = chat.chat(request).text
        with sides.tuned() as chat:
            return before, chat.chat(request).text

    first = answers()
    assert first[0] != first[1]
    assert answers() == first


def test_a_failure_on_one_side_brings_the_adapter_back(sides: AdapterSides) -> None:
    request = ChatRequest(prompt="営業時間は", options=GenerateOptions(max_new_tokens=8))
    with sides.tuned() as chat:
        expected = chat.chat(request).text
    with pytest.raises(RuntimeError), sides.base():
        raise RuntimeError
    with sides.tuned() as chat:
        assert chat.chat(request).text == expected


def test_an_adapter_is_asked_in_float32_where_that_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job_dir = tiny_job("llama", tmp_path, {"r": 2}, num_hidden_layers=1)
    record_dtype(job_dir, 1, "bfloat16")
    for free, dtype in ((1 << 40, "float32"), (1 << 10, "bfloat16")):
        monkeypatch.setattr(transformers_chat, "available_memory_bytes", lambda free=free: free)
        loaded = load_sides(find_trained(job_dir))
        with loaded.tuned() as chat:
            found = {str(weight.dtype) for name, weight in chat.model.named_parameters() if "lora" not in name}
        assert (loaded.dtype, found) == (dtype, {f"torch.{dtype}"})


def test_full_sides_are_two_models(tmp_path: Path) -> None:
    job_dir = tiny_job("llama", tmp_path, None, num_hidden_layers=1)
    both = load_sides(find_trained(job_dir))
    assert isinstance(both, FullSides)
    with both.base() as chat:
        before = next(chat.model.parameters()).detach().clone()
    with both.tuned() as chat:
        assert not before.equal(next(chat.model.parameters()).detach())
