"""What a shell is told may come next: verbs, options, and names of jobs and datasets; quickly, and never an error."""

import os
import subprocess
import sys
from contextvars import copy_context

import pytest

from llmlora.cli import completion, main, shell_setup
from llmlora.core.locale import set_program
from llmlora.store.opening import open_store
from pace import slowness, start_seconds
from services.fake_launcher import submit

QUICK_SECONDS, NOISE = 0.8, 1.5


def completing(line, shell="bash", program="llmlora", **environment):
    """Return the call that a shell makes after a line was typed, and its environment."""
    words = line.split(" ")
    environment = {
        **os.environ,
        **environment,
        "_LLMLORA_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        **(
            {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
            if shell == "bash"
            else {"_TYPER_COMPLETE_ARGS": line}
        ),
    }
    called = f"import sys; sys.argv[0] = '{program}'; from llmlora.cli.main import main; main()"
    return [sys.executable, "-c", called], environment


def complete(line, shell="bash", program="llmlora", **environment):
    command, environment = completing(line, shell, program, **environment)
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.stderr == ""
    return finished.stdout


@pytest.fixture
def ids(home):
    database = open_store(home)
    made = {name: submit(database, name=name) for name in ("店", "two words", "plain")}
    database.close()
    return made


def test_names_and_ids_of_jobs(ids):
    found = complete("llmlora jobs pause ").split("\n")
    assert {"店", "plain", *(job_id[-8:] for job_id in ids.values())} <= set(found)
    assert "two words" not in found
    assert complete("llmlora jobs pause pl").split() == ["plain"]


def test_names_are_there_at_once(ids):
    seconds = start_seconds(*completing("llmlora jobs pause "))
    print(f"completed in {seconds:.2f} s of processor time (budget {QUICK_SECONDS} s, here times {slowness():.1f})")
    assert seconds < QUICK_SECONDS * NOISE * slowness()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_also_say_what_an_id_means(ids, shell):
    found = complete("llmlora jobs show ", shell)
    assert "two words" in found
    assert ids["two words"][-8:] in found


def test_verbs_and_options(home):
    assert "undo-delete" in complete("llmlora jobs ").split()
    assert "--training-preset" in complete("llmlora train --t").split()
    assert "jobs" in complete("llmlora j").split()


def test_a_program_that_is_called_by_its_path_completes_as_well(home):
    found = complete("/tools/.venv/bin/llmlora jobs pau", program="/tools/.venv/bin/llmlora", PATH="/usr/bin:/bin")
    assert found.split() == ["pause"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_the_program_by_its_name(shell, monkeypatch, capsys):
    """However the program was called: a path in the name of a variable would make it one that no shell can set."""
    monkeypatch.setattr(shell_setup, "_get_shell_name", lambda: shell)
    called = copy_context()
    called.run(set_program, "/tools/.venv/bin/llmlora")
    assert called.run(main.run, ["--show-completion"]) == 0
    script = capsys.readouterr().out
    assert f"_LLMLORA_COMPLETE=complete_{shell}" in script
    assert "/tools" not in script


def test_the_script_is_put_where_the_shell_looks_and_the_user_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shell_setup, "_get_shell_name", lambda: "bash")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert main.run(["--install-completion", "--lang", "ja"]) == 0
    (script,) = (tmp_path / ".bash_completions").iterdir()
    assert str(script) in (tmp_path / ".bashrc").read_text()
    told = capsys.readouterr().err
    assert f"補完を使えるようにしました（{script}）" in told
    assert "source .venv/bin/activate" in told, "the program is not found by its name here"


def test_a_shell_that_cannot_complete_is_named(monkeypatch, capsys):
    monkeypatch.setattr(shell_setup, "_get_shell_name", lambda: "sh")
    assert main.run(["--show-completion", "--lang", "ja"]) == 2
    assert "シェル「sh」" in capsys.readouterr().err


def test_where_there_is_no_index_nothing_is_made_and_nothing_said(home, monkeypatch):
    assert completion.job_words("") == []
    assert list(home.iterdir()) == []
    (home / "llmlora.db").write_bytes(b"no database" * 100)
    assert completion.dataset_words("") == completion.deleted_job_words("") == []
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    assert completion.deleted_dataset_words("") == []
