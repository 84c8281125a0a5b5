"""The course over HTTP: lessons in the caller's language, their data, and steps that a reader marks."""

from __future__ import annotations

import pytest

from llmlora.core.assets import asset_path
from llmlora.services.tutorials import find_lesson, lessons


def test_the_list_tells_every_level(client):
    found = client.get("/api/tutorials", headers={"Accept-Language": "ja"}).json()
    assert [item["level"] for item in found["items"]] == [lesson.level for lesson in lessons()]
    assert found["items"][0]["title"].startswith("レベル1")
    assert (found["items"][0]["num_done"], found["next_cursor"]) == (0, None)


@pytest.mark.parametrize(("language", "word"), [("ja", "学習する"), ("en", "Train")])
def test_a_lesson_comes_in_the_callers_language(client, language, word):
    found = client.get("/api/tutorials/1", headers={"Accept-Language": language}).json()
    assert [step["id"] for step in found["steps"]] == [step.id for step in find_lesson(1).steps]
    assert {step["id"]: step["title"] for step in found["steps"]}["train"] == word
    assert "```sh" in found["steps"][0]["text"]


def test_the_data_that_a_learner_uploads_tick_the_step(client):
    answer = client.get("/api/tutorials/1/data")
    assert answer.content == asset_path("datasets", "level1_basic_qa.json").read_bytes()
    assert 'filename="level1_basic_qa.json"' in answer.headers["content-disposition"]
    sent = {"file": ("level1_basic_qa.json", answer.content)}
    uploaded = client.post("/api/datasets/upload", files=sent, data={"name": "基本Q&A"}).json()
    step = client.get("/api/tutorials/1").json()["steps"][1]
    assert (step["id"], step["state"], step["dataset_id"]) == ("data", "done", uploaded["id"])
    assert step["page"] == f"/datasets/{uploaded['id']}"


def test_a_step_is_marked_and_the_mark_taken_off(client):
    path = "/api/tutorials/1/steps/begin"
    assert client.put(path, json={"is_done": True}).json()["num_done"] == 1
    assert client.get("/api/tutorials").json()["items"][0]["num_done"] == 1
    assert client.put(path, json={"is_done": False}).json()["num_done"] == 0


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/tutorials/9", 404, "tutorial_not_found"),
        ("/api/tutorials/9/data", 404, "tutorial_not_found"),
        ("/api/tutorials/0", 422, "request_invalid"),
    ],
)
def test_what_does_not_exist_is_said(client, path, status, code):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_step_that_does_not_exist_cannot_be_marked(client):
    answer = client.put("/api/tutorials/1/steps/nowhere", json={"is_done": True})
    assert (answer.status_code, answer.json()["code"]) == (404, "tutorial_step_not_found")
