"""`llmlora train` from outside: the contract of folders, documents and exit codes, kills and stops included."""

import json
import signal
import time

import pytest
from peft import PeftModel
from transformers import AutoModelForCausalLM

from cli.command_line import run, start, write_data
from llmlora.core.events import read_job_events, step_history
from llmlora.core.publish import sha256_file

SETTINGS = ("--set", "num_train_epochs=8", "--set", "dtype=float32", "--set", "lora_dropout=0.1")


def arguments(place, out, *more):
    return ("train", "--model", place / "base", "--data", place / "data.jsonl", "--out", out, *SETTINGS, *more)


@pytest.fixture(scope="module")
def finished(place):
    result = run(*arguments(place, place / "job"), "--json")
    assert result.code == 0, result.stderr
    return result


def adapter_hash(folder):
    return sha256_file(folder / "adapter" / "adapter_model.safetensors")


def test_the_document_has_the_promised_fields(finished, place):
    document = finished.document
    assert document["schema"] == "llmlora.train/1"
    assert document["status"] == "succeeded"
    assert document["adapter_dir"] == str(place / "job" / "adapter")
    assert document["eval_loss"] is None
    assert document["perplexity"] is None
    for name in ("final_loss", "num_tokens", "tokens_per_second", "peak_memory_bytes", "seconds"):
        assert document[name] > 0, name


def test_what_was_said_before_is_in_the_document_and_was_done(finished):
    plan = finished.document["plan"]
    assert plan["num_steps"] == finished.document["num_steps"]
    assert plan["estimate"]["seconds"][0] < plan["estimate"]["seconds"][1]
    assert plan["estimate"]["memory_bytes"] > 0
    assert str(plan["num_steps"]) in finished.stderr


def test_the_job_folder_is_complete(finished, place):
    job = place / "job"
    config = json.loads((job / "config.json").read_text(encoding="utf-8"))
    assert config["train"]["num_train_epochs"] == 8
    assert config["data"]["sha256"] == sha256_file(place / "data.jsonl")
    names = {entry.name for entry in (job / "adapter").iterdir()}
    assert {
        "adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "chat_template.jinja", "README.md", "training_args.json",
    } <= names  # fmt: skip
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert (job / "report.json").is_file()
    assert "<script src" not in (job / "report.html").read_text(encoding="utf-8")


def test_every_step_is_one_event(finished, place):
    steps = [event for event in read_job_events(place / "job") if event["type"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, 41))
    for event in steps:
        assert {"loss", "learning_rate", "grad_norm", "tokens_per_second"} <= event["metrics"].keys()
    assert steps[-1]["metrics"]["loss"] < steps[0]["metrics"]["loss"] - 1


def test_bare_peft_loads_the_adapter(finished, place):
    adapter = place / "job" / "adapter"
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    base = AutoModelForCausalLM.from_pretrained(config["base_model_name_or_path"])
    model = PeftModel.from_pretrained(base, adapter)
    assert any(float(weight.abs().max()) > 0 for name, weight in model.named_parameters() if "lora_B" in name)


@pytest.mark.parametrize(
    ("after_step", "number"), [(3, signal.SIGKILL), (17, signal.SIGKILL), (9, signal.SIGTERM), (12, signal.SIGINT)]
)
def test_kill_and_resume_give_the_uninterrupted_result(finished, place, tmp_path, after_step, number):
    job = tmp_path / "job"
    process = start(*arguments(place, job, "--json"))
    wait_for_step(job, after_step)
    if number == signal.SIGKILL:
        killed = next(event["pid"] for event in read_job_events(job) if event["type"] == "run_started")
        signal_process(killed, number)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    elif process.returncode != 0:  # 0: it was done before the signal arrived
        assert process.returncode == 75, stderr
        assert json.loads(stdout)["status"] == "interrupted"
        assert "--resume" in json.loads(stderr.strip().splitlines()[-1])["hint"]
    resumed = run("train", "--resume", job, "--json")
    assert resumed.code == 0, resumed.stderr
    assert adapter_hash(job) == adapter_hash(place / "job")
    losses = [(entry["step"], float(entry["loss"]).hex()) for entry in step_history(job)]
    assert losses == [(entry["step"], float(entry["loss"]).hex()) for entry in step_history(place / "job")]


def wait_for_step(job, step):
    deadline = time.monotonic() + 120
    while not any(event["type"] == "step" and event["step"] >= step for event in read_job_events(job)):
        assert time.monotonic() < deadline, "training did not get there"
        time.sleep(0.01)


def signal_process(pid, number):
    import os

    os.kill(pid, number)


def test_resuming_a_finished_job_changes_nothing(finished, place):
    before = adapter_hash(place / "job")
    again = run("train", "--resume", place / "job", "--json")
    assert again.code == 0
    assert again.document["final_loss"] == finished.document["final_loss"]
    assert adapter_hash(place / "job") == before


