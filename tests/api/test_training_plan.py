"""The pre-flight over HTTP: what a job would need, everything that is wrong with it at once, and what would fit."""

import pytest

from api.clients import nothing_left
from api.test_training_jobs import ROWS, create, dataset
from llmlora.services import capacity, probe, training_plan
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import training_request

LONG = {"max_length": 64, "max_steps": 4}


def plan(client, dataset_id, /, **fields):
    answer = client.post("/api/training/plan", json={"base_model": "nano", "dataset_id": dataset_id} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_plan_says_what_the_job_will_do(client, home, tmp_path):
    data = dataset(client)
    settings = {"num_train_epochs": 3, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    with nothing_left(home):
        found = plan(client, data, settings=settings)
    assert (found["fits"], found["problems"], found["change"]) == (True, [], None)
    made = create(client, data, settings=settings).json()
    assert (found["settings"], found["reasons"]) == (made["settings"], made["reasons"])
    assert (found["rows"], found["train_rows"], found["rows_truncated"]) == (6, 6, 0)
    assert (found["steps"], found["steps_per_epoch"], found["effective_batch"]) == (6, 2, 4)
    assert 0 < found["learned_tokens"] < found["tokens"] < 6 * 64
    file = next((home / "datasets" / data).glob("data*"))
    planned = plan_training(training_request("nano", file, settings=settings))
    low, high = (found["minutes"][name] * 60 for name in ("low", "high"))
    assert low < high
    assert low == pytest.approx(planned.estimate["seconds"][0], rel=0.6, abs=1)  # the machine's load moves
    assert found["memory"]["needed_bytes"] == pytest.approx(planned.estimate["memory_bytes"], rel=0.01)
    assert 0 < found["disk"]["needed_bytes"] < found["disk"]["free_bytes"]
    assert found["license"]
    assert found["recommended"]["per_device_train_batch_size"] == 1
    assert [path.name for path in (home / "jobs").iterdir()] == [made["id"]]


def test_rows_that_are_cut_are_counted(client, home):
    found = plan(
        client, dataset(client, [*ROWS, {"instruction": "長い", "output": "とても長い答え。" * 100}]), settings=LONG
    )
    assert (found["rows"], found["rows_truncated"]) == (7, 1)


def test_a_probe_is_measured_unless_a_job_runs(client, home, app, monkeypatch):
    from llmlora.store import jobs

    steps = probe.Measured(4.0, 0.001, 0.0, 0.1, 123_000_000)
    monkeypatch.setattr(training_plan, "measure_steps", lambda planned: steps)
    data = dataset(client)
    found = plan(client, data, settings={"max_steps": 6}, probe=True)
    assert found["probe"]["memory_bytes"] == found["memory"]["needed_bytes"] == 123_000_000
    assert found["minutes"]["low"] * 60 < found["probe"]["seconds"] < found["minutes"]["high"] * 60
    assert plan(client, data, settings={"r": 0}, probe=True)["probe"] is None, "what cannot start is not measured"
    made = create(client, data).json()["id"]
    with app.state.platform.database.write() as connection:
        connection.execute(jobs.jobs.update().where(jobs.jobs.c.id == made).values(status="running", run=1))
    wish = {"base_model": "nano", "dataset_id": data, "probe": True}
    answer = client.post("/api/training/plan", json=wish)
    assert (answer.status_code, answer.json()["code"]) == (409, "probe_beside_work")


def test_tokens_are_counted_once(client, home, monkeypatch):
    data = dataset(client)
    asked = []
    real = training_plan.count_training_rows
    monkeypatch.setattr(training_plan, "count_training_rows", lambda *args: asked.append(1) or real(*args))
    first = plan(client, data, settings={"r": 4})
    assert plan(client, data, settings={"r": 16, "learning_rate": 0.01})["tokens"] == first["tokens"]
    assert len(asked) <= 1


def test_everything_that_is_wrong_is_said_at_once(client, home):
    found = plan(client, "none", base_model="no-such", eval_dataset_id="neither", settings={"r": 0, "no_such": 1})
    assert [(item["field"], item["code"]) for item in found["problems"]] == [
        ("base_model", "model_not_known"), ("dataset_id", "dataset_not_found"),
        ("eval_dataset_id", "dataset_not_found"), ("settings.r", "bad_value"), ("settings.no_such", "unknown_setting"),
    ]  # fmt: skip
    assert not found["fits"]
    assert all(item["detail"] and item["hint"] for item in found["problems"])
    assert found["tokens"] is None


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"preset": "none"}, "preset", "unknown_preset"),
        ({"settings": {"chat_template": "/etc/passwd"}}, "settings.chat_template", "setting_path_over_http"),
        ({"settings": {"max_length": 1_000_000}}, "settings.max_length", "over_context"),
        ({"settings": {"early_stopping_patience": 2}}, "settings.early_stopping_patience", "no_eval_rows"),
        ({"settings": {"target_modules": ["nope"]}}, "settings.target_modules", "unknown_target_modules"),
        ({"settings": {"general_share": 1, "max_length": 24}}, "settings.general_share", "general_rows_refused"),
    ],
)
def test_a_wrong_setting_is_named_with_its_field(client, home, fields, field, code):
    found = plan(client, dataset(client), **fields)
    assert (field, code) in [(item["field"], item["code"]) for item in found["problems"]]
    assert not found["fits"]


