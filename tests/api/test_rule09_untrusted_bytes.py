"""R9: what strangers wrote is read by a child under hard limits; what it does to its reader is one typed error."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from api.test_datasets import GOOD, ROWS, folders, upload
from data.awkward_files import LINE, OTHER, nested
from llmlora.core.errors import DatasetError, ModelFileError, NotFound, Stopped
from llmlora.core.layout import scratch_dir
from llmlora.core.locale import error_texts, set_language
from llmlora.core.sizes import size_words
from llmlora.data.read import ReadOptions, Source
from llmlora.data.validate import check_dataset
from llmlora.prepare import rendering
from llmlora.services import inspect as inspections
from llmlora.services import launch
from llmlora.services.inspect import inspect_data, plan_data_inspection, run_inspection
from llmlora.services.plan_training import plan_training
from llmlora.services.preview import preview_dataset
from llmlora.services.train_request import TrainRequest

HOSTILE = Path(__file__).parents[1] / "services" / "hostile_reader.py"


def test_a_child_finds_what_a_check_finds(tmp_path):
    data, held_out = tmp_path / "data.csv", tmp_path / "held out.csv"
    rows = "質問,回答\n営業時間は何時までですか？,夜の8時までです。\n"
    data.write_text(f"{rows}定休日は？,\n", encoding="cp932")
    held_out.write_text(rows, encoding="cp932")
    read = ReadOptions(columns={"instruction": "質問"}, encoding="cp932")
    found = inspect_data(data, read, held_out)
    assert found == check_dataset(data, read, held_out)
    assert found.counts["leakage"] == 1 and not found.ok
    set_language("ja")
    assert found.to_dict() == check_dataset(data, read, held_out).to_dict(), "worded where it is shown"


def test_json_nested_100000_deep_is_a_finding(tmp_path):
    (tmp_path / "deep.jsonl").write_bytes(nested(100_000))
    found = inspect_data(tmp_path / "deep.jsonl", ReadOptions())
    assert [(problem.code, problem.line) for problem in found.problems if problem.level == "error"] == [("too_deep", 2)]
    assert found.num_examples == 2


def test_the_longest_row_that_is_read_fits_the_limits(tmp_path):
    row = json.dumps({"instruction": "長" * 15_000_000, "output": "答え"}, ensure_ascii=False)
    (tmp_path / "long.jsonl").write_text(f"{row}\n{OTHER}\n", encoding="utf-8")
    assert inspect_data(tmp_path / "long.jsonl", ReadOptions()).num_examples == 2


def test_a_plan_can_be_made_without_reading_data_in_this_process(place, monkeypatch):
    monkeypatch.setattr("llmlora.services.plan_training.check_dataset", lambda *_: pytest.fail("read in process"))
    planned = plan_training(TrainRequest(str(place / "base"), place / "data.jsonl"), inspect_data)
    assert planned.report.num_examples == 5


def test_a_file_that_is_not_there_starts_no_child(tmp_path, monkeypatch):
    monkeypatch.setattr(inspections, "run_worker", lambda *_: pytest.fail("a worker was started"))
    with pytest.raises(NotFound):
        inspect_data(tmp_path / "nothing.jsonl", ReadOptions())


def test_a_child_loads_no_heavy_library_and_needs_none(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "require_packages", lambda: pytest.fail("asked for the packages of training"))
    (tmp_path / "data.jsonl").write_text(f"{LINE}\n{OTHER}\n", encoding="utf-8")
    assert inspect_data(tmp_path / "data.jsonl", ReadOptions()).ok
    code = "import llmlora.worker.inspect, sys; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert "llmlora.data.validate" in loaded
    assert not loaded & {"numpy", "torch", "transformers", "gguf", "tokenizers", "safetensors"}


@pytest.fixture
def harmful(tmp_path, monkeypatch):
    """Return what becomes of looking at a file that does its reader harm, within 300 MB and some seconds."""
    real = subprocess.Popen

    def popen(words, **settings):
        return real([sys.executable, str(HOSTILE), *words[-3:]], **settings)

    def look(what, seconds=60.0):
        path = tmp_path / "data.jsonl"
        path.write_text(json.dumps({"harm": what}))
        monkeypatch.setattr(launch.subprocess, "Popen", popen)
        planned = replace(plan_data_inspection(path, ReadOptions()), memory_bytes=300 << 20, seconds=seconds)
        return run_inspection(planned)

    return look


@pytest.mark.parametrize(
    ("what", "code", "param"),
    [
        ("hog", "inspection_memory", ("limit_bytes", 300 << 20)),
        ("loop", "inspection_deadline", ("seconds", 2)),
        ("native loop", "inspection_deadline", ("seconds", 2)),
        ("segfault", "inspection_crashed", ("detail", str(-signal.SIGSEGV))),
    ],
)
def test_what_a_file_does_to_its_reader_is_one_typed_error(home, harmful, tmp_path, what, code, param):
    started = time.monotonic()
    with pytest.raises(DatasetError) as caught:
        harmful(what, *([param[1]] if param[0] == "seconds" else []))
    assert time.monotonic() - started < 30
    assert caught.value.code == code
    assert (caught.value.params["path"], caught.value.params[param[0]]) == (str(tmp_path / "data.jsonl"), param[1])
    for language in ("ja", "en"):
        set_language(language)
        texts = error_texts(caught.value)
        shown = size_words(param[1]) if param[0] == "limit_bytes" else str(param[1])
        assert shown in texts["why"] and str(tmp_path) in texts["what"]
    assert not list(scratch_dir().iterdir()), "nothing is left behind"


def test_a_file_cannot_make_its_reader_fill_the_disk(harmful, tmp_path, monkeypatch):
    monkeypatch.setattr(inspections, "WRITTEN_BYTES", 4 << 20)
    with pytest.raises(DatasetError) as caught:
        harmful("files")
    assert caught.value.code == "inspection_crashed" and "File too large" in caught.value.params["detail"]
    assert (tmp_path / "endless").stat().st_size <= 4 << 20


def test_a_stop_ends_a_look_at_once(home, harmful):
    def stop_what_has_begun():
        while not list(scratch_dir().glob("*/runs/1/events.jsonl")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_what_has_begun, daemon=True).start()
    with pytest.raises(Stopped):
        harmful("loop")


def test_the_deadline_follows_the_size(tmp_path):
    with (tmp_path / "large.jsonl").open("wb") as stream:
        stream.truncate(2_000_000_000)
    (tmp_path / "small.jsonl").write_text(LINE)
    small, large = (plan_data_inspection(tmp_path / f"{name}.jsonl", ReadOptions()) for name in ("small", "large"))
    assert small.seconds < 121 and large.seconds == 3600
    assert large.memory_bytes == small.memory_bytes == 1 << 30


@pytest.fixture
def unread(monkeypatch):
    """Fail the test when this process, the server's, opens rows of a dataset or compiles a template."""
    monkeypatch.setattr(Source, "__init__", lambda *_: pytest.fail("the server has read a dataset itself"))
    monkeypatch.setattr(rendering, "compile_template", lambda *_: pytest.fail("the server has compiled a template"))


