"""`llmlora models pull | delete`: by Ollama and from the Hub, and what is never deleted."""

import json
import shutil
from pathlib import Path

import pytest

from cli.this_process import document, next_command, run
from fake_hub import FakeHub, serving
from fake_ollama.server import FakeOllama
from llmlora.cli import models as screen
from llmlora.cli import output
from llmlora.cli.completion import fetched_model_words
from llmlora.gguf.container import write_container
from llmlora.services.fetched_models import find_fetched
from llmlora.services.workspace import open_workspace
from tiny_models import tiny_model

NAME = "me/mine"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model("llama", tmp_path_factory.mktemp("hub") / "model")


@pytest.fixture
def hub(folder, tmp_path, home, monkeypatch):
    with serving(FakeHub(shutil.copytree(folder, tmp_path / "served"))) as found:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield found


@pytest.fixture
def ollama(tmp_path, home, monkeypatch):
    """Return an Ollama server whose registry has the model `small`."""
    with FakeOllama(tmp_path / "store") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "no-store"))
        (server.store.folder / "registry").mkdir()
        file = server.store.folder / "registry" / "small.gguf"
        write_container(file, {"general.architecture": "llama", "general.name": "small"}, [])
        yield server


def refusal(capsys, *words):
    code, _, err = run(capsys, *words, "--json")
    return code, json.loads(err)


