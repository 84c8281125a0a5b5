"""Evaluations, exports, merges, verifications and comparisons over HTTP, done by real workers on a tiny model."""

import os
import shutil
import signal
import time
from datetime import datetime

import pytest

from llmlora.core.job import update_job
from llmlora.core.layout import new_id
from llmlora.core.locale import translate
from llmlora.core.publish import sha256_file, write_json
from llmlora.services.follow import lock_holder
from llmlora.services.launcher import LocalLauncher
from llmlora.services.queue import Queue
from llmlora.services.queue_supervisor import QueueSupervisor, Surroundings, Timing
from llmlora.services.result_jobs import export_files
from llmlora.store import jobs
from llmlora.store.statuses import ENDED
from tiny_jobs import tiny_job

NOON = Surroundings(lambda: datetime.fromisoformat("2026-11-29T12:00"))
LORA = {"r": 4, "lora_alpha": 8}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folder of a finished training job."""
    return tiny_job("llama", tmp_path_factory.mktemp("trained"), LORA)


@pytest.fixture
def finished(client, trained):
    """Put a finished training job into the index and return its id."""
    return add_finished(client, trained)


def add_finished(client, folder, status="succeeded"):
    queue = client.app.state.platform.queue
    job = queue.submit("train", folder, name="店", job_id=new_id())
    with queue.database.write() as connection:
        jobs.claim_next(connection)
        if status != "preparing":
            jobs.change_status(connection, job.id, "succeed", run=0)
    return job.id


def work(client, *job_ids, seconds=90):
    """Let the queue do some jobs."""
    database = client.app.state.platform.database
    supervisor = QueueSupervisor(database, LocalLauncher(), Timing(tick=0.05), NOON)
    supervisor.recover()
    deadline = time.monotonic() + seconds
    while not all(Queue(database).get(job_id).status in ENDED for job_id in job_ids):
        assert time.monotonic() < deadline
        supervisor.tick()
        time.sleep(0.05)


def create(client, path, status=201, **wish):
    answer = client.post(path, json=wish)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_an_export_gives_files_with_sizes_and_verdicts_and_can_be_verified_again(client, finished):
    made = create(client, "/api/exports", job_id=finished, quantizations=["F16", "Q8_0"])
    assert (made["kind"], made["name"], made["status"], made["job_id"]) == ("export", "店", "queued", finished)
    assert (made["quantizations"], made["files"]) == (["F16", "Q8_0"], [])
    refused = client.post(f"/api/jobs/{finished}/delete")
    assert (refused.status_code, refused.json()["code"]) == (409, "job_in_use")
    work(client, made["id"])
    found = client.get(f"/api/exports/{made['id']}").json()
    files = client.get(f"/api/exports/{made['id']}/files").json()["items"]
    assert found["files"] == files
    assert {item["file"]: item["quantization"] for item in files} == {
        "model-F16.gguf": "F16",
        "model-Q8_0.gguf": "Q8_0",
    }
    assert all(item["verdict"] in ("verified", "lossy", "failed") and item["checks"] for item in files)
    assert all(item["size_bytes"] > 10_000 and len(item["sha256"]) == 64 for item in files)
    assert (found["status"], found["model_file"] is None) in (("succeeded", False), ("failed", False)), found["error"]
    place = f"/api/exports/{made['id']}/files"
    sizes = {item["file"]: item["size_bytes"] for item in files}
    got = client.get(f"{place}/model-Q8_0.gguf").content
    assert (got[:4], len(got)) == (b"GGUF", sizes["model-Q8_0.gguf"])
    assert f"FROM ./{found['model_file']}" in client.get(f"{place}/Modelfile").text
    assert client.get(f"{place}/..%2Fx").json()["code"] == "job_file_not_found"
    assert client.get(f"/api/exports/{finished}/files/Modelfile").status_code == 404
    listed = client.get("/api/exports", params={"job_id": finished}).json()["items"]
    assert [item["id"] for item in listed] == [made["id"]]
    assert client.get("/api/exports", params={"job_id": "other"}).json()["items"] == []
    again = create(client, f"/api/exports/{made['id']}/verify")
    work(client, again["id"])
    row = client.app.state.platform.queue.get(again["id"])
    assert (row.kind, row.parent_id, row.status) == ("verify", made["id"], found["status"])
    assert client.post(f"/api/jobs/{finished}/delete").status_code == 200


def test_an_evaluation_has_a_report_that_comparisons_use(client, finished, trained):
    made = create(client, "/api/evaluations", job_id=finished, max_questions=1, check_forgetting=False)
    assert (made["kind"], made["status"], made["report"]) == ("evaluate", "queued", None)
    work(client, made["id"])
    found = client.get(f"/api/evaluations/{made['id']}").json()
    assert found["status"] == "succeeded", found["error"]
    assert found["report"]["schema"] == "llmlora.evaluation/1" and found["report"]["items"]
    assert found["report"]["quality"]["safety"]["tuned"]["asked"] == 20
    assert "report" not in client.get("/api/evaluations").json()["items"][0]
    facts = found["report"]["facts"]
    counted = {**{name: facts[name] for name in ("remembered", "remembered_before", "total")}, "light": None}
    listed = {job["id"]: job["learned"] for job in client.get("/api/training/jobs").json()["items"]}
    assert listed[finished] == client.get(f"/api/training/jobs/{finished}").json()["learned"] == counted
    assert found["learned"] is None, "it is about a training job"
    other = add_finished(client, trained)
    compared = create(client, "/api/comparisons", 200, job_ids=[finished, other])
    assert [(job["name"], job["status"], job["is_evaluated"]) for job in compared["jobs"]] == [
        ("店", "succeeded", True)
    ] * 2
    assert str(trained) not in str(compared)
    linked = client.get("/api/comparisons", params={"job_ids": [finished, other]})
    assert (linked.status_code, linked.json()) == (200, compared)


def test_an_evaluation_with_a_ladder_asks_the_base_in_every_way(client, finished):
    made = create(
        client,
        "/api/evaluations",
        job_id=finished,
        max_questions=1,
        check_forgetting=False,
        check_quality=False,
        ladder=True,
    )
    work(client, made["id"])
    found = client.get(f"/api/evaluations/{made['id']}").json()
    assert found["status"] == "succeeded", found["error"]
    ladder = found["report"]["ladder"]
    assert [rung["name"] for rung in ladder["rungs"]] == ["base", "system", "few_shot", "tuned"]
    assert ladder["verdict"] in ("as_well", "better", "worse")


def test_a_combination_is_a_training_job_like_any_other(client, finished, trained):
    other = add_finished(client, trained)
    made = create(client, "/api/adapters/combine", job_ids=[finished, other], weights=[0.25, 0.75], method="cat")
    assert (made["kind"], made["name"], made["status"]) == ("train", "店 + 店", "queued")
    work(client, made["id"])
    place = f"/api/training/jobs/{made['id']}"
    found = client.get(place).json()
    assert found["status"] == "succeeded", found["error"]
    assert found["settings"]["r"] == 8
    details = (
        "metrics",
        "epochs",
        "logs",
        "events",
        "files",
        "checkpoints",
        "recipe",
        "diagnosis",
        "report",
        "progress",
    )
    assert {client.get(f"{place}/{name}").status_code for name in details} == {200}
    listed = {model["id"] for model in client.get("/v1/models").json()["data"]}
    assert f"job:{made['id']}" in listed
    asked = create(client, "/api/generate", 200, model=f"job:{made['id']}", prompt="営業時間は？", max_length=4)
    assert asked["num_tokens"] <= 4
    changed = client.post(f"/api/jobs/{made['id']}/clone", json={"settings": {"r": 4}})
    assert (changed.status_code, changed.json()["code"]) == (422, "clone_of_combination")
    unequal = client.post("/api/adapters/combine", json={"job_ids": [made["id"], finished], "method": "linear"})
    assert (unequal.status_code, unequal.json()["code"]) == (422, "combine_ranks")


def test_a_passport_is_made_fetched_and_checked(client, trained, tmp_path):
    folder = tmp_path / "job"
    shutil.copytree(trained, folder)
    place = f"/api/jobs/{add_finished(client, folder)}/passport"
    assert (client.get(place).status_code, client.get(place).json()["code"]) == (404, "passport_missing")
    made = create(client, place)
    assert (made["passport"]["kind"], made["problems"]) == ("job", [])
    assert client.get(place).json() == made
    with (folder / "adapter" / "adapter_config.json").open("a", encoding="utf-8") as stream:
        stream.write(" ")
    assert client.get(place).json()["problems"] == ["adapter/adapter_config.json"]


def test_a_merge_is_a_folder_of_the_work(client, finished):
    made = create(client, "/api/merges", job_id=finished, dtype="float32")
    work(client, made["id"])
    queue = client.app.state.platform.queue
    job = queue.get(made["id"])
    assert job.status == "succeeded", job.error
    assert (queue.folder_of(job) / "merged" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("path", "wish", "status", "code"),
    [
        ("/api/exports", {"job_id": "no-such"}, 404, "job_not_found"),
        ("/api/exports", {"quantizations": []}, 422, "request_invalid"),
        ("/api/exports", {"quantizations": ["../x"]}, 422, "request_invalid"),
        ("/api/exports", {"output": "/tmp/x"}, 422, "request_invalid"),
        ("/api/evaluations", {"job_id": "no-such"}, 404, "job_not_found"),
        ("/api/evaluations", {"dataset_id": "no-such"}, 404, "dataset_not_found"),
        ("/api/evaluations", {"questions": "/etc/passwd"}, 422, "request_invalid"),
        ("/api/evaluations", {"max_questions": 0}, 422, "request_invalid"),
        ("/api/merges", {"dtype": "int3"}, 422, "request_invalid"),
        ("/api/exports/no-such/verify", None, 404, "job_not_found"),
        ("/api/comparisons", {"job_ids": ["a"]}, 422, "request_invalid"),
        ("/api/comparisons", {"job_ids": ["a", "b"]}, 404, "job_not_found"),
    ],
)
def test_what_is_refused_leaves_nothing(client, home, finished, path, wish, status, code):
    with_job = wish if wish is None or "job_ids" in wish else {"job_id": finished, **wish}
    answer = client.post(path, json=with_job)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert [job.id for job in client.app.state.platform.queue.page().items] == [finished]
    assert not (home / "exports").exists()


def test_what_is_not_trained_yet_has_nothing_to_export(client, place):
    answer = client.post("/api/datasets", json={"name": "x", "examples": [{"instruction": "a", "output": "b"}] * 4})
    wish = {"base_model": "nano", "dataset_id": answer.json()["id"], "settings": {"max_steps": 1}}
    job_id = client.post("/api/training/jobs", json=wish).json()["id"]
    for path in ("/api/exports", "/api/evaluations", "/api/merges"):
        answer = client.post(path, json={"job_id": job_id})
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_finished"), answer.text
    assert client.get(f"/api/exports/{job_id}").status_code == 404


def test_an_unknown_quantization_is_refused_with_its_name_and_those_there_are(client, home, finished):
    answer = client.post("/api/exports", json={"job_id": finished, "quantizations": ["Q8_0", "Q99", "q8_0"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_quantization")
    assert answer.json()["params"]["names"] == "Q99, q8_0"
    assert answer.json()["params"]["near"] == "Q8_0"
    assert "Similar names: Q8_0" in answer.json()["detail"]
    assert "Q4_K_M" in answer.json()["params"]["known"]
    assert not (home / "exports").exists()
    assert client.get("/api/exports").json()["items"] == []


def exported(client, finished):
    """Return an export whose file is there, as if its worker had written it."""
    made = create(client, "/api/exports", job_id=finished, quantizations=["Q8_0"])["id"]
    queue = client.app.state.platform.queue
    folder = queue.folder_of(queue.get(made))
    (folder / "model-Q8_0.gguf").write_bytes(bytes(range(256)))
    return made, folder


def test_the_files_of_an_export_can_be_downloaded_whole_and_in_parts(client, finished):
    made, folder = exported(client, finished)
    path = f"/api/exports/{made}/files/model-Q8_0.gguf"
    whole = client.get(path)
    assert (whole.status_code, whole.content) == (200, bytes(range(256)))
    assert whole.headers["content-disposition"] == 'attachment; filename="model-Q8_0.gguf"'
    part = client.get(path, headers={"Range": "bytes=16-31"})
    assert (part.status_code, part.content) == (206, bytes(range(16, 32)))
    assert part.headers["content-range"] == "bytes 16-31/256"
    (folder / "merged").mkdir()
    (folder / "merged" / "config.json").write_text("{}", encoding="utf-8")
    assert client.get(f"/api/exports/{made}/files/merged/config.json").text == "{}"


def test_the_files_of_an_export_stand_side_by_side(client, finished):
    made, folder = exported(client, finished)
    path = f"/api/exports/{made}/comparison"
    assert client.get(path).json() == {"files": [], "answers": []}, "not verified yet"
    logprobs = {"check": "logprobs", "ok": True, "measured": {"kl": 0.01, "top1_agreement": 0.9}}
    file = {"file": "model-Q8_0.gguf", "quantization": "Q8_0", "size_bytes": 256, "verdict": "verified"}
    facts = {"num_questions": 1, "num_known": 2, "num_kept": 2, "lost_rows": []}
    entry = {**file, "tokens_per_second": 50.5, "checks": [logprobs], "facts": facts}
    answer = {
        "row": 1,
        "question": "値段は？",
        "taught": "120円",
        "trained": "120円",
        "files": {"model-Q8_0.gguf": "120円"},
    }
    write_json(folder / "verify.json", {"files": [entry], "answers": [answer]})
    found = client.get(path).json()
    assert found["answers"] == [answer]
    measured = {"tokens_per_second": 50.5, "kl": 0.01, "top1_agreement": 0.9, "num_known": 2, "num_kept": 2}
    assert found["files"] == [{**file, **measured}]
    assert client.get(f"/api/exports/{finished}/comparison").status_code == 404


@pytest.mark.parametrize(
    "name", ["none.gguf", "..%2f..%2ftoken", "%2e%2e/token", "merged", "queue.json", "%00", "link.gguf"]
)
def test_nothing_but_the_files_of_an_export_can_be_downloaded(client, home, finished, name):
    made, folder = exported(client, finished)
    (folder / "link.gguf").symlink_to(home / "token")
    answer = client.get(f"/api/exports/{made}/files/{name}")
    assert answer.status_code == 404, answer.text
    assert client.get(f"/api/exports/{finished}/files/model-Q8_0.gguf").status_code == 404


def test_a_merge_that_was_killed_before_its_last_word_is_made_anew(client, finished):
    made = create(client, "/api/merges", job_id=finished, dtype="float32")
    queue = client.app.state.platform.queue
    merged = queue.folder_of(queue.get(made["id"])) / "merged"
    merged.mkdir()
    (merged / "model.safetensors").write_bytes(b"of the attempt before")
    work(client, made["id"])
    job = queue.get(made["id"])
    assert job.status == "succeeded", job.error
    assert (merged / "model.safetensors").stat().st_size > 10_000


def test_a_request_that_is_sent_twice_makes_one_export(client, finished):
    wish = {"job_id": finished, "quantizations": ["Q8_0"]}
    answers = [client.post("/api/exports", json=wish, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(client.get("/api/exports").json()["items"]) == 1


def test_an_evaluation_asks_the_questions_of_a_dataset_and_keeps_it(client, finished):
    rows = [
        {"instruction": "定休日は？", "output": "水曜日です。"},
        {"instruction": "場所は？", "output": "駅前です。"},
    ]
    data = client.post("/api/datasets", json={"name": "質問", "examples": rows}).json()["id"]
    made = create(
        client,
        "/api/evaluations",
        job_id=finished,
        dataset_id=data,
        max_questions=2,
        check_forgetting=False,
        check_quality=False,
    )
    assert client.delete(f"/api/datasets/{data}").json()["code"] == "dataset_in_use"
    work(client, made["id"])
    found = client.get(f"/api/evaluations/{made['id']}").json()
    assert found["status"] == "succeeded", found["error"]
    assert {item["question"] for item in found["report"]["items"]} == {"定休日は？", "場所は？"}
    assert client.delete(f"/api/datasets/{data}").status_code == 200


def keep_data_of(client, folder, job_dir):
    """Copy a finished job whose data is a dataset of the workspace; returns the ids of job and dataset."""
    rows = [{"instruction": f"質問{number}は？", "output": "はい。"} for number in range(3)]
    data = client.post("/api/datasets", json={"name": "店", "examples": rows}).json()["id"]
    (file,) = client.app.state.platform.database.home.glob(f"datasets/{data}/data*")
    copy = shutil.copytree(job_dir, folder / "copy")
    update_job(copy, data={"path": str(file), "sha256": sha256_file(file)})
    return add_finished(client, copy), data


def finished_export_of(client, job_id):
    """Return the id of an export of a job, as if it had been made."""
    made = create(client, "/api/exports", job_id=job_id)
    with client.app.state.platform.database.write() as connection:
        connection.execute(jobs.jobs.update().where(jobs.jobs.c.id == made["id"]).values(status="succeeded"))
    return made["id"]


@pytest.mark.parametrize("kind", ["evaluate", "export", "verify", "register"])
def test_work_holds_the_data_that_its_job_was_trained_on(client, trained, tmp_path, kind):
    """An evaluation asks rows of it, and so do the checks of files and of what Ollama serves."""
    job_id, data = keep_data_of(client, tmp_path, trained)
    if kind in ("verify", "register"):
        export = finished_export_of(client, job_id)
    path, wish = {
        "evaluate": lambda: ("/api/evaluations", {"job_id": job_id}),
        "export": lambda: ("/api/exports", {"job_id": job_id}),
        "verify": lambda: (f"/api/exports/{export}/verify", {}),
        "register": lambda: ("/api/ollama/register", {"job_id": export, "name": "shop", "force": True}),
    }[kind]()
    made = create(client, path, **wish)
    refused = client.delete(f"/api/datasets/{data}")
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset_in_use")
    assert refused.json()["params"]["first"] == made["id"]
    assert client.get(f"/api/jobs/{made['id']}").json()["dataset_id"] is None, "it is trained on nothing"
    copy = create(client, f"/api/jobs/{made['id']}/clone")
    for identifier in (made["id"], copy["id"]):
        assert client.delete(f"/api/datasets/{data}").status_code == 409
        assert client.post(f"/api/jobs/{identifier}/cancel").status_code == 200
    assert client.delete(f"/api/datasets/{data}").status_code == 200


def test_a_merge_and_a_comparison_read_no_data(client, trained, tmp_path):
    job_id, data = keep_data_of(client, tmp_path, trained)
    create(client, "/api/merges", job_id=job_id)
    create(client, "/api/comparisons", 200, job_ids=[job_id, job_id])
    assert client.delete(f"/api/datasets/{data}").status_code == 200


def test_an_export_that_was_killed_goes_on(client, finished):
    made = create(client, "/api/exports", job_id=finished, quantizations=["F16"])
    platform = client.app.state.platform
    supervisor = QueueSupervisor(platform.database, LocalLauncher(), Timing(tick=0.05))
    supervisor.recover()
    supervisor.tick()
    folder, deadline = platform.queue.folder_of(platform.queue.get(made["id"])), time.monotonic() + 90
    while not (lock_holder(folder) or "").isdigit():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(int(lock_holder(folder)), signal.SIGKILL)
    while platform.queue.get(made["id"]).status not in ENDED:
        assert time.monotonic() < deadline
        supervisor.tick()
        time.sleep(0.05)
    found = client.get(f"/api/exports/{made['id']}").json()
    assert [item["file"] for item in found["files"]] == ["model-F16.gguf"]
    assert [run.reason for run in platform.queue.runs(made["id"])] == ["killed", None]
    assert found["run"] == 2


def test_settings_keep_work_from_starting(client, finished):
    """What is set over HTTP is what the queue goes by."""
    made = create(client, "/api/merges", job_id=finished)
    platform = client.app.state.platform
    supervisor = QueueSupervisor(platform.database, LocalLauncher(), Timing(tick=0.05), NOON)
    supervisor.recover()
    night = {"night_window": {"start": "22:00", "end": "06:00"}, "pause_outside_window": True}
    answer = client.patch("/api/settings", json=night)
    assert answer.status_code == 200, answer.text
    for _ in range(3):
        supervisor.tick()
    assert platform.queue.get(made["id"]).status == "queued"
    day = {"night_window": {"start": "06:00", "end": "22:00"}}
    assert client.patch("/api/settings", json=day).status_code == 200
    work(client, made["id"])
    assert platform.queue.get(made["id"]).status == "succeeded"


def test_four_jobs_are_compared_and_five_are_refused(client, finished, trained):
    others = [add_finished(client, trained) for _ in range(4)]
    compared = create(client, "/api/comparisons", 200, job_ids=[finished, *others[:3]])
    assert len(compared["jobs"]) == 4
    assert all(len(metric["values"]) == 4 for metric in compared["metrics"])
    refused = client.post("/api/comparisons", json={"job_ids": [finished, *others]})
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")
    one = client.get("/api/comparisons", params={"job_ids": [finished]})
    assert one.status_code == 422


@pytest.mark.parametrize(("digest", "verdict"), [("a" * 64, "verified"), ("b" * 64, None)])
def test_a_verdict_counts_for_the_bytes_that_it_is_about(tmp_path, digest, verdict):
    (tmp_path / "model-F16.gguf").write_bytes(b"GGUF")
    entry = {"key": "k", "quantization": "F16", "size_bytes": 4, "sha256": "a" * 64}
    files = {"model-F16.gguf": entry, "model-Q8_0.gguf": {**entry, "quantization": "Q8_0"}}
    write_json(tmp_path / "meta.json", {"files": files})
    checks = [{"check": "x", "ok": False, "cause": "values"}, {"check": "y", "ok": True, "cause": None}]
    told = {"file": "model-F16.gguf", "sha256": digest, "verdict": "verified", "checks": checks}
    write_json(tmp_path / "verify.json", {"files": [told]})
    [found] = export_files(tmp_path)
    assert (found["file"], found["size_bytes"], found["verdict"]) == ("model-F16.gguf", 4, verdict)
    texts = [translate("export.cause.values"), None]
    worded = [{**check, "text": text} for check, text in zip(checks, texts, strict=True)]
    assert found["checks"] == (worded if verdict else [])


@pytest.mark.parametrize(("age", "verdict"), [(0, "failed"), (60, None)])
def test_a_file_that_was_damaged_since_has_failed_until_it_is_written_again(tmp_path, age, verdict):
    (tmp_path / "model-F16.gguf").write_bytes(b"GGUX")
    entry = {"key": "k", "quantization": "F16", "size_bytes": 4, "sha256": "a" * 64}
    write_json(tmp_path / "meta.json", {"files": {"model-F16.gguf": entry}})
    told = {"file": "model-F16.gguf", "sha256": "b" * 64, "verdict": "failed", "checks": []}
    write_json(tmp_path / "verify.json", {"files": [told]})
    written = (tmp_path / "meta.json").stat().st_mtime
    os.utime(tmp_path / "verify.json", (written - age, written - age + (not age)))
    assert [found["verdict"] for found in export_files(tmp_path)] == [verdict]


@pytest.mark.parametrize("content", ["", "[]", "{", "null"])
def test_damaged_documents_of_an_export_name_no_files(tmp_path, content):
    (tmp_path / "meta.json").write_text(content)
    assert export_files(tmp_path) == []
    assert export_files(tmp_path / "gone") == []
