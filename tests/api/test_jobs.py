"""The queue's work of every kind over HTTP: lists, one job with all that its page shows, copies with changes."""

import json

import pytest

from api.test_training_jobs import create, dataset
from evaluation.fake_reports import evaluation_body
from llmlora.core.errors import ConfigError
from llmlora.store import jobs
from services.fake_launcher import submit


@pytest.fixture
def database(app, home):
    return app.state.platform.database


def listed(client, query=""):
    answer = client.get(f"/api/jobs{query}")
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def test_all_kinds_are_in_one_list(client, database):
    for kind in ("train", "export", "evaluate"):
        submit(database, kind, kind)
    assert listed(client) == ["evaluate", "export", "train"]
    assert listed(client, "?kind=train&kind=export") == ["export", "train"]
    first = client.get("/api/jobs?kind=export").json()["items"][0]
    client.post(f"/api/jobs/{first['id']}/pause")
    assert listed(client, "?status=paused") == ["export"]
    assert listed(client, "?status=queued&status=failed") == ["evaluate", "train"]
    page = client.get("/api/jobs?limit=2").json()
    assert listed(client, f"?limit=2&before={page['next_cursor']}") == ["train"]
    assert listed(client, "?parent_id=nothing") == []


@pytest.mark.parametrize("query", ["kind=dance", "status=tired", "limit=0", "limit=201", "before=%00"])
def test_wrong_filters_are_refused(client, query):
    answer = client.get(f"/api/jobs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


def test_a_job_has_what_its_page_shows(client, home):
    data = dataset(client)
    made = create(client, data, preset="light", training_preset="standard", eval_dataset_id=data).json()
    found = client.get(f"/api/jobs/{made['id']}").json()
    assert found == client.get(f"/api/training/jobs/{made['id']}").json()
    assert found["presets"] == {"preset": "light", "training_preset": "standard"}
    assert (found["settings"]["r"], found["reasons"]["r"], found["reasons"]["max_steps"]) == (4, "preset", "set")
    assert found["base"] == {"name": "nano", "digest": json.loads(config_text(home, made["id"]))["base_digest"]}
    uses = sorted(found["datasets"], key=lambda use: use["role"])
    assert uses == [{"id": data, "role": role, "share": None, "name": "店"} for role in ("eval", "train")]
    assert (found["num_rows"], found["place"], found["runs"], found["best"], found["facts"]) == (6, 1, [], None, None)
    assert client.get("/api/jobs/none").json()["code"] == "job_not_found"


def config_text(home, job_id):
    return (home / "jobs" / job_id / "config.json").read_text(encoding="utf-8")


def test_an_error_and_the_attempts_are_worded(client, database):
    from llmlora.store import jobs, runs

    job_id = submit(database)
    error = {"error": "NonFiniteLoss", "code": "job_folder_gone", "params": {"path": "x"}}
    with database.write() as connection:
        runs.insert(connection, job_id, 1, None, None)
        runs.end(connection, job_id, 1, None, outcome="failed", error=error, exit_code=1)
        connection.execute(jobs.jobs.update().values(status="failed", run=1, reason="job_folder_gone", error=error))
    found = client.get(f"/api/jobs/{job_id}", headers={"Accept-Language": "ja"}).json()
    assert found["error"]["code"] == "job_folder_gone"
    assert "フォルダー" in found["error"]["detail"]
    assert found["message"] == found["error"]["detail"] == found["progress"]["message"]
    assert [(run["run"], run["outcome"], run["exit_code"], run["error"]["code"]) for run in found["runs"]] == [
        (1, "failed", 1, "job_folder_gone")
    ]


def test_a_copy_with_changes_is_planned_anew(client, home):
    made = create(client, dataset(client), settings={"r": 4, "learning_rate": 0.5, "max_steps": 4}).json()
    changed = {"rank": 16, "learning_rate": None}
    answer = client.post(f"/api/jobs/{made['id']}/clone", json={"name": "写し", "settings": changed})
    assert answer.status_code == 201, answer.text
    copy = answer.json()
    assert (copy["name"], copy["status"], copy["datasets"]) == ("写し", "queued", made["datasets"])
    assert (copy["settings"]["r"], copy["settings"]["lora_alpha"], copy["settings"]["max_steps"]) == (16, 32, 4)
    assert (copy["reasons"]["r"], copy["reasons"]["max_steps"]) == ("set", "recipe")
    assert copy["reasons"]["learning_rate"] in ("recommended", "model")
    assert copy["settings"]["learning_rate"] < 0.1
    assert json.loads(config_text(home, copy["id"]))["data"] == json.loads(config_text(home, made["id"]))["data"]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"r": 0}, "invalid_settings"),
        ({"no_such": 1}, "invalid_settings"),
        ({"chat_template": "/etc/passwd"}, "setting_path_over_http"),
    ],
)
def test_a_copy_that_cannot_be_made_leaves_nothing(client, home, settings, code):
    made = create(client, dataset(client)).json()
    answer = client.post(f"/api/jobs/{made['id']}/clone", json={"settings": settings})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [path.name for path in (home / "jobs").iterdir()] == [made["id"]]