def test_the_server_itself_reads_no_row_of_a_dataset(client, unread):
    made = upload(client, GOOD).json()
    earlier = client.post("/api/datasets", json={"name": "前", "examples": ROWS}).json()["id"]
    path = f"/api/datasets/{made['id']}"
    assert client.get(f"{path}/rows").json()["num_rows"] == 6
    assert client.get(f"{path}/preview?model=nano").status_code == 200
    change = {"version": 1, "fields": {"output": "直した答えです。"}}
    assert client.patch(f"{path}/rows/2", json=change).status_code == 200
    assert client.post(f"{path}/repair", json={"version": 2, "actions": ["deduplicate"]}).status_code in (200, 409)
    assert client.post(f"{path}/split", json={"share": 0.5}).status_code == 201
    assert client.get(f"{path}/export?format=csv").status_code == 200
    wish = {"base_model": "nano", "dataset_ids": [made["id"], earlier], "settings": {"max_steps": 2}}
    assert client.post("/api/training/jobs", json=wish).status_code == 201
    replayed = {"base_model": "nano", "dataset_id": made["id"], "replay": {"source": earlier}}
    assert client.post("/api/training/jobs", json=replayed).status_code == 201


@pytest.mark.parametrize(
    ("what", "code"),
    [("hog", "inspection_memory"), ("segfault", "inspection_crashed"), ("loop", "inspection_deadline")],
)
def test_an_upload_that_harms_its_reader_is_told_and_leaves_nothing(client, home, monkeypatch, what, code):
    real = subprocess.Popen
    monkeypatch.setattr(inspections, "READER_MEMORY_BYTES", 300 << 20)
    monkeypatch.setattr(inspections, "LEAST_SECONDS", 4.0)
    monkeypatch.setattr(
        launch.subprocess, "Popen", lambda words, **more: real([sys.executable, str(HOSTILE), *words[-3:]], **more)
    )
    answer = upload(client, json.dumps({"harm": what}).encode())
    assert folders(home) == [] and not list(scratch_dir().iterdir())
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert str(home) not in answer.text


@pytest.mark.parametrize("template", ["{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                                      "{{ ''.__class__.__mro__ }}", "{{ 'a' * 10**10 }}"])  # fmt: skip
def test_a_template_that_harms_its_reader_is_one_typed_error(template, place, tmp_path):
    """A worker of kind `prepare` renders it, with a limit of time and of memory, whoever asks."""
    (tmp_path / "hostile.jinja").write_text(template, encoding="utf-8")
    started = time.monotonic()
    with pytest.raises(ModelFileError) as caught:
        chosen = {"chat_template": str(tmp_path / "hostile.jinja")}
        preview_dataset(place / "data.jsonl", str(place / "base"), settings=chosen)
    assert caught.value.code in ("template_timeout", "template_unsafe")
    assert time.monotonic() - started < 60
