"""What a model's name over HTTP stands for, and what is listed."""

import json
from dataclasses import replace

import pytest

from llmlora.core.errors import NotFound
from llmlora.core.layout import work_root
from llmlora.services.askable import Askable, find_askable, find_askable_path, list_askable
from llmlora.services.chat import ModelLocation, locate_model
from llmlora.services.queue import Queue
from llmlora.store import jobs
from llmlora.store.opening import open_store
from tiny_jobs import tiny_job

USER = {"role": "user", "content": "a"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of a finished job and its configuration."""
    folder = tiny_job("llama", tmp_path_factory.mktemp("job"), {})
    return folder, json.loads((folder / "config.json").read_text())


@pytest.fixture
def queue(home):
    database = open_store(home)
    yield Queue(database)
    database.close()


@pytest.fixture
def job(queue, home, made):
    """Return the id of a finished job of the queue that was told a system message."""
    config = made[1]
    place = work_root(home, "train") / config["id"]
    (place / "adapter").mkdir(parents=True)
    told = config | {"train": config["train"] | {"system": "店員です。"}}
    (place / "config.json").write_text(json.dumps(told))
    queue.submit("train", place, name="店", job_id=config["id"])
    return config["id"]


def exported(queue, home, job, files=("F16", "Q4_K_M"), chosen="Q4_K_M"):
    """Return the id of an export with these files."""
    place = work_root(home, "export") / "01EXPORT"
    place.mkdir(parents=True)
    about = {"job_dir": str(work_root(home, "train") / job), "job_id": job}
    (place / "config.json").write_text(json.dumps({"schema": "llmlora.export/1", **about}))
    entries = {f"model-{name}.gguf": {"quantization": name} for name in files}
    meta = {**about, "model_file": f"model-{chosen}.gguf", "files": entries | {"adapter.gguf": {"quantization": "F16"}}}
    (place / "meta.json").write_text(json.dumps(meta))
    for name in (*entries, "adapter.gguf"):
        (place / name).write_bytes(b"GGUF")
    queue.submit("export", place, name="書き出し", job_id="01EXPORT")
    return place


def succeed(queue, job_id):
    with queue.database.write() as connection:
        jobs.change_status(connection, job_id, "claim")
        assert jobs.change_status(connection, job_id, "succeed", run=0)


def test_a_bundled_model(queue):
    found = find_askable(queue, "nano")
    assert found == Askable("nano", "nano", "bundled", locate_model("nano"))


def test_a_job_by_its_names(queue, home, job):
    found = find_askable(queue, f"job:{job}")
    assert found == find_askable(queue, job)
    assert (found.id, found.name, found.kind, found.job_id) == (f"job:{job}", "店", "job", job)
    assert found.location == ModelLocation("job", work_root(home, "train") / job)
    assert found.system == "店員です。"
    assert found.created_at


def test_what_a_job_began_with(queue, job):
    found = find_askable(queue, f"job:{job}@base")
    assert found == find_askable(queue, f"{job}@base")
    assert (found.id, found.kind, found.location.kind) == (f"job:{job}@base", "base", "job_base")
    assert found.system == "店員です。"


def test_an_export_by_its_names(queue, home, job):
    place = exported(queue, home, job)
    for name, file in (
        ("export:01EXPORT/F16", "F16"),
        ("01EXPORT/F16", "F16"),
        ("export:01EXPORT/Q4_K_M", "Q4_K_M"),
        ("export:01EXPORT", "Q4_K_M"),  # what its verification chose
        ("01EXPORT", "Q4_K_M"),
    ):
        found = find_askable(queue, name)
        assert found.id == f"export:01EXPORT/{file}", name
        assert found.location == ModelLocation("gguf", place / f"model-{file}.gguf")
        assert (found.kind, found.job_id, found.system) == ("export", job, "店員です。")


@pytest.mark.parametrize(
    "name",
    [
        "none",
        "",
        ":",
        "job:",
        "job:none",
        "export:JOB",
        "job:01EXPORT",
        "job:JOB/F16",
        "job:JOB@base/F16",
        "job:JOB@other",
        "other:JOB",
        "job:job:JOB",
        "export:01EXPORT/Q2_K",
        "export:01EXPORT/adapter",
        "export:01EXPORT/",
        "export:01EXPORT@base",
        "export:01EXPORT/../F16",
        "nano@base",
        "job:nano",
        "../nano",
        "/etc/passwd",
        "a\0b",
        "あ" * 5000,
    ],
)
def test_names_of_nothing(queue, home, job, name):
    exported(queue, home, job)
    if name == "export:01EXPORT/":  # an empty choice is the chosen one
        assert find_askable(queue, name).id == "export:01EXPORT/Q4_K_M"
        return
    with pytest.raises(NotFound) as missing:
        find_askable(queue, name.replace("JOB", job))
    assert missing.value.code == "model_not_askable"
    assert len(missing.value.params["name"]) <= 200


def test_what_has_not_finished(queue, home, job):
    (work_root(home, "train") / job / "adapter").rmdir()
    for name in (f"job:{job}", f"job:{job}@base"):
        with pytest.raises(NotFound) as missing:
            find_askable(queue, name)
        assert missing.value.code == "job_not_finished"
    (exported(queue, home, job) / "meta.json").unlink()
    with pytest.raises(NotFound) as missing:
        find_askable(queue, "export:01EXPORT")
    assert missing.value.code == "export_not_finished"


def test_an_export_outlives_its_job(queue, home, job):
    place = exported(queue, home, job)
    meta = json.loads((place / "meta.json").read_text()) | {"job_dir": str(home / "gone")}
    (place / "meta.json").write_text(json.dumps(meta))
    assert find_askable(queue, "01EXPORT").system is None


def test_only_what_has_succeeded_is_listed_the_newest_first(queue, home, job):
    exported(queue, home, job)
    assert [one.id for one in list_askable(queue)] == ["nano"]
    succeed(queue, job)
    assert [one.id for one in list_askable(queue)] == ["nano", f"job:{job}", f"job:{job}@base"]
    succeed(queue, "01EXPORT")
    names = {one.id for one in list_askable(queue)}
    assert names == {"nano", f"job:{job}", f"job:{job}@base", "export:01EXPORT/F16", "export:01EXPORT/Q4_K_M"}
    assert all(find_askable(queue, one.id) == one for one in list_askable(queue))


def test_what_is_damaged_is_not_listed(queue, home, job):
    place = exported(queue, home, job)
    succeed(queue, job)
    succeed(queue, "01EXPORT")
    (place / "model-F16.gguf").unlink()
    (work_root(home, "train") / job / "adapter").rmdir()
    assert [one.id for one in list_askable(queue)] == ["nano", "export:01EXPORT/Q4_K_M"]
    (place / "meta.json").write_text("{")
    assert [one.id for one in list_askable(queue)] == ["nano"]


def test_paths_inside_the_workspace(queue, home, job):
    place = exported(queue, home, job)
    folder = work_root(home, "train") / job
    for name in (str(folder), f"jobs/{job}", f"jobs/{job}/", f"jobs/{job}/adapter", f"jobs/../jobs/{job}"):
        found = find_askable_path(queue, name, ())
        assert (found.kind, found.location, found.system) == ("path", ModelLocation("job", folder), "店員です。"), name
    found = find_askable_path(queue, "exports/01EXPORT/model-F16.gguf", ())
    assert found.location == ModelLocation("gguf", place / "model-F16.gguf")
    assert found.system == "店員です。"
    for name in ("nano", job, f"job:{job}", "export:01EXPORT/F16"):
        assert find_askable_path(queue, name, ()) == find_askable(queue, name)


@pytest.mark.parametrize(
    ("own", "given", "first", "told"),
    [
        (None, None, [], None),
        ("店", None, [], "店"),
        ("店", "別", [], "別"),
        (None, "別", [], "別"),
        ("店", "", [], "店"),
        ("店", None, [{"role": "system", "content": "始"}], "始"),
        ("店", "別", [{"role": "system", "content": "始"}], "始"),
    ],
)
def test_the_system_message_of_a_conversation(queue, own, given, first, told):
    askable = replace(find_askable(queue, "nano"), system=own)
    turns = askable.conversation([*first, USER], given)
    assert turns == ([] if told is None else [{"role": "system", "content": told}]) + [USER]
