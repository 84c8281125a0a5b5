"""`llmlora train` beside a server and without one: the same jobs, by one real training each."""

import json
import shlex
import signal

import pytest

from cli.command_line import run, start
from cli.test_serve import serving
from llmlora.services.kept_datasets import get_dataset
from llmlora.services.workspace import open_workspace

SHORT = ("--set", "max_steps=2", "--set", "max_length=64")


def train(place, *more, **environment):
    return run("train", "--model", place / "base", "--data", place / "data.jsonl", *SHORT, *more, **environment)


def jobs(**environment):
    return run("jobs", "--json", **environment).document["jobs"]


def next_words(finished):
    (line,) = [line for line in finished.stderr.splitlines() if line.startswith("Next: ")]
    return shlex.split(line.partition(" llmlora ")[2] or line.partition("-m llmlora ")[2])


def test_without_a_server_it_trains_at_once_and_is_in_the_list(place, home):
    trained = train(place, "--json")
    assert trained.code == 0, trained.stderr
    (job,) = jobs()
    assert (job["status"], job["name"]) == ("succeeded", "data")
    assert trained.document["adapter_dir"] == f"{job['folder']}/adapter"
    assert job["final_loss"] == trained.document["final_loss"]


def test_without_a_server_the_datasets_that_it_reads_are_known_too(place, home):
    for name in ("new", "earlier"):
        assert run("dataset", "add", place / "data.jsonl", "--name", name).code == 0
    words = ("train", "--model", place / "base", "--data", "new", "--eval-data", "new", "--replay", "earlier", *SHORT)
    assert run(*words).code == 0
    with open_workspace() as queue:
        (job,) = queue.page().items
        named = {use.role: get_dataset(queue.database, use.dataset_id).name for use in job.datasets}
    assert (job.name, named) == ("new", {"train": "new", "eval": "new", "replay": "earlier"})


def test_detached_without_a_server_it_waits_for_jobs_run(place, home):
    queued = train(place, "--detach")
    assert queued.code == 0, queued.stderr
    assert "llmlora jobs run" in queued.stderr
    assert next_words(queued) == ["serve"]
    assert [job["status"] for job in jobs()] == ["queued"]
    worked = run("jobs", "run")
    assert worked.code == 0, worked.stderr
    assert [job["status"] for job in jobs()] == ["succeeded"]
    assert not (home / ".lock").read_text()


@pytest.mark.parametrize("other", [("--out", "x"), ("--resume", "x")])
def test_detach_goes_with_no_folder(place, home, other):
    refused = train(place, "--detach", "--json", *other)
    assert (refused.code, refused.error["code"]) == (2, "detach_alone")


def test_with_a_server_it_is_queued_followed_and_told_as_ever(place, home):
    with serving(home) as served:
        followed = train(place, "--json")
        assert followed.code == 0, followed.stderr
        (job,) = jobs()
        document = followed.document
        assert (document["schema"], document["status"], job["status"]) == ("llmlora.train/1", "succeeded", "succeeded")
        assert document["adapter_dir"] == f"{job['folder']}/adapter"
        assert document["plan"]["num_steps"] == 2
        assert json.loads(served.get(f"/api/training/jobs/{job['id']}")[1])["status"] == "succeeded"
        endless = ("--set", "max_steps=100000", "--no-progress")
        words = ("train", "--model", place / "base", "--data", place / "data.jsonl", *endless)
        process = start(*words)
        next(line for line in process.stderr if "Training 100000 steps" in line)
        process.send_signal(signal.SIGTERM)  # as Ctrl-C, which a process in the background does not get
        _, rest = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "llmlora jobs logs -f" in rest
        (running, _) = jobs()
        assert running["status"] in ("preparing", "running")
        assert run("jobs", "cancel", running["id"]).code == 0
        shown = run("jobs", "logs", "-f", running["id"])
        assert shown.code == 0
        assert jobs()[0]["status"] == "canceled"