def answered(monkeypatch, answer):
    """Let the command think that it runs on a terminal, whose user gives an answer; return what is asked."""
    asked = []
    monkeypatch.setattr(screen.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(output.console, "_force_terminal", True)
    monkeypatch.setattr(screen.typer, "confirm", lambda text, err: asked.append(text) or answer)
    return asked


def test_a_model_of_the_hub_is_fetched_used_and_deleted(hub, folder, tmp_path, capsys):
    pulled = document(capsys, "models", "pull", NAME)
    place = tmp_path / "cache" / "models--me--mine"
    assert (pulled["schema"], pulled["name"], pulled["source"]) == ("llmlora.models_pull/1", NAME, "hub")
    assert Path(pulled["path"]).is_relative_to(place)
    assert NAME in [model["name"] for model in document(capsys, "models")["models"]]
    assert [word for word, _ in fetched_model_words("me")] == [NAME]
    code, _, err = run(capsys, "models", "pull", NAME)
    assert (code, next_command(err)[:3]) == (0, ["train", "--model", NAME]), "a second time there is nothing to do"
    deleted = document(capsys, "models", "delete", NAME, "-y")
    assert (deleted["schema"], deleted["name"]) == ("llmlora.models_delete/1", NAME)
    assert deleted["num_bytes"] > (folder / "model.safetensors").stat().st_size
    assert not place.exists() and NAME not in [model["name"] for model in document(capsys, "models")["models"]]
    assert fetched_model_words("") == []
    code, error = refusal(capsys, "models", "delete", NAME)
    assert (code, error["code"]) == (3, "model_to_delete_unknown")


def test_what_training_fetched_may_be_deleted_too_and_not_while_a_job_is_to_use_it(hub, tmp_path, capsys):
    (tmp_path / "data.jsonl").write_text('{"instruction": "a", "output": "b"}\n' * 5, encoding="utf-8")
    queued = document(capsys, "train", "--model", NAME, "--data", "data.jsonl", "--set", "max_length=64", "--detach")
    code, error = refusal(capsys, "models", "delete", NAME, "-y")
    assert (code, error["code"]) == (3, "model_in_use")
    assert error["hint"].endswith(f"llmlora jobs cancel {queued['id']}")
    assert run(capsys, "jobs", "cancel", queued["id"])[0] == 0
    assert run(capsys, "models", "delete", NAME, "-y")[0] == 0


def test_what_others_have_put_into_the_cache_stays(hub, home, capsys):
    document(capsys, "models", "pull", NAME)
    (home / "fetched-models.json").unlink()
    code, error = refusal(capsys, "models", "delete", NAME, "-y")
    assert (code, error["code"]) == (2, "hub_model_of_others")
    assert f"hf cache rm model/{NAME}" in error["hint"]
    document(capsys, "models", "pull", NAME)
    assert refusal(capsys, "models", "delete", NAME, "-y")[1]["code"] == "hub_model_of_others", "it was there before"
    assert refusal(capsys, "models", "delete", f"{NAME}@main", "-y")[1]["code"] == "hub_delete_whole"


def test_what_the_hub_refuses_is_said(hub, capsys):
    hub.status, hub.error_code = 404, "RepoNotFound"
    code, error = refusal(capsys, "models", "pull", NAME)
    assert (code, error["code"]) == (3, "hub_not_found")


@pytest.mark.parametrize("name", ["ollama:small", "small", "ollama:small:latest"])
def test_a_model_of_ollama_is_downloaded_and_deleted_by_it(ollama, name, capsys):
    pulled = document(capsys, "models", "pull", name.removesuffix(":latest"))
    assert (pulled["name"], pulled["source"], pulled["path"]) == ("ollama:small", "ollama", None)
    assert ollama.store.find("small") is not None
    code, _, err = run(capsys, "models", "delete", name, "-y")
    assert (code, next_command(err)) == (0, ["models", "pull", "ollama:small:latest"])
    assert ollama.store.find("small") is None
    code, error = refusal(capsys, "models", "delete", name, "-y")
    assert (code, error["code"]) == (3, "ollama_no_model" if name.startswith("ollama:") else "model_to_delete_unknown")


def test_on_a_terminal_it_asks_and_says_who_needs_it(ollama, capsys, monkeypatch):
    document(capsys, "models", "pull", "ollama:small")
    code, error = refusal(capsys, "models", "delete", "ollama:small")
    assert (code, error["code"]) == (2, "delete_needs_yes"), "elsewhere nobody can be asked"
    asked = answered(monkeypatch, False)
    monkeypatch.setattr(screen, "find_fetched", lambda queue, name, url: with_jobs(find_fetched(queue, name, url)))
    code, _, err = run(capsys, "models", "delete", "ollama:small")
    assert (code, ollama.store.find("small") is not None) == (130, True)
    assert "ollama:small:latest" in asked[0] and "店, 会員" in err and "was not deleted" in err
    answered(monkeypatch, True)
    assert run(capsys, "models", "delete", "ollama:small")[0] == 0
    assert ollama.store.find("small") is None


def with_jobs(found):
    return screen.FetchedModel(found.name, found.source, found.num_bytes, ("店", "会員"))


def test_the_jobs_that_were_trained_on_it_are_known(ollama, home, capsys):
    document(capsys, "models", "pull", "ollama:small")
    with open_workspace() as queue:
        place = home / "jobs" / "01M8MRXQ4TMPHG49Z8YW0HW2F2"
        place.mkdir(parents=True)
        (place / "config.json").write_text(json.dumps({"base_model": "ollama:small", "base_dir": "/elsewhere"}))
        job = queue.submit("train", place, name="店", job_id=place.name)
        with queue.database.write() as connection:
            connection.exec_driver_sql("update jobs set status = 'succeeded'")
        assert find_fetched(queue, "ollama:SMALL:latest").jobs == (job.name,)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nano", "bundled_model_stays"),
        ("./base", "model_is_path"),
        ("/etc", "model_is_path"),
        ("~/models", "model_is_path"),
        ("own", "model_is_path"),
        ("me/nothing", "model_to_delete_unknown"),
    ],
)
def test_everything_else_stays(hub, tmp_path, name, code, capsys):
    (tmp_path / "own").mkdir()
    assert refusal(capsys, "models", "delete", name, "-y")[1]["code"] == code
    assert (tmp_path / "own").is_dir()


def test_what_is_here_already_needs_no_fetching(home, capsys):
    assert document(capsys, "models", "pull", "nano")["source"] == "bundled"
    code, _, err = run(capsys, "models", "pull", "nano")
    assert (code, next_command(err)[:3]) == (0, ["train", "--model", "nano"])
    assert refusal(capsys, "models", "pull", "./base")[1]["code"] == "model_is_path"
