"""R6: no name and no path of a request leads out of the folders that the configuration names, or into a link."""

import json
import os
import re

import pytest

from api.clients import application, nothing_left, signed_in
from api.test_datasets import GOOD, upload
from api.test_training_details import with_run
from api.test_training_jobs import create, dataset
from api.test_uploads import begin, send
from llmlora.core.errors import Forbidden, LlmloraError, NotFound
from llmlora.services import job_files, models
from llmlora.services.askable import find_askable_path
from llmlora.services.chat import ModelLocation
from llmlora.services.job_files import open_file
from tiny_jobs import tiny_job

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
PATHS = [
    "/..%2f..%2fetc/passwd", "//etc/passwd", "/%00",
    "/%ff%fe", "/%c0%ae%c0%ae/", "/..;/", "/\\\\?\\C:\\", "/api//presets",
    "/api/models/check/", "/" + "a" * 5000, "/api/presets/../../etc", "/api/models/check", "/%", "/%zz", "/api/%2e%2e/",
]  # fmt: skip
NAMES = [
    "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "%00",
    "nano%00", "~root", "a" * 250, "a" * 5000, "%ff%fe", "C:%5cWindows",
    "file:%2f%2f%2fetc%2fpasswd", "http:%2f%2f169.254.169.254%2f",
    "%2e%2e%2fnano", "%2e%2fnano", "nano%2f..%2fnano", "%F0%9F%98%80",
]  # fmt: skip


@pytest.fixture
def database(app, home):
    return app.state.platform.database


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_lead_nowhere(client, path):
    assert client.get(path).status_code in (400, 404, 422)


