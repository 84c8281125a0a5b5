"""Why a job waits is said in whole words, in the caller's language; no name of a value is left in them."""

import pytest

from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.store import jobs

REASONS = ["command", "folder_busy", "killed", "night_window", "ollama", "stalled", "stopped", "user", "worker_died"]


@pytest.fixture
def job(client):
    rows = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(4)]
    data = client.post("/api/datasets", json={"name": "rows", "examples": rows}).json()["id"]
    wish = {"base_model": "nano", "dataset_id": data, "settings": {"max_steps": 1}}
    return client.post("/api/training/jobs", json=wish).json()["id"]


def messages(client, job, language):
    headers = {"Accept-Language": language}
    progress = client.get(f"/api/training/jobs/{job}/progress", headers=headers).json()
    return {progress["message"], client.get(f"/api/training/jobs/{job}", headers=headers).json()["message"]}


def test_every_reason_to_wait_is_worded(client, job):
    database = client.app.state.platform.database
    for reason in REASONS:
        with database.write() as connection:
            jobs.set_values(connection, job, reason=reason)
        for language in LANGUAGES:
            set_language(language)
            expected = translate(f"api.reason.{reason}")
            assert messages(client, job, language) == {expected}
            assert "{" not in expected


def test_an_error_of_the_same_name_keeps_its_values(client, job):
    database = client.app.state.platform.database
    error = {"error": "Stopped", "code": "stopped", "params": {"step": 7, "total_steps": 90, "folder": "/x"}}
    with database.write() as connection:
        jobs.set_values(connection, job, reason="stopped", error=error)
    assert messages(client, job, "en") == {
        "Training stopped at step 7/90. A stop was asked for and a checkpoint was saved."
    }
