"""Several training jobs in one request, and several datasets in one job: all of it or nothing."""

import json

import pytest

from api.test_training_jobs import ROWS, SHORT, create, dataset, folders

OTHERS = [{"instruction": f"別の質問{number}は？", "output": f"別の答え{number}。"} for number in range(4)]


def batch(client, **body):
    return client.post("/api/training/jobs/batch", json=body)


def test_listed_jobs_are_queued_in_their_order(client, home):
    data = dataset(client)
    wish = {"base_model": "nano", "dataset_id": data, "settings": SHORT}
    answer = batch(client, jobs=[{**wish, "name": "一"}, {**wish, "name": "二"}])
    assert answer.status_code == 201, answer.text
    items = answer.json()["items"]
    assert [(item["name"], item["status"], item["place"]) for item in items] == [
        ("一", "queued", 1),
        ("二", "queued", 2),
    ]
    assert folders(home) == sorted(item["id"] for item in items)


def test_settings_are_varied(client, home):
    base = {"base_model": "nano", "dataset_id": dataset(client), "name": "格子", "settings": SHORT}
    items = batch(client, base=base, vary={"lora_r": [4, 8], "preset": ["light", "high"]}).json()["items"]
    assert [item["name"] for item in items] == [
        "格子 lora_r=4 preset=light", "格子 lora_r=4 preset=high",
        "格子 lora_r=8 preset=light", "格子 lora_r=8 preset=high",
    ]  # fmt: skip
    assert [item["settings"]["r"] for item in items] == [4, 4, 8, 8]
    assert [item["settings"]["lora_dropout"] for item in items] == [0.1] * 4
    assert all(item["settings"]["max_steps"] == 4 for item in items)


def test_datasets_are_varied(client, home):
    ids = [dataset(client, ROWS, "店"), dataset(client, OTHERS, "別")]
    items = batch(client, base={"base_model": "nano", "settings": SHORT}, vary={"dataset_ids": ids}).json()["items"]
    assert [(item["name"], item["dataset_id"]) for item in items] == [("店", ids[0]), ("別", ids[1])]


def test_one_wrong_job_stops_all(client, home):
    data = dataset(client)
    wish = {"base_model": "nano", "dataset_id": data, "settings": SHORT}
    answer = batch(
        client,
        jobs=[wish, {**wish, "settings": {"r": 0, "no_such": 1}}, {**wish, "dataset_id": "none"},
              {**wish, "base_model": "none"}, {**wish, "preset": "none"}, {"base_model": "nano"},
              {"base_model": "nano", "dataset_ids": [data, data]}],
    )  # fmt: skip
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "batch_refused")
    assert [(item["field"], item["code"]) for item in problem["params"]["problems"]] == [
        ("jobs.1.settings.r", "bad_value"), ("jobs.1.settings.no_such", "unknown_setting"),
        ("jobs.2.dataset_id", "dataset_not_found"), ("jobs.3.base_model", "model_not_known"),
        ("jobs.4.preset", "unknown_preset"), ("jobs.5.dataset_ids", "one_or_several_datasets"),
        ("jobs.6.dataset_ids", "dataset_named_twice"),
    ]  # fmt: skip
    assert folders(home) == []
    assert client.get("/api/jobs").json()["items"] == []


def test_a_batch_that_cannot_be_written_leaves_nothing(client, home, monkeypatch):
    from llmlora.core.errors import DiskFull
    from llmlora.services import queue

    data = dataset(client)
    real, told = queue.tell_status, []

    def full(*args):
        if told:
            raise DiskFull("database_full", path="x")
        told.append(1)
        return real(*args)

    monkeypatch.setattr(queue, "tell_status", full)
    answer = batch(client, base={"base_model": "nano", "dataset_id": data, "settings": SHORT}, vary={"r": [4, 8]})
    assert answer.status_code == 507
    assert folders(home) == []
    assert client.get("/api/jobs").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"jobs": []}, "request_invalid"),
        ({}, "request_invalid"),
        ({"base": {"base_model": "nano"}, "vary": {}}, "request_invalid"),
        ({"base": {"base_model": "nano"}, "vary": {"r": []}}, "request_invalid"),
        ({"base": {"base_model": "nano", "path": "x"}, "vary": {"r": [1]}}, "request_invalid"),
        ({"base": {"base_model": "nano", "settings": 3}, "vary": {"r": [1]}}, "request_invalid"),
        ({"base": {"base_model": "nano"}, "vary": {"r": [*range(8)], "seed": [*range(7)]}}, "batch_size"),
        ({"base": {"base_model": "nano"}, "vary": {"base_model": [3]}}, "request_invalid"),
    ],
)
def test_wrong_batches(client, home, body, code):
    answer = batch(client, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_several_datasets_are_one_job(client, home):
    ids = [dataset(client, ROWS, "店"), dataset(client, OTHERS, "別")]
    answer = create(client, None, dataset_ids=ids, shares=[1, 0.5], name=None)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    uses = {(use["id"], use["role"]): use["share"] for use in made["datasets"]}
    assert (uses[ids[0], "source"], uses[ids[1], "source"]) == (1.0, 0.5)
    mixed = client.get(f"/api/datasets/{made['dataset_id']}").json()
    assert (mixed["name"], mixed["num_examples"], mixed["ok"], made["num_rows"]) == ("店 + 別", 8, True, 8)
    assert made["name"] == "店 + 別"
    again = create(client, None, dataset_ids=ids, shares=[1, 0.5]).json()
    assert client.get(f"/api/datasets/{again['dataset_id']}").json()["sha256"] == mixed["sha256"]
    config = json.loads((home / "jobs" / made["id"] / "config.json").read_text(encoding="utf-8"))
    assert config["data"]["sha256"] == mixed["sha256"]
    assert list((home / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"shares": [1]}, "shares_do_not_fit"),
        ({"shares": [1, 0]}, "request_invalid"),
        ({"shares": [1, 1.5]}, "request_invalid"),
        ({"settings": {"r": 0}}, "invalid_settings"),
        ({"dataset_id": "x"}, "one_or_several_datasets"),
    ],
)
def test_a_refused_mixture_leaves_no_dataset(client, home, fields, code):
    ids = [dataset(client, ROWS, "店"), dataset(client, OTHERS, "別")]
    answer = create(client, None, **{"dataset_ids": ids, **fields})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert {item["id"] for item in client.get("/api/datasets").json()["items"]} == set(ids)


def test_datasets_of_different_forms_are_not_mixed(client, home):
    ids = [dataset(client, ROWS, "店"), dataset(client, [{"text": "長い文章です。"}], "文")]
    answer = create(client, None, dataset_ids=ids)
    assert (answer.status_code, answer.json()["code"]) == (422, "mix_of_formats")