@pytest.mark.parametrize("name", NAMES)
def test_model_names_never_reach_the_disk(client, name, monkeypatch):
    monkeypatch.setattr(models, "resolve_base_model", lambda name: pytest.fail(f"looked at {name}"))
    answer = client.get(f"/api/models/check/{name}")
    if answer.status_code == 200:
        found = answer.json()
        assert not found["exists"]
        assert not found["can_train"]
        assert found["code"] in ("model_not_known", "model_path_over_http")
        assert "passwd" not in found["why_not"] or found["code"] == "model_not_known"
    else:
        assert answer.status_code in (404, 422)


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"])
def test_no_page_outside_of_the_front_end_is_served(tmp_path, home, path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<title>page</title>", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("hidden words", encoding="utf-8")
    app = application(page_dir=tmp_path / "page")
    assert "hidden words" not in signed_in(app).get(path).text
    app.state.platform.close()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "meta.json", "a\\b\\c.jsonl", "x" * 250, ".jsonl", "é\u202e.JSONL"]
)
def test_names_of_files_never_reach_the_disk(client, home, name):
    made = upload(client, GOOD, name)
    assert made.status_code == 201, made.text
    names = sorted(path.name for path in (home / "datasets" / made.json()["id"]).iterdir())
    assert names[0] in ("data", "data.json", "data.jsonl")
    assert names[1:] == ["findings.jsonl", "meta.json"]
    assert "/" not in made.json()["name"]
    assert "\\" not in made.json()["name"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b.jsonl", "..", "x" * 200])
def test_names_of_uploads_in_pieces_never_reach_the_disk(client, home, name):
    path = begin(client, name=name)
    send(client, path, GOOD, 0)
    made = client.post(f"{path}/dataset", json={}).json()
    assert "/" not in made["name"]
    names = sorted(item.name for item in (home / "datasets" / made["id"]).iterdir())
    assert names[0] in ("data", "data.jsonl")


def test_whatever_things_are_called_their_folders_are_ids(client, home):
    kept = dataset(client, name="../../店")
    job = create(client, kept, name="../../etc/passwd").json()
    assert job["name"] == "../../etc/passwd", "a label is free text"
    again = client.post(f"/api/jobs/{job['id']}/clone", json={"name": "a/../b"}).json()
    path = begin(client, name="../x")
    folders = [folder for kind in ("datasets", "jobs") for folder in (home / kind).iterdir()]
    assert sorted(folder.name for folder in folders) == sorted([kept, job["id"], again["id"]])
    assert all(ULID.fullmatch(folder.name) for folder in folders)
    assert all(ULID.match(file.name) for file in (home / "uploads").iterdir()), path


@pytest.mark.parametrize(
    "name",
    ["../../token", "..%2f..%2ftoken", "%2e%2e/%2e%2e/token", "%2fetc%2fpasswd", "/etc/passwd", "link", "linked/token",
     "worker.lock", "queue.json", ".tmp-x", "none", "runs", "runs/1/../../queue.json", "a%00b", "a%5c..%5cb", "x" * 900,
     "é" * 300],
)  # fmt: skip
def test_no_file_beside_the_job_is_shown(client, database, name):
    job_id, folder = with_run(database)
    secret = database.home / "token"
    secret.write_text("secret", encoding="utf-8")
    (folder / "link").symlink_to(secret)
    (folder / "linked").symlink_to(database.home)
    (folder / "worker.lock").write_text("1")
    answer = client.get(f"/api/training/jobs/{job_id}/files/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text
    assert "link" not in json.dumps(client.get(f"/api/training/jobs/{job_id}/files").json())


def test_a_folder_whose_name_begins_like_the_jobs_is_another_one(tmp_path):
    """`startswith` would take `job-secret` for a part of `job`."""
    for name in ("job", "job-secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with open(open_file(tmp_path / "job", "file"), encoding="utf-8") as found:
        assert found.read() == "job"
    for name in ("../job-secret/file", "-secret/file", "./../job-secret/file"):
        with pytest.raises(NotFound):
            open_file(tmp_path / "job", name)


def test_a_file_that_becomes_a_link_while_it_is_looked_for_is_not_followed(client, database, monkeypatch):
    job_id, folder = with_run(database)
    secret = database.home / "token"
    secret.write_text("secret", encoding="utf-8")
    (folder / "reports").mkdir()
    (folder / "reports" / "file").write_text("fine", encoding="utf-8")
    path = f"/api/training/jobs/{job_id}/files/reports/file"
    assert client.get(path).text == "fine"
    looked_at = job_files._is_shown

    def swapped(name):
        """Put a link into the place of the file after its name was found to be a good one."""
        place = folder / "reports" / "file"
        if name == "file" and not place.is_symlink():
            place.unlink()
            place.symlink_to(secret)
        return looked_at(name)

    monkeypatch.setattr(job_files, "_is_shown", swapped)
    assert client.get(path).status_code == 404
    (folder / "reports" / "file").unlink()
    (folder / "reports").rmdir()
    (folder / "reports").symlink_to(database.home)
    assert client.get(f"/api/training/jobs/{job_id}/files/reports/token").status_code == 404


def test_a_download_closes_what_it_opened(client, database):
    job_id, folder = with_run(database)
    (folder / "file").write_bytes(bytes(range(256)))
    path, before = f"/api/training/jobs/{job_id}/files/file", len(os.listdir("/dev/fd"))
    for headers in ({}, {"Range": "bytes=1-2"}, {"Range": "bytes=900-"}, {"Range": "x"}):
        for method in ("GET", "HEAD"):
            client.request(method, path, headers=headers)
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "/etc/passwd", "./", "../", "../base", "base/", "jobs/../..", "jobs/..", "jobs/../../x", "datasets/x",
     "scratch/x", "./nano", "jobs/\0", "jobs/a\0b", "jobs-secret/x", "~/x", "jobs/out", "jobs/../llmlora.db",
     "//etc/passwd", "./token"],
)  # fmt: skip
def test_no_model_outside_of_the_workspace_is_asked(client, home, path, tmp_path):
    (home / "jobs").mkdir(exist_ok=True)
    (home / "jobs" / "out").symlink_to(tmp_path)
    (home / "jobs-secret" / "x").mkdir(parents=True)
    answer = client.post("/api/generate", json={"prompt": "こんにちは", "model_path": path})
    assert (answer.status_code, answer.json()["code"]) == (403, "model_path_outside")
    assert answer.json()["params"] == {}, "nothing is told of what lies there"


def test_further_folders(app, tmp_path_factory):
    queue, folder = app.state.platform.queue, tiny_job("llama", tmp_path_factory.mktemp("job"), {})
    with pytest.raises(Forbidden):
        find_askable_path(queue, str(folder), ())
    assert find_askable_path(queue, str(folder), (folder.parent,)).location == ModelLocation("job", folder)
    with pytest.raises(Forbidden):
        find_askable_path(queue, f"{folder.parent}-secret/x", (folder.parent,))
    with pytest.raises(LlmloraError) as nothing:
        find_askable_path(queue, str(folder.parent / "nothing"), (folder.parent,))
    assert nothing.value.http_status == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/settings", {"model_roots": ["/"]}),
        ("PATCH", "/api/settings", {"workspace": "/"}),
        ("PATCH", "/api/settings", {"LLMLORA_MODEL_ROOTS": "/"}),
        ("POST", "/api/generate", {"prompt": "a", "model_path": "/etc", "model_roots": ["/"]}),
        ("POST", "/api/datasets", {"name": "x", "path": "/etc/passwd"}),
        ("POST", "/api/uploads", {"name": "x", "bytes": 1, "path": "/"}),
        ("POST", "/api/training/jobs", {"base_model": "nano", "dataset_id": "x", "out": "/tmp/x"}),
    ],
)
def test_no_request_names_a_folder_of_the_server(client, home, method, path, body):
    with nothing_left(home):
        answer = client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), answer.text


def test_a_link_in_place_of_an_upload_is_not_followed(client, home, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_bytes(GOOD[:100])
    path = begin(client)
    (file,) = (home / "uploads").iterdir()
    file.unlink()
    file.symlink_to(secret)
    answers = [send(client, path, GOOD[100:], 100), client.post(f"{path}/dataset", json={})]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "upload_not_found")] * 2
    assert secret.read_bytes() == GOOD[:100]
