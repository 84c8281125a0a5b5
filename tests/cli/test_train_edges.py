"""`llmlora train` at its edges, in process and without a worker: words, documents and exit codes of every outcome."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from llmlora.cli import main
from llmlora.cli import train as command
from llmlora.core.errors import (
    DiskFull,
    ModelFileError,
    NonFiniteLoss,
    OutOfMemory,
    Stopped,
    WorkerDied,
)
from llmlora.core.layout import CHECKPOINT_PREFIX, CHECKPOINTS_DIR, run_dir

PROMISED = (
    "status", "final_loss", "eval_loss", "perplexity", "num_tokens", "tokens_per_second", "peak_memory_bytes",
    "seconds", "adapter_dir",
)  # fmt: skip
RESULT = {
    "status": "succeeded", "final_loss": 0.5, "eval_loss": None, "perplexity": None, "num_tokens": 10,
    "tokens_per_second": 1.5, "peak_memory_bytes": 10**9, "seconds": 61.0, "adapter_dir": "/job/adapter",
}  # fmt: skip


@pytest.fixture
def train(place, monkeypatch, capsys):
    """Return a function that runs `llmlora train …` with an outcome instead of a worker."""

    def call(*words, outcome=RESULT, options=True, language="en"):
        def finish(planned, out, on_event):
            call.planned = planned
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(command, "start_training", finish)
        base = ("--model", str(place / "base"), "--data", str(place / "data.jsonl")) if options else ()
        code = main.run(["train", *base, *map(str, words), "--lang", language])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def error_of(text):
    return json.loads(text.strip().splitlines()[-1])


def test_the_document_has_exactly_the_promised_keys_first(train):
    code, out, err = train("--json")
    document = json.loads(out)
    assert code == 0
    assert list(document) == ["schema", *PROMISED, "plan"]
    assert document["schema"] == "llmlora.train/1"
    assert out.endswith("}\n")
    assert "schema" not in err


@pytest.mark.parametrize(
    ("outcome", "code", "status"),
    [
        (Stopped("stopped", step=1, total_steps=2, folder="x", has_checkpoint=True), 75, "interrupted"),
        (Stopped("stopped_before_training", folder="x"), 130, "interrupted"),
        (NonFiniteLoss("nonfinite_weights", step=1, tensor="t", words="w", folder="x"), 1, "failed"),
        (DiskFull("disk_full", path="x", free_bytes=1), 1, "failed"),
        (OutOfMemory("memory_short", needed_bytes=10**9, free_bytes=1), 1, "failed"),
        (WorkerDied("worker_died", kind="train", exit_code=-11, folder="x"), 1, "failed"),
    ],
)
def test_a_run_that_did_not_succeed_prints_its_document_and_an_error(train, outcome, code, status):
    exit_code, out, err = train("--json", outcome=outcome)
    document = json.loads(out)
    assert exit_code == code
    assert document["status"] == status
    assert set(document) == {"schema", *PROMISED, "plan"}
    assert all(document[name] is None for name in (*PROMISED[1:], "plan"))
    error = error_of(err)
    assert error["code"] == outcome.code
    assert error["what"] and error["hint"] and "{" not in error["what"] + error["why"] + error["hint"]


def test_an_input_error_leaves_stdout_empty(train):
    code, out, err = train("--json", outcome=ModelFileError("tokenizer_missing", path="x"))
    assert (code, out) == (4, "")
    assert error_of(err)["error"] == "ModelFileError"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_numbers_of_bytes_are_readable(train, language):
    outcome = DiskFull(
        "train_disk_short", path="/job", kept=2, needed_bytes=12_345_678, reserve_bytes=9_000, free_bytes=1
    )
    _, _, err = train(outcome=outcome, language=language)
    assert "12 MB" in err
    assert ("ヒント" in err) == (language == "ja")
    assert "Traceback" not in err


def test_without_json_the_result_is_words_on_stderr(train):
    code, out, err = train(outcome={**RESULT, "eval_loss": 1.25, "perplexity": 3.49})
    assert (code, out) == (0, "")
    assert "1:01" in err and "0.500" in err and "1.250" in err and "3.5" in err
    assert "/job/adapter" in err


def test_a_result_without_numbers_is_still_shown(train):
    empty = {**RESULT, "final_loss": None, "seconds": None, "tokens_per_second": None}
    code, _, err = train(outcome=empty)
    assert code == 0
    assert "0:00" in err


def test_quiet_says_nothing_but_errors(train):
    assert train("--quiet") == (0, "", "")
    _, _, err = train("--quiet", outcome=NonFiniteLoss("nonfinite_weights", step=1, tensor="t", words="w", folder="x"))
    assert "hint" in err


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_plan_shows_every_value_with_its_reason(train, language):
    _, _, err = train("--preset", "light", "--set", "lr=1e-3", "--set", "warmup=2", language=language)
    lines = {line.split()[0]: line for line in err.splitlines() if line.strip()}
    assert "--preset" in lines["r"]
    assert "0.001" in lines["learning_rate"]
    assert "2" in lines["warmup_steps"]
    assert "recommend" not in err.replace("recommended", "")  # every reason has its words


def test_the_plan_shows_only_what_counts(train):
    _, _, err = train("--set", "method=full")
    assert not any(line.split()[:1] == ["lora_alpha"] for line in err.splitlines())
    stages = "stages=[{learning_rate: 1.0e-3, epochs: 2}, {learning_rate: 1.0e-4, epochs: 1}]"
    _, _, err = train("--set", "lr_scheduler_type=staged", "--set", stages)
    shown = [line.split()[0] for line in err.splitlines() if line.strip()]
    assert "stages" in shown
    assert "learning_rate" not in shown and "num_train_epochs" not in shown
    assert "0.001 x 2, 0.0001 x 1" in " ".join(err.split())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--set", "r: 4"], "not_key_value"),
        (["--set", "=4"], "not_key_value"),
        (["--set", "stages=[{"], "not_key_value"),
        (["--set", "r=4", "--set", "r=8"], "setting_twice"),
        (["--set", "r=4", "--set", "rank=8"], "setting_twice"),
        (["--set", "system=a", "--system", "b"], "setting_twice"),
        (["--map", "output=a", "--map", "output=b"], "setting_twice"),
        (["--map", "output"], "not_key_value"),
        (["--set", "r="], "invalid_settings"),
        (["--set", "learning_rat=1"], "invalid_settings"),
        (["--set", "r=yes"], "invalid_settings"),
        (["--set", "lr=1e-4", "--set", "epochs=none"], "invalid_settings"),
        (["--preset", "blanced"], "unknown_preset"),
        (["--format", "poem"], "unknown_format"),
    ],
)
def test_wrong_settings_are_usage_errors_with_words(train, words, code):
    exit_code, out, err = train(*words, "--json")
    assert (exit_code, out) == (2, "")
    error = error_of(err)
    assert error["code"] == code
    assert not re.search(r"\{\w+\}", error["what"] + error["hint"])


def test_all_wrong_settings_are_listed_in_the_users_language(train):
    words = ("--set", "r=0", "--set", "lrr=1", "--set", "num_cycles=4", "--set", "eval_steps=2")
    code, _, err = train(*words, language="ja")
    bullets = [line for line in err.splitlines() if line.strip().startswith("•")]
    assert code == 2
    assert len(bullets) == 4
    assert any("r = 0" in line and "1 以上" in line for line in bullets)
    assert any("lrr" in line and "似た名前: lr" in line for line in bullets)
    assert all(any("\u3040" <= letter <= "\u30ff" for letter in line) for line in bullets)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("training_stages", " Similar names: stages"),
        ("batchsize", " Similar names: batch_size"),
        ("qzqzqz", " Known: "),
    ],
)
def test_a_setting_that_was_perhaps_meant_is_named(train, name, near):
    _, _, err = train("--set", f"{name}=1")
    assert f"{name}: there is no such setting.{near}" in " ".join(err.split())


def test_values_are_read_as_yaml_writes_them(train):
    words = ("target_modules=[q_proj, v_proj]", "use_dora=true", "max_steps=", "lr=5e-4")
    train(*(part for word in words for part in ("--set", word)))
    config = train_config(train)
    assert config.target_modules == ("q_proj", "v_proj")
    assert config.use_dora and config.max_steps is None
    assert config.learning_rate == 5e-4


def train_config(train):
    return train.planned.job.train


def test_a_text_with_an_equals_sign_is_kept_whole(train):
    train("--set", "system=a=b")
    assert train_config(train).system == "a=b"
    train("--system", "次の質問に: 答えて")
    assert train_config(train).system == "次の質問に: 答えて"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--resume", "job", "--set", "r=4"], "resume_alone"),
        (["recipe.yaml", "--resume", "job"], "resume_alone"),
        (["recipe.yaml", "--model", "nano"], "recipe_or_options"),
        (["recipe.yaml", "--data", "d"], "recipe_or_options"),
        (["--data", "d"], "missing_argument"),
        ([], "missing_argument"),
        (["."], "recipe_is_folder"),
    ],
)
def test_combinations_of_the_three_ways_to_start(train, words, code):
    exit_code, _, err = train(*words, "--json", options=False)
    assert exit_code == 2
    assert error_of(err)["code"] == code


def test_a_recipe_is_overridden_by_options(train, place, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(f"base_model: {place}/base\ndata: {place}/data.jsonl\nr: 3\nseed: 5\nsystem: x\n")
    train(recipe, "--preset", "light", "--set", "seed=6", "--eval-data", place / "data.jsonl", options=False)
    config = train_config(train)
    assert (config.r, config.seed, config.system) == (4, 6, "x")
    assert train.planned.job.eval_data is not None
    assert train.planned.job.reasons["system"] == "recipe"


def test_a_jobs_config_is_run_again_from_its_folder(train, place, tmp_path):
    from llmlora.core.job import write_job

    train("--preset", "balanced", "--set", "seed=11")
    first = train.planned.job
    write_job(tmp_path, first)
    code, _, _ = train(tmp_path / "config.json", options=False)
    assert code == 0
    assert train.planned.job.train == first.train


def test_ctrl_c_while_planning_is_130_with_nothing_on_stdout(train, monkeypatch):
    def interrupt(request, on_event):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "plan_training", interrupt)
    code, out, err = train("--json")
    assert (code, out) == (130, "")
    assert error_of(err)["code"] == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.05, 0.2])
def test_a_stop_while_the_program_loads_leaves_no_traceback(number, delay):
    """Python's own start cannot be covered; from our first line on there is an exit code and no traceback."""
    program = (
        "import os, sys\n"
        "os.write(1, b'ready')\n"
        "sys.argv = ['llmlora', 'models']\n"
        "from llmlora.__main__ import main\n"
        "main()\n"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", program], env=os.environ, **pipes)
    assert process.stdout.read(5) == b"ready"
    time.sleep(delay)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    ours = set(re.findall(rb'File "[^"]*/llmlora/([^"]*)"', stderr))
    assert ours <= {b"__init__.py"}, stderr  # which Python itself runs, before our first line
    assert process.returncode in (0, 130, -number)


@pytest.mark.parametrize(
    ("language", "words"), [("ja", "似た名前: recommended。"), ("en", "Similar names: recommended.")]
)
def test_a_preset_that_was_perhaps_meant_is_named(train, language, words):
    code, out, err = train("--preset", "recomended", language=language)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    ("option", "name", "right"),
    [("--preset", "memory_saver", "--training-preset"), ("--training-preset", "light", "--preset")],
)
def test_a_preset_of_the_other_option_is_told_where_it_belongs(train, language, option, name, right):
    code, out, err = train(option, name, language=language)
    assert (code, out) == (2, "")
    assert f" {right} {name} " in f" {err} "


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_resume_stopped_while_the_program_loads_names_its_checkpoint(number, tmp_path):
    job = tmp_path / "my job"
    (run_dir(job, 1) / CHECKPOINTS_DIR / f"{CHECKPOINT_PREFIX}7").mkdir(parents=True)
    program = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job begins with none
        f"sys.argv = ['llmlora', '--lang', 'en', 'train', '--resume', {str(job)!r}]\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'llmlora.cli.main':\n"
        "            sys.meta_path.remove(self)\n"
        f"            os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from llmlora.__main__ import main\n"
        "main()\n"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert process.returncode == 75, process.stderr
    assert f"llmlora train --resume '{job}'" in process.stderr and "step 7" in process.stderr
