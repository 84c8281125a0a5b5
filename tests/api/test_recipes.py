"""Recipes over HTTP: what a form takes from one and gives as one, with names of the workspace instead of paths."""

import json

import pytest
import yaml

from api.clients import nothing_left
from api.test_training_jobs import ROWS, create, dataset

CHANGED = {"r": 16, "learning_rate": 0.001, "target_modules": ["q_proj", "v_proj"]}


def read(client, text, **fields):
    answer = client.post("/api/training/recipes/read", json={"text": text, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def written(client, dataset_id, **settings):
    wish = {"base_model": "nano", "dataset_id": dataset_id, "settings": settings}
    answer = client.post("/api/training/recipes/write", json=wish)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/yaml")
    return answer.text


def test_what_was_written_is_read_again_as_what_was_chosen(client, home):
    data = dataset(client)
    with nothing_left(home):
        text = written(client, data, **CHANGED)
        found = read(client, text)
    assert yaml.safe_load(text)["base_model"] == "nano"
    assert (found["base_model"], found["dataset_id"], found["missing"]) == ("nano", data, {})
    assert found["settings"].items() >= CHANGED.items()
    planned = client.post("/api/training/plan", json={"base_model": "nano", "dataset_id": data, **_of(found)}).json()
    assert {name: planned["settings"][name] for name in yaml.safe_load(text) if name in planned["settings"]} == {
        name: value for name, value in yaml.safe_load(text).items() if name in planned["settings"]
    }


def test_what_is_recommended_anyway_is_no_change(client, home):
    data = dataset(client)
    assert read(client, written(client, data))["settings"] == {}


def test_the_config_of_a_job_is_a_recipe_too(client, home):
    data = dataset(client)
    made = create(client, data, settings={"max_steps": 4, "r": 3}).json()
    found = read(client, (home / "jobs" / made["id"] / "config.json").read_text(encoding="utf-8"))
    assert (found["base_model"], found["dataset_id"]) == ("nano", data)
    assert found["settings"].items() >= {"max_steps": 4, "r": 3}.items()


def test_data_is_found_by_its_name_and_what_is_not_here_is_told(client, home):
    data = dataset(client, name="店")
    assert read(client, "base_model: nano\ndata: files/店.jsonl\nrank: 5\n") == {
        "base_model": "nano", "dataset_id": data, "eval_dataset_id": None, "replay": None, "settings": {"r": 5},
        "missing": {},
    }  # fmt: skip
    found = read(client, "base_model: /etc/passwd\ndata: ../secret.jsonl\nr: 5\n")
    assert (found["base_model"], found["dataset_id"], found["settings"]) == (None, None, {"r": 5})
    assert found["missing"] == {"base_model": "/etc/passwd", "data": "../secret.jsonl"}


def test_earlier_data_is_named_and_nothing_of_it_is_kept(client, home):
    data, earlier = dataset(client), dataset(client, ROWS, "前の店")
    wish = {"base_model": "nano", "dataset_id": data, "replay": {"source": earlier, "share": 0.4}}
    with nothing_left(home):
        text = client.post("/api/training/recipes/write", json=wish).text
        found = read(client, text)
    recipe = yaml.safe_load(text)
    assert recipe["data"].startswith(str(home / "datasets" / data))
    assert (recipe["replay"], recipe["replay_share"]) == (earlier, 0.4)
    assert (found["dataset_id"], found["replay"], found["settings"]) == (data, wish["replay"], {})
    job = create(client, data, name="前のジョブ").json()["id"]
    text = "base_model: nano\ndata: 店\nreplay: "
    assert read(client, text + "前のジョブ\n")["replay"] == {"source": job, "share": 0.3}
    assert read(client, text + "none.jsonl\n")["missing"]["replay"] == "none.jsonl"
    for share in ("0", "0.99", "x", "true", "[1]"):
        answer = client.post("/api/training/recipes/read", json={"text": f"{text}{earlier}\nreplay_share: {share}\n"})
        assert (answer.status_code, answer.json()["code"]) == (422, "replay_share"), answer.text


def test_settings_that_are_wrong_stay_for_the_plan_to_name(client, home):
    data = dataset(client, ROWS, "店")
    text = "base_model: nano\ndata: 店\nr: 0\nno_such: 1\n"
    found = read(client, text)
    assert found["settings"] == {"r": 0, "no_such": 1}
    planned = client.post("/api/training/plan", json={"base_model": "nano", "dataset_id": data, **_of(found)}).json()
    assert {item["field"] for item in planned["problems"]} == {"settings.r", "settings.no_such"}


ALIASES = "a: &a [1, 1]\n" + "".join(
    f"{name}: &{name} [*{chr(ord(name) - 1)}, *{chr(ord(name) - 1)}]\n" for name in "bcdefghijklmnop"
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(pytest.param(text, "recipe_unreadable", id=text) for text in ("- 1", "a: [", "r: 1\nr: 2\n", "")),
        pytest.param(ALIASES, "recipe_values", id="bomb"),
        pytest.param("a: 2026-11-30", "recipe_values", id="date"),
        pytest.param("a: !!binary aGVq", "recipe_values", id="bytes"),
        pytest.param(f"a: 0x{'f' * 5000}", "recipe_values", id="huge"),
    ],
)
def test_what_is_no_recipe_is_refused(client, home, text, code):
    answer = client.post("/api/training/recipes/read", json={"text": text, "file_name": "店.yaml"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code), json.dumps(problem)
    assert "店.yaml" in problem["detail"]


def _of(found):
    return {"settings": found["settings"]}
