"""`llmlora jobs` without a server: the same jobs, changes of mind, and every printed next command can be pasted."""

import json

import pytest
from rich.cells import cell_len

from cli.this_process import document, next_command, run
from llmlora.cli import main
from llmlora.cli.output import options
from llmlora.cli.output import out as screen
from llmlora.core.layout import run_dir
from llmlora.core.locale import set_language
from llmlora.services.queue import Queue
from llmlora.store import jobs
from llmlora.store.opening import open_store
from services.fake_launcher import submit, write_folder


@pytest.fixture
def database(home):
    opened = open_store(home)
    yield opened
    opened.close()


def status(database, job_id):
    return Queue(database).get(job_id).status


def emit(database, job_id, *events):
    """Write what a worker of run 1 would have written."""
    folder = run_dir(Queue(database).folder_of(Queue(database).get(job_id)), 1)
    folder.mkdir(parents=True)
    lines = [
        json.dumps({"seq": number, "run": 1, "time": "2026-11-29T00:00:00.000+00:00", **event})
        for number, event in enumerate(events, 1)
    ]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")


def test_an_empty_workspace_names_itself(home, capsys):
    assert document(capsys, "jobs") == {"schema": "llmlora.jobs/1", "jobs": [], "has_more": False}
    assert str(home) in run(capsys, "jobs")[2]


def test_the_list_is_the_default_and_takes_its_options(database, capsys):
    ids = [submit(database, name=f"job {number}") for number in range(3)]
    found = document(capsys, "jobs", "--limit", 2)
    assert ([job["id"] for job in found["jobs"]], found["has_more"]) == ([ids[2], ids[1]], True)
    Queue(database).pause(ids[0])
    assert [job["id"] for job in document(capsys, "jobs", "--status", "paused")["jobs"]] == [ids[0]]
    assert document(capsys, "jobs", "list") == document(capsys, "jobs")
    assert run(capsys, "jobs", "--status", "nonsense")[0] == 2


@pytest.mark.parametrize(("language", "word"), [("ja", "待機中"), ("en", "queued")])
def test_the_table_fits_the_screen(database, capsys, monkeypatch, language, word):
    monkeypatch.setattr(screen, "width", 80)
    job_id = submit(database, name="とても長い名前のデータセットで学習するジョブの名前です")
    code, shown, err = run(capsys, "jobs", "--lang", language)
    assert code == 0
    assert word in shown
    assert job_id[-8:] in shown
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert "llmlora serve" in err
    assert "llmlora jobs run" in err


def test_a_job_is_named_by_id_parts_of_it_or_name(database, capsys):
    one, two = submit(database, name="店"), submit(database, name="other")
    for word in (one, one.lower(), one[-6:], one[-8:].lower(), "店"):
        assert document(capsys, "jobs", "show", word)["id"] == one, word
    assert document(capsys, "jobs", "show", two[:-1])["id"] == two


@pytest.mark.parametrize(
    ("word", "code", "error"),
    [
        ("shop", 2, "job_ambiguous"),
        ("0", 3, "job_not_found"),
        ("nothing-like-it", 3, "job_not_found"),
        ("othr", 3, "job_not_found_near"),
    ],
)
def test_a_word_that_means_no_single_job(database, capsys, word, code, error):
    for name in ("shop", "shop", "other"):
        submit(database, name=name)
    found, out, err = run(capsys, "jobs", "pause", word, "--json")
    assert (found, out, json.loads(err)["code"]) == (code, "", error)
    assert "llmlora jobs" in json.loads(err)["hint"]


def test_changes_of_mind_and_the_commands_that_follow(database, capsys):
    job_id = submit(database, "export", name="a")
    assert next_command(run(capsys, "jobs", "pause", "a")[2]) == ["jobs", "resume", job_id[-8:]]
    assert status(database, job_id) == "paused"
    assert next_command(run(capsys, "jobs", "resume", job_id[-8:])[2]) == ["serve"]
    assert status(database, job_id) == "queued"
    follow = next_command(run(capsys, "jobs", "cancel", "a")[2])
    assert (status(database, job_id), main.run(follow)) == ("canceled", 0)
    assert status(database, job_id) == "queued"
    assert run(capsys, "jobs", "rename", "a", "b")[0] == 0
    copy = document(capsys, "jobs", "clone", "b", "--name", "copy")
    assert (copy["name"], copy["status"], copy["kind"]) == ("copy", "queued", "export")
    undo = next_command(run(capsys, "jobs", "delete", "b")[2])
    assert [job["name"] for job in document(capsys, "jobs")["jobs"]] == ["copy"]
    assert main.run(undo) == 0
    assert [job["name"] for job in document(capsys, "jobs")["jobs"]] == ["copy", "b"]


def test_a_wrong_status_is_worded(database, capsys):
    job_id = submit(database)
    code, _, err = run(capsys, "jobs", "retry", job_id, "--lang", "ja")
    assert code == 3
    assert "待機中" in err
    assert "再試行" in err
    assert "queued" not in err