def test_resume_refuses_changed_data(place, tmp_path):
    data = write_data(tmp_path)
    process = start("train", "--model", place / "base", "--data", data, "--out", tmp_path / "job", *SETTINGS)
    wait_for_step(tmp_path / "job", 2)
    process.terminate()
    process.communicate(timeout=60)
    data.write_text(data.read_text(encoding="utf-8") * 2, encoding="utf-8")
    if process.returncode == 75:
        resumed = run("train", "--resume", tmp_path / "job", "--json")
        assert (resumed.code, resumed.error["code"], resumed.stdout) == (3, "data_changed", "")


TRAIN = "train --model {base} --data {data}"
WRONG = {
    "unknown model": ("train --model no-such-model --data {data}", 3, "model_not_found"),
    "missing data": ("train --model {base} --data nowhere.jsonl", 3, "file_not_found"),
    "no data option": ("train --model {base}", 2, "missing_argument"),
    "unknown option": ("train --modle x", 2, "unknown_option_near"),
    "unknown setting": (f"{TRAIN} --set foo=1", 2, "invalid_settings"),
    "bad value": (f"{TRAIN} --set r=-1", 2, "invalid_settings"),
    "no equals sign": (f"{TRAIN} --set r", 2, "not_key_value"),
    "unknown preset": (f"{TRAIN} --preset x", 2, "unknown_preset"),
    "combination": (f"{TRAIN} --set method=full --set use_dora=true", 2, "invalid_settings"),
    "too long": (f"{TRAIN} --set max_length=99999", 2, "invalid_settings"),
    "occupied": (f"{TRAIN} --out {{base}}", 3, "folder_not_empty"),
    "wrong target": (f"{TRAIN} --out {{tmp}}/w --set target_modules=nope", 2, "unknown_target_modules"),
    "resume nothing": ("train --resume {tmp}/none", 3, "file_not_found"),
    "resume no job": ("train --resume {base}", 3, "model_not_job"),
    "a folder as data": ("train --model {base} --data {base}", 3, "not_a_file"),
    "missing recipe": ("train {tmp}/none.yaml", 3, "file_not_found"),
    "language": ("train --lang fr", 2, "unknown_language"),
    "no adapter": (f"{TRAIN} --init-adapter {{tmp}}", 3, "adapter_not_found"),
    "tracker": (f"{TRAIN} --set report_to=mlflow", 1, "package_missing"),
}


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_wrong_calls_say_what_why_and_what_next(place, tmp_path, case):
    words, code, name = WRONG[case]
    known = {"base": place / "base", "data": place / "data.jsonl", "tmp": tmp_path}
    result = run(*words.format(**known).split(), "--json")
    assert (result.code, result.error["code"]) == (code, name), result.stderr
    for part in ("what", "hint"):
        assert result.error[part], part
        assert "{" not in result.error[part], "a parameter was not filled in"
        assert not result.error[part].startswith("error."), "no words for this error"


@pytest.mark.parametrize("verb", ["train", "plan"])
def test_a_layer_that_the_model_lacks_is_refused_before_there_is_a_job(place, home, verb):
    asked = (verb, "--model", place / "base", "--data", place / "data.jsonl", "--set", "target_modules=nope")
    result = run(*asked, LLMLORA_LANG="ja")
    assert (result.code, result.stdout) == (2, "")
    assert "nope はこのモデルにありません" in result.stderr
    assert "q_proj" in result.stderr
    assert not list((home / "jobs").glob("*"))


def test_a_recipe_says_the_same_as_options(finished, place, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"base_model: {place / 'base'}\ndata: {place / 'data.jsonl'}\n"
        "num_train_epochs: 8\ndtype: float32\nlora_dropout: 0.1\n",
        encoding="utf-8",
    )
    result = run("train", recipe, "--out", tmp_path / "job", "--json")
    assert result.code == 0, result.stderr
    assert adapter_hash(tmp_path / "job") == adapter_hash(place / "job")


def test_full_training_validation_and_staged_rates(place, tmp_path):
    stages = "stages=[{learning_rate: 1.0e-3, epochs: 2}, {learning_rate: 1.0e-4, epochs: 1}]"
    result = run(
        "train", "--model", place / "base", "--data", place / "data.jsonl", "--out", tmp_path / "job", "--json",
        "--set", "method=full", "--set", "lr_scheduler_type=staged", "--set", stages, "--set", "validation_split=0.2",
    )  # fmt: skip
    assert result.code == 0, result.stderr
    assert result.document["perplexity"] > 1
    assert result.document["published_step"] == result.document["num_steps"] == 12
    assert "Published: the weights of step 12 of 12" in result.stderr
    assert (tmp_path / "job" / "model" / "model.safetensors").is_file()
    rates = [entry["learning_rate"] for entry in step_history(tmp_path / "job")]
    assert sorted(set(rates), reverse=True) == [1e-3, 1e-4]


def test_nothing_is_printed_on_stdout_without_json(place, tmp_path):
    result = run(*arguments(place, tmp_path / "job", "--set", "max_steps=2"), "--lang", "ja")
    assert result.code == 0
    assert result.stdout == ""
    assert "学習が終わりました" in result.stderr
