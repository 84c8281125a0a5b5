"""What keeps a stopped job from going on: files that have changed, errors that come again; nothing else does."""

import os
import shutil
from types import SimpleNamespace

import pytest

from llmlora.core.errors import ConfigError, DiskFull, NonFiniteLoss, WorkerDied
from llmlora.core.job import read_job, write_job
from llmlora.services import obstacle as obstacles
from llmlora.services.obstacle import obstacle
from llmlora.services.plan_training import plan_training
from services.train_requests import request


@pytest.fixture
def own(place, tmp_path):
    """Return a place whose files a test may change."""
    return shutil.copytree(place, tmp_path / "own")


@pytest.fixture
def folder(own, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(folder, plan_training(request(own)).job)
    return folder


def row(status="failed", kind="train", error=None):
    return SimpleNamespace(status=status, kind=kind, error=None if error is None else error.to_dict())


def code(job, folder):
    found = obstacle(job, folder)
    return None if found is None else found.code


def test_a_stopped_job_goes_on_while_its_files_are_as_they_were(own, folder):
    assert [code(row(status), folder) for status in ("paused", "failed", "canceled")] == [None] * 3
    data = own / "data.jsonl"
    before, changed_at = data.read_bytes(), data.stat().st_mtime_ns
    data.write_bytes(before.replace(b"}", b" }", 1))
    assert [code(row(status), folder) for status in ("paused", "failed", "canceled")] == ["data_changed"] * 3
    assert [code(row(status), folder) for status in ("queued", "running", "succeeded")] == [None] * 3
    data.write_bytes(before)
    os.utime(data, ns=(changed_at, changed_at))
    assert code(row(), folder) is None


def test_what_is_gone_is_named(own, folder):
    (own / "base" / "config.json").write_text("{}")
    assert code(row(), folder) is not None
    shutil.rmtree(own / "base")
    assert code(row(), folder) == "job_base_gone"
    (own / "data.jsonl").unlink()
    assert code(row(kind="export"), folder) is None  # its job, not these files
    shutil.rmtree(folder)
    assert code(row(), folder) == "file_not_found"


@pytest.mark.parametrize(
    ("error", "comes_again"),
    [
        (ConfigError("overlong_rows", count=1), True),
        (NonFiniteLoss("nonfinite_loss", step=3), True),
        (WorkerDied("worker_died"), False),
        (DiskFull("disk_full", path="x", free_bytes=1), False),
    ],
)
def test_an_error_of_files_and_settings_comes_again(folder, error, comes_again):
    assert code(row(error=error), folder) == (error.code if comes_again else None)
    assert code(row("canceled", "export", error), folder) == (error.code if comes_again else None)


@pytest.mark.parametrize("kind", ["register", "download"])
def test_what_another_server_has_refused_it_may_take_later(folder, kind):
    assert code(row(kind=kind, error=ConfigError("ollama_no_adapters", version="0.1")), folder) is None


def test_files_are_read_once_while_they_stay(folder, monkeypatch):
    assert obstacle(row(), folder) is None
    monkeypatch.setattr(obstacles, "plan_resume", lambda _: pytest.fail("read again"))
    assert obstacle(row(), folder) is None


def test_its_configuration_is_read_once_while_it_stays(own, folder, monkeypatch):
    """A list of jobs asks for each stopped one, and each open page for the list."""
    found, config = [], folder / "config.json"
    monkeypatch.setattr(obstacles, "read_job", lambda path: found.append(path) or read_job(path))
    for _ in range(5):
        assert obstacle(row(), folder) is None
    assert found == [folder]
    elsewhere = own.rename(own.with_name("moved"))
    assert [code(row(), folder) for _ in range(3)] == ["job_base_gone"] * 3
    config.write_text(config.read_text().replace(str(own), str(elsewhere)))
    assert obstacle(row(), folder) is None
    assert found == [folder] * 2
    config.write_text("{")
    assert code(row(), folder) == "damaged_job"
