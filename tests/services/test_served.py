"""Several jobs on one GGUF file: one process, nothing copied, each request answered by the job that it names."""

from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from llmlora.catalog.adapter_folder import read_adapter_folder
from llmlora.catalog.served_base import served_base
from llmlora.core.errors import LlmloraError
from llmlora.core.job import read_job
from llmlora.core.publish import read_json, write_json
from llmlora.services.chat import ModelLocation, chat
from llmlora.services.warm_models import WarmLimits, WarmModels
from served_jobs import served_jobs

HALF_CHARACTER = "\N{REPLACEMENT CHARACTER}"
QUESTION = [{"role": "user", "content": "営業時間は？"}]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    return served_jobs(tmp_path_factory.mktemp("served"))


@pytest.fixture
def models():
    made = WarmModels(WarmLimits(memory_bytes=1 << 40, idle_seconds=60))
    yield made
    made.wait_closed()


def asked(models, location, **request):
    told = SimpleQueue()
    models.ask(location, {"max_new_tokens": 12, **request}, told.put)
    while (event := told.get(timeout=90))["type"] not in ("reply", "error"):
        pass
    if event["type"] == "error":
        raise event["error"]
    return event["text"].replace(HALF_CHARACTER, "")  # as many as each library makes of the same tokens


def located(job, has_adapter=True):
    return ModelLocation("served", Path(read_job(job).base_dir), job, has_adapter)


def test_each_request_is_answered_by_the_job_that_it_names(jobs, models, home):
    file = Path(read_job(jobs[0]).base_dir)
    before = (file.stat().st_mtime_ns, sorted(path.name for path in file.parent.iterdir()))
    by_transformers = [chat(str(job), "営業時間は？", max_new_tokens=12)["text"] for job in jobs]
    wanted = [text.replace(HALF_CHARACTER, "") for text in by_transformers]
    assert wanted[0] != wanted[1]
    places = [located(jobs[0]), located(jobs[0], has_adapter=False), located(jobs[1]), located(jobs[0])]
    found = [asked(models, place, messages=QUESTION) for place in places]
    assert [found[0], found[2], found[3]] == [wanted[0], wanted[1], wanted[0]]
    assert found[1] not in wanted
    assert list(models.loaded()) == [ModelLocation("served", file)]
    assert (file.stat().st_mtime_ns, sorted(path.name for path in file.parent.iterdir())) == before
    again = [asked(models, place, messages=QUESTION) for place in places for _ in range(2)]
    assert again == [text for text in found for _ in range(2)]
    assert asked(models, places[0], prompt="営業") != asked(models, places[1], prompt="営業")


def test_a_request_without_a_job_or_with_one_of_another_base_is_refused(jobs, models, tmp_path, home):
    file = Path(read_job(jobs[0]).base_dir)
    with pytest.raises(LlmloraError, match="bad_chat_request"):
        asked(models, ModelLocation("served", file), messages=QUESTION)
    other, _ = served_jobs(tmp_path)
    write_json(other / "config.json", {**read_json(other / "config.json"), "base_digest": "0" * 64})
    with pytest.raises(LlmloraError, match="export_base_changed"):
        asked(models, ModelLocation("served", file, other), messages=QUESTION)
    assert asked(models, located(jobs[0]), messages=QUESTION)


@pytest.mark.parametrize("setting", [{"use_dora": True}, {"bias": "all"}, {"modules_to_save": ["lm_head"]}])
def test_what_is_more_than_a_low_rank_change_is_loaded_otherwise(setting, jobs, tmp_path, monkeypatch):
    job = read_job(jobs[0])
    assert served_base(job, jobs[0]) == Path(job.base_dir)
    found = read_adapter_folder(jobs[0] / "adapter")
    changed = replace(found, config={**found.config, **setting})
    monkeypatch.setattr("llmlora.catalog.served_base.read_adapter_folder", lambda folder: changed)
    assert served_base(job, jobs[0]) is None


def test_a_base_that_is_a_folder_or_in_parts_is_loaded_otherwise(jobs, tmp_path, monkeypatch):
    job = read_job(jobs[0])
    assert served_base(job.model_copy(update={"base_dir": str(tmp_path)}), jobs[0]) is None
    monkeypatch.setattr("llmlora.catalog.served_base.parts_of_blob", lambda path: (path, path))
    assert served_base(job, jobs[0]) is None