def test_an_ended_job_shows_why_and_what_next(database, capsys):
    job_id = submit(database, "export", name="a")
    Queue(database).cancel(job_id)
    code, out, err = run(capsys, "jobs", "show", "a")
    assert code == 0
    assert job_id in out
    assert "canceled" in out
    assert next_command(err) == ["jobs", "retry", job_id[-8:]]


def test_a_job_that_cannot_go_on_says_so_instead_of_what_next(database, capsys):
    Queue(database).cancel(submit(database, name="a"))  # its folder is none of a training job
    code, out, err = run(capsys, "jobs", "show", "a")
    assert (code, err) == (0, "")
    assert "hint: " in out
    assert document(capsys, "jobs", "show", "a")["obstacle"]["code"] == "not_a_job"
    code, _, err = run(capsys, "jobs", "retry", "a", "--json")
    assert (code, json.loads(err)["code"]) == (3, "not_a_job")


def test_why_a_job_was_interrupted_is_told_in_whole_words(database, capsys):
    job_id = submit(database, name="a")
    with database.write() as connection:
        jobs.change_status(connection, job_id, "claim")
        jobs.change_status(connection, job_id, "interrupt", run=0, reason="stopped")
    out = run(capsys, "jobs", "show", "a", "--lang", "ja")[1]
    assert "中断・再開待ち" in out
    assert "外部から停止されました。" in out
    assert "{" not in out


STEP = {"type": "step", "step": 1, "total_steps": 2, "metrics": {"loss": 1.5, "tokens_per_second": 10}}
FAILED = {"error": "NonFiniteLoss", "code": "worker_deadline", "params": {"kind": "train", "folder": "x"}}


def test_logs_in_words_and_as_lines(database, capsys):
    job_id = submit(database, name="a")
    assert "queued" in run(capsys, "jobs", "logs", "a")[2]
    emit(
        database,
        job_id,
        {"type": "run_started", "kind": "train", "pid": 1},
        {"type": "phase", "name": "training", "params": {"total_steps": 2}},
        STEP,
        {"type": "evaluation", "step": 1, "metrics": {"eval_loss": 0.5, "perplexity": 1.6}},
        {"type": "checkpoint", "step": 1, "path": "x"},
        {"type": "sample", "text": "not shown"},
        {"type": "finding", "code": "no-such-finding", "params": {}},
        {"type": "run_ended", "status": "failed", "error": FAILED},
    )
    code, out, _ = run(capsys, "jobs", "logs", "a", "--lang", "ja")
    assert code == 0
    lines = out.splitlines()
    assert len(lines) == 7
    assert "1.500" in lines[2]
    assert "0.500" in lines[3]
    assert "失敗" in lines[-1]
    set_language("en")
    as_json = document(capsys, "jobs", "logs", "a")
    assert [event["type"] for event in as_json["events"]][-1] == "run_ended"
    rows = [json.loads(line) for line in run(capsys, "jobs", "logs", "a", "--jsonl")[1].splitlines()]
    assert rows == as_json["events"]
    assert run(capsys, "jobs", "logs", "a", "-f", "--json")[0] == 2


def test_following_an_ended_job_shows_its_newest_run_and_ends(database, capsys):
    job_id = submit(database, name="a")
    emit(
        database,
        job_id,
        {"type": "run_started", "pid": 1},
        STEP,
        {"type": "run_ended", "status": "failed", "error": FAILED},
    )
    code, out, _ = run(capsys, "jobs", "logs", "-f", "a")  # the run was a command's: it is found and settled
    assert code == 0
    assert [word in out for word in ("1.500", "failed")] == [True, True]
    assert document(capsys, "jobs", "show", "a")["status"] == "failed"


def test_following_a_job_that_waits_without_a_server_ends_at_once(database, capsys):
    submit(database, name="a")
    code, out, _ = run(capsys, "jobs", "logs", "-f", "a")
    assert (code, out.split()[-1]) == (0, "queued")


def test_work_of_other_kinds_has_a_column(database, capsys):
    submit(database, name="a")
    assert "kind" not in run(capsys, "jobs")[1]
    submit(database, "export", name="b")
    out = run(capsys, "jobs", "--lang", "ja")[1]
    assert "種類" in out
    assert "書き出し" in out


def test_quiet_says_nothing_and_changes_all_the_same(database, capsys):
    job_id = submit(database, name="a")
    assert run(capsys, "jobs", "pause", "a", "--quiet")[1:] == ("", "")
    assert options.quiet
    assert status(database, job_id) == "paused"


def test_a_rebuilt_index_has_the_same_jobs(database, capsys, home):
    ids = {submit(database, name=name) for name in ("a", "b")}
    write_folder(home)  # no job: nothing says what it is
    found = document(capsys, "store", "rebuild")
    assert (found["num_jobs"], found["num_datasets"]) == (2, 0)
    assert next_command(run(capsys, "store", "rebuild")[2]) == ["jobs"]
    assert {job["id"] for job in document(capsys, "jobs")["jobs"]} == ids
