"""`llmlora plan`: what a run needs, and for one that does not fit the command that does."""

import json

import pytest

from cli.this_process import next_command, run
from llmlora.services import capacity, probe, training_plan

ROWS = [{"instruction": f"質問{number}は？", "output": f"答え{number}です。" * 30} for number in range(64)]
BIG = ("--set", "batch_size=64", "--set", "max_length=512", "--set", "r=256")


@pytest.fixture
def data(tmp_path, home):
    path = tmp_path / "my data.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return path


def test_what_fits_is_told_with_the_command_that_trains(data, capsys):
    words = ("--model", "nano", "--data", data, "--system", "Be kind.", "--drop-overlong", "--set", "r=4")
    code, out, err = run(capsys, "plan", *words)
    assert code == 0
    found = json.loads(run(capsys, "plan", *words, "--json")[1])
    assert (found["fits"], found["rows"], found["change"]) == (True, 64, None)
    assert all(f"{found[name]:,}" in out for name in ("tokens", "learned_tokens", "steps"))
    assert set(next_command(err)) == {"train", *map(str, words[:-1]), "r=4"}


def test_what_does_not_fit_gets_a_command_that_does(data, capsys, monkeypatch):
    words = ("plan", "--model", "nano", "--data", data, *BIG)
    needed = json.loads(run(capsys, *words, "--json")[1])["memory"]["needed_bytes"]
    monkeypatch.setattr(capacity, "memory_bytes", lambda: int(0.7 * needed))
    code, out, err = run(capsys, *words)
    assert code == 1
    assert "--set per_device_train_batch_size=" in out
    refused = run(capsys, *words, "--json")
    assert (refused[0], json.loads(refused[1])["fits"]) == (1, False)
    assert run(capsys, "plan", *next_command(err)[1:])[0] == 0


def test_what_nothing_mends_says_so(data, capsys, monkeypatch):
    monkeypatch.setattr(capacity, "memory_bytes", lambda: 1000)
    code, out, err = run(capsys, "plan", "--model", "nano", "--data", data, "--lang", "ja")
    assert (code, "次" in err) == (1, False)
    assert "小さいモデル" in out


def test_what_cannot_be_used_is_refused_as_training_refuses_it(data, capsys):
    assert run(capsys, "plan", "--model", "nano", "--data", "missing.jsonl")[0] == 3
    assert run(capsys, "plan", "--model", "nano", "--data", data, "--set", "r=-1")[0] == 2
    assert run(capsys, "plan", "--model", "nano")[0] == 2


def test_no_job_and_no_index_is_made(data, home, capsys):
    assert run(capsys, "plan", "--model", "nano", "--data", data)[0] == 0
    assert not {"jobs", "llmlora.db"} & {path.name for path in home.iterdir()}


def test_a_kept_dataset_is_planned_by_its_name(data, capsys):
    assert run(capsys, "dataset", "add", data, "--name", "店")[0] == 0
    code, out, err = run(capsys, "plan", "--model", "nano", "--data", "店")
    assert (code, "64" in out) == (0, True)
    assert next_command(err) == ["train", "--model", "nano", "--data", "店"]
    refused, _, err = run(capsys, "plan", "--model", "nano", "--data", "no such", "--json")
    assert (refused, json.loads(err)["code"]) == (3, "file_not_found")


def test_a_recipe_is_planned_as_it_stands(data, capsys, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(json.dumps({"base_model": "nano", "data": data.name, "max_steps": 7}), encoding="utf-8")
    code, out, err = run(capsys, "plan", recipe)
    assert (code, "Steps: 7 " in out) == (0, True)
    assert next_command(err) == ["train", str(recipe)]


def test_a_probe_says_that_it_was_measured(data, capsys, monkeypatch):
    steps = probe.Measured(60.0, 0.001, 0.0, 0.1, 2_340_000_000)
    monkeypatch.setattr(training_plan, "measure_steps", lambda planned: steps)
    code, out, _ = run(capsys, "plan", "--model", "nano", "--data", data, "--probe")
    assert (code, "measured by a few real steps" in out, "about 2.3 GB" in out) == (0, True, True)


def test_what_will_not_teach_is_warned_of(data, capsys):
    code, out, _ = run(capsys, "plan", "--model", "nano", "--data", data, "--set", "max_steps=1")
    assert code == 0
    assert "! " in out
    assert "--set max_steps=" in out
