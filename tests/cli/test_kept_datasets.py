"""`llmlora dataset add | list | show | delete`: the datasets that the server has, without one."""

import json
import shutil
from pathlib import Path

import pytest

from cli.command_line import write_data
from cli.this_process import document, next_command, run
from llmlora.cli import main
from llmlora.core.errors import Stopped
from llmlora.services import train as train_service
from llmlora.services.workspace import open_workspace


@pytest.fixture(autouse=True)
def folder(tmp_path, home, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_kept_listed_shown_deleted_and_had_back(folder, home, capsys):
    code, _, err = run(capsys, "dataset", "add", write_data(folder), "--name", "店", "--description", "五つ")
    assert code == 0
    assert next_command(err) == ["train", "--model", "nano", "--data", "店"]
    (kept,) = document(capsys, "dataset", "list")["datasets"]
    assert (kept["name"], kept["description"], kept["num_examples"], kept["ok"]) == ("店", "五つ", 5, True)
    assert kept["path"].startswith(str(home))
    assert document(capsys, "dataset", "show", "店")["id"] == kept["id"]
    assert kept["id"][-8:] in run(capsys, "dataset", "list", "--lang", "ja")[1]
    undo = next_command(run(capsys, "dataset", "delete", "店")[2])
    assert document(capsys, "dataset", "list")["datasets"] == []
    assert main.run(undo) == 0
    capsys.readouterr()
    assert document(capsys, "dataset", "list")["datasets"] == [kept]


def test_a_name_that_means_something_else_is_not_proposed(folder, capsys):
    data = write_data(folder)
    first = next_command(run(capsys, "dataset", "add", data, "--name", "data.jsonl")[2])[-1]
    assert first == document(capsys, "dataset", "list")["datasets"][0]["id"][-8:]
    run(capsys, "dataset", "add", data, "--name", "twice")
    second = next_command(run(capsys, "dataset", "add", data, "--name", "twice")[2])[-1]
    assert second == document(capsys, "dataset", "list")["datasets"][0]["id"][-8:]
    assert json.loads(run(capsys, "dataset", "show", "twice", "--json")[2])["code"] == "dataset_ambiguous"
    assert json.loads(run(capsys, "dataset", "show", "twic", "--json")[2])["code"] == "dataset_not_found_near"


def test_bad_rows_are_kept_and_named_and_not_trained_on(folder, capsys):
    (folder / "bad.jsonl").write_text('{"instruction": "q"}\n{"instruction": "q", "output": "a"}\n')
    code, out, err = run(capsys, "dataset", "add", "bad.jsonl")
    assert (code, "Next" in err) == (0, False)
    assert "line 1" in out
    assert document(capsys, "dataset", "show", "bad")["ok"] is False
    refused, _, err = run(capsys, "train", "--model", "nano", "--data", "bad", "--json")
    assert (refused, json.loads(err)["code"]) == (4, "kept_dataset_has_errors")


def test_what_is_no_dataset_is_refused_and_not_kept(folder, capsys):
    (folder / "photo.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    assert run(capsys, "dataset", "add", "photo.csv")[0] == 4
    assert run(capsys, "dataset", "add", "missing.csv")[0] == 3
    assert document(capsys, "dataset", "list")["datasets"] == []


def test_a_dataset_that_a_job_reads_is_not_deleted(folder, capsys):
    run(capsys, "dataset", "add", write_data(folder), "--name", "店")
    queued = document(capsys, "train", "--model", "nano", "--data", "店", "--eval-data", "店", "--detach")
    kept = document(capsys, "dataset", "show", "店")["id"]
    assert (queued["name"], queued["dataset_id"], queued["eval_dataset_id"]) == ("店", kept, kept)
    code, _, err = run(capsys, "dataset", "delete", "店", "--json")
    assert (code, json.loads(err)["code"]) == (3, "dataset_in_use")
    assert json.loads(err)["hint"].endswith(f"llmlora jobs cancel {queued['id']}")
    assert main.run(["jobs", "cancel", "店"]) == 0
    assert main.run(["dataset", "delete", "店"]) == 0


def test_a_dataset_that_a_job_reads_elsewhere_is_not_deleted(folder, capsys, monkeypatch):
    run(capsys, "dataset", "add", write_data(folder), "--name", "店")
    refused = []

    def run_worker(*_):
        refused.append(run(capsys, "dataset", "delete", "店", "--json"))
        raise Stopped("interrupted")

    monkeypatch.setattr(train_service, "run_worker", run_worker)
    assert run(capsys, "train", "--model", "nano", "--data", "店", "--out", "elsewhere")[0] == 130
    ((code, _, err),) = refused
    told = json.loads(err.splitlines()[-1])
    assert (code, told["code"]) == (3, "dataset_read_outside")
    assert str(folder / "elsewhere") in told["hint"]
    assert run(capsys, "dataset", "delete", "店")[0] == 3, "it can go on"
    shutil.rmtree(folder / "elsewhere")
    assert run(capsys, "dataset", "delete", "店")[0] == 0


def uses_of(capsys, job_id):
    """Return the names of the datasets that a job reads, by what for."""
    names = {kept["id"]: kept["name"] for kept in document(capsys, "dataset", "list")["datasets"]}
    with open_workspace() as queue:
        return {use.role: names[use.dataset_id] for use in queue.get(job_id).datasets}


def test_earlier_rows_of_a_dataset_keep_it_from_being_deleted(folder, capsys):
    for name in ("新", "検証", "前"):
        run(capsys, "dataset", "add", write_data(folder), "--name", name)
    queued = document(
        capsys, "train", "--model", "nano", "--data", "新", "--eval-data", "検証", "--replay", "前", "--detach"
    )
    assert queued["name"] == "新"
    assert uses_of(capsys, queued["id"]) == {"train": "新", "eval": "検証", "replay": "前"}
    for name in ("新", "検証", "前"):
        code, _, err = run(capsys, "dataset", "delete", name, "--json")
        assert (code, json.loads(err)["code"]) == (3, "dataset_in_use")
    assert main.run(["jobs", "cancel", queued["id"]]) == 0
    assert main.run(["dataset", "delete", "前"]) == 0


def test_however_a_dataset_is_named_its_use_is_written_down(folder, capsys):
    for name in ("新", "前"):
        run(capsys, "dataset", "add", write_data(folder), "--name", name)
    new, earlier = (document(capsys, "dataset", "show", name)["path"] for name in ("新", "前"))
    recipe = {"base_model": "nano", "data": new, "eval_data": earlier, "replay": "前"}
    (folder / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    queued = document(capsys, "train", folder / "recipe.yaml", "--detach")
    assert uses_of(capsys, queued["id"]) == {"train": "新", "eval": "前", "replay": "前"}, "by a recipe"
    again = document(capsys, "train", Path(queued["folder"]) / "config.json", "--detach")
    assert (again["name"], uses_of(capsys, again["id"])) == ("新", uses_of(capsys, queued["id"])), "by a job"
    by_path = document(capsys, "train", "--model", "nano", "--data", new, "--replay", queued["id"], "--detach")
    assert uses_of(capsys, by_path["id"]) == {"train": "新"}, "the mixed rows of a job are its own"
    plain = document(capsys, "train", "--model", "nano", "--data", "新", "--detach")
    of_job = document(capsys, "train", "--model", "nano", "--data", earlier, "--replay", plain["id"], "--detach")
    assert uses_of(capsys, of_job["id"]) == {"train": "前", "replay": "新"}, "by a job that was trained on it"


def test_a_file_wins_over_a_dataset_of_its_name(folder, capsys):
    run(capsys, "dataset", "add", write_data(folder), "--name", "data.jsonl")
    queued = document(capsys, "train", "--model", "nano", "--data", "data.jsonl", "--detach")
    assert (queued["dataset_id"], queued["name"]) == (None, "data")


def test_columns_and_encoding_are_kept_with_the_file(folder, capsys):
    (folder / "own.csv").write_bytes("Q,A\n店はどこ？,駅前です。\n何時？,十時です。\n".encode("cp932"))
    words = ("--map", "instruction=Q", "--map", "output=A", "--encoding", "cp932")
    added = document(capsys, "dataset", "add", "own.csv", *words)
    assert (added["ok"], added["encoding"], added["num_examples"]) == (True, "cp932", 2)
    queued = document(capsys, "train", "--model", "nano", "--data", "own", "--detach")
    config = json.loads((Path(queued["folder"]) / "config.json").read_text(encoding="utf-8"))
    assert config["data"]["columns"] == {"instruction": "Q", "output": "A"}
    assert config["data"]["encoding"] == "cp932"
