"""What a shell is told may come next: verbs, options, and names of jobs and datasets; quickly, and never an error."""

import os
import resource
import subprocess
import sys

import pytest

from llmlora.cli import completion
from llmlora.store.opening import open_store
from services.fake_launcher import submit

QUICK_SECONDS, SLOW_MACHINE = 0.5, 3.0


def complete(line, shell="bash"):
    words = line.split(" ")
    environment = {
        **os.environ,
        "_LLMLORA_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        **(
            {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
            if shell == "bash"
            else {"_TYPER_COMPLETE_ARGS": line}
        ),
    }
    program = "import sys; sys.argv[0] = 'llmlora'; from llmlora.cli.main import main; main()"
    finished = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert finished.stderr == ""
    return finished.stdout


@pytest.fixture
def ids(home):
    database = open_store(home)
    made = {name: submit(database, name=name) for name in ("店", "two words", "plain")}
    database.close()
    return made


def test_names_and_ids_of_jobs(ids):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = complete("llmlora jobs pause ").split("\n")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"completed in {seconds:.2f} s of processor time (budget {QUICK_SECONDS} s)")
    assert {"店", "plain", *(job_id[-8:] for job_id in ids.values())} <= set(found)
    assert "two words" not in found
    assert seconds < QUICK_SECONDS * SLOW_MACHINE
    assert complete("llmlora jobs pause pl").split() == ["plain"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_also_say_what_an_id_means(ids, shell):
    found = complete("llmlora jobs show ", shell)
    assert "two words" in found
    assert ids["two words"][-8:] in found


def test_verbs_and_options(home):
    assert "undo-delete" in complete("llmlora jobs ").split()
    assert "--training-preset" in complete("llmlora train --t").split()
    assert "jobs" in complete("llmlora j").split()


def test_where_there_is_no_index_nothing_is_made_and_nothing_said(home, monkeypatch):
    assert completion.job_words("") == []
    assert list(home.iterdir()) == []
    (home / "llmlora.db").write_bytes(b"no database" * 100)
    assert completion.dataset_words("") == completion.deleted_job_words("") == []
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    assert completion.deleted_dataset_words("") == []