@pytest.mark.parametrize(
    ("language", "words"), [("ja", "似た名前: recommended。"), ("en", "Similar names: recommended.")]
)
def test_a_preset_that_was_perhaps_meant_is_named(client, home, language, words):
    wish = {"base_model": "nano", "dataset_id": dataset(client), "preset": "recomended"}
    answer = client.post("/api/training/jobs", json=wish, headers={"Accept-Language": language})
    assert (answer.status_code, answer.json()["params"]["near"]) == (422, "recommended")
    assert words in answer.json()["detail"]


def test_unknown_fields_are_refused(client, home):
    answer = client.post("/api/training/plan", json={"base_model": "nano", "dataset_id": "x", "path": "/etc"})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


BIG = {"per_device_train_batch_size": 64, "max_length": 512, "r": 256, "save_total_limit": 50}
MANY = [{"instruction": f"質問{number}は？", "output": f"答え{number}です。" * 30} for number in range(64)]


@pytest.mark.parametrize("share", [0.9, 0.7, 0.55])
def test_what_does_not_fit_the_memory_gets_settings_that_do(client, home, monkeypatch, share):
    data = dataset(client, MANY)
    needed = plan(client, data, settings=BIG)["memory"]["needed_bytes"]
    monkeypatch.setattr(capacity, "memory_bytes", lambda: int(needed * share))
    found = plan(client, data, settings=BIG)
    assert (found["fits"], [item["code"] for item in found["problems"]]) == (False, ["memory_short_settings"])
    assert found["change"], found
    assert "save_total_limit" not in found["change"], "only what is needed"
    after = plan(client, data, settings={**BIG, **found["change"]})
    assert (after["fits"], after["problems"], after["change"]) == (True, [], None)
    if "max_length" not in found["change"] and "r" not in found["change"]:
        assert after["effective_batch"] == 64, "what can be kept of the result's meaning is kept"


def test_what_does_not_fit_the_disk_gets_settings_that_do(client, home, monkeypatch):
    data = dataset(client)
    needed = plan(client, data, settings=BIG)["disk"]["needed_bytes"]
    monkeypatch.setattr(capacity, "disk_room", lambda folder: (needed // 2, 1000))
    found = plan(client, data, settings=BIG)
    assert [item["code"] for item in found["problems"]] == ["train_disk_short"]
    assert found["change"] == {"save_total_limit": 2}
    assert plan(client, data, settings={**BIG, **found["change"]})["fits"]
    assert create(client, data, settings=BIG).status_code == 507
    assert create(client, data, settings={**BIG, **found["change"]}).status_code == 201


def test_what_nothing_mends_has_no_change(client, home, monkeypatch):
    monkeypatch.setattr(capacity, "memory_bytes", lambda: 1000)
    found = plan(client, dataset(client), settings={"method": "full"})
    assert (found["fits"], found["change"]) == (False, None)
    assert [item["code"] for item in found["problems"]] == ["memory_short"]


def test_settings_that_will_not_teach_are_told_with_those_that_do(client, home):
    warning = plan(client, dataset(client), settings={"learning_rate": 1e-7})["warnings"][0]
    assert warning["code"] == "will_not_teach"
    assert warning["settings"]["learning_rate"] > 1e-4
    assert "learning_rate" in warning["text"]