def test_settings_of_other_work_are_not_changed(client, database):
    job_id = submit(database, "export")
    answer = client.post(f"/api/jobs/{job_id}/clone", json={"settings": {"r": 4}})
    assert (answer.status_code, answer.json()["code"]) == (422, "clone_settings_of_training")


def test_the_newest_evaluation_is_the_jobs(client, database):
    job_id = submit(database)
    folder = database.home / "jobs" / job_id
    assert client.get(f"/api/training/jobs/{job_id}/report").json() == {"training": None, "evaluation": None}
    (folder / "evaluation-1").mkdir()
    report = evaluation_body()
    (folder / "evaluation-1" / "report.json").write_text(json.dumps(report), encoding="utf-8")
    (folder / "report.json").write_text('{"summary": {"final_loss": 0.5}}', encoding="utf-8")
    answer = client.get(f"/api/training/jobs/{job_id}/report").json()
    assert answer["training"] == {"summary": {"final_loss": 0.5}}
    assert answer["evaluation"]["facts"]["total"] == report["facts"]["total"] > 0
    assert client.get(f"/api/jobs/{job_id}").json()["facts"] == report["facts"]


def test_an_evaluation_of_another_version_counts_as_none(client, database):
    job_id = submit(database)
    folder = database.home / "jobs" / job_id / "evaluation-1"
    folder.mkdir()
    (folder / "report.json").write_text('{"facts": {"learned": 3, "total": 4}}', encoding="utf-8")
    answer = client.get(f"/api/training/jobs/{job_id}/report")
    assert (answer.status_code, answer.json()) == (200, {"training": None, "evaluation": None})


def test_a_job_whose_data_is_gone_says_that_it_cannot_go_on(client, home):
    made = create(client, dataset(client)).json()
    client.post(f"/api/jobs/{made['id']}/cancel")
    assert client.get(f"/api/jobs/{made['id']}").json()["obstacle"] is None
    assert client.delete(f"/api/datasets/{made['dataset_id']}").status_code == 200
    for path in home.glob(f"datasets/{made['dataset_id']}/data*"):
        path.unlink()
    found = client.get(f"/api/jobs/{made['id']}", headers={"Accept-Language": "ja"}).json()
    assert found["obstacle"]["code"] == "job_data_gone"
    assert "学習データがありません" in found["obstacle"]["detail"]
    assert client.get("/api/training/jobs").json()["items"][0]["obstacle"]["code"] == "job_data_gone"


@pytest.mark.parametrize(("stop", "go_on"), [("cancel", "retry"), ("pause", "resume")])
def test_a_job_that_cannot_go_on_is_not_queued_again(client, home, stop, go_on):
    """The answer is the obstacle that the page shows; when it is out of the way, the job is queued."""
    made = create(client, dataset(client)).json()
    stopped = client.post(f"/api/jobs/{made['id']}/{stop}").json()
    (data,) = home.glob(f"datasets/{made['dataset_id']}/data*")
    content = data.read_bytes()
    data.unlink()
    refused = client.post(f"/api/jobs/{made['id']}/{go_on}")
    shown = client.get(f"/api/jobs/{made['id']}").json()
    assert (refused.status_code, refused.json()["code"]) == (404, "job_data_gone")
    assert {name: refused.json()[name] for name in shown["obstacle"]} == shown["obstacle"]
    assert (shown["status"], shown["ended_at"]) == (stopped["status"], stopped["ended_at"])
    data.write_bytes(content)
    assert client.post(f"/api/jobs/{made['id']}/{go_on}").json()["status"] == "queued"
    assert client.post(f"/api/jobs/{made['id']}/{go_on}").json()["code"] == "job_wrong_status"


def test_a_job_whose_error_comes_again_is_not_queued_again(client):
    made = create(client, dataset(client)).json()
    database = client.app.state.platform.database
    error = ConfigError("overlong_rows", count=2, max_length=64).to_dict()
    with database.write() as connection:
        connection.execute(jobs.jobs.update().values(status="failed", error=error))
    refused = client.post(f"/api/jobs/{made['id']}/retry")
    assert (refused.status_code, refused.json()["code"]) == (422, "overlong_rows")
    shown = client.get(f"/api/jobs/{made['id']}").json()
    assert (shown["status"], shown["error"]) == ("failed", shown["obstacle"])
