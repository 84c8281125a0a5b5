"""`llmlora evaluate` and `llmlora compare` as a user types them; the worker is made up."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from evaluation.fake_reports import evaluation_body, make_job
from llmlora.cli import output
from llmlora.cli.evaluate import distinct_names, print_comparison
from llmlora.cli.evaluation_screen import print_evaluation
from llmlora.cli.main import run
from llmlora.core.layout import LOCK_FILE
from llmlora.core.locale import LANGUAGES, set_language
from llmlora.core.publish import write_json
from llmlora.evaluation.pages.evaluation_page import evaluation_page
from llmlora.services import evaluate as service


@pytest.fixture
def job_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def work(kind: str, folder: Path, on_event: Any) -> dict[str, Any]:
        write_json(folder / "report.json", {"schema": "llmlora.evaluation/1", **evaluation_body()})
        return {}

    monkeypatch.setattr(service, "run_worker", work)
    make_job(tmp_path / "job")
    return tmp_path / "job"


def test_json_is_one_document(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(job_dir), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "llmlora.evaluation/1"
    assert document["facts"]["remembered"] == 3
    assert len(document["items"]) == 5


def test_a_person_reads_the_summary_first_and_failures_before_successes(
    job_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(job_dir)]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    headline = "Facts answered when asked as trained 3 / 5 (before: 1); asked only as trained, never in other words"
    assert lines[0] == headline
    assert lines.index(headline, 1) > lines.index("Not answered: 2"), "the headline is repeated at the end"
    lost, missed = "✗ lost 水は何度で沸きますか？", "− not learned ミナト文具店の休みはいつですか？"
    assert lines.index("Not answered: 2") < lines.index(lost) < lines.index(missed)
    at = lines.index(lost)
    assert lines[at + 1 : at + 4] == [
        "  expected: 水は100度で沸騰します。", "  got: 水は<b>90度</b>で沸騰します。", "  before training: 100度です。",
    ]  # fmt: skip
    assert "The other 2 were answered with all their facts." in lines
    assert "コハルビ" not in text, "what was answered is counted, not shown"
    assert "Yellow" in text
    assert "report.html" in text


def test_what_it_cost_is_said_with_examples(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["evaluate", str(job_dir)])
    lines = capsys.readouterr().out.splitlines()
    assert "  Questions that everybody can answer: 1 of the 10 that were right before are wrong now" in lines
    assert "    日本の首都は？ → 松本市です。 (right: 東京)" in lines
    assert "  Questions about things nobody taught: 3 of 10 answered with a fact (before: 1)" in lines
    assert "    ネムラジの定食は？ → 420円です。" in lines


def test_terms_consistency_safety_and_fluency_come_with_what_they_are(
    job_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["evaluate", str(job_dir)])
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("Term accuracy: 0/2 (0–0 %) → 1/2 (0–100 %)")
    assert lines[at + 1].startswith("  Share of the reference's terms")
    assert not [line for line in lines if line.startswith("Consistency")], "nothing was asked in other words"
    assert "Safety: 2/2 (100–100 %) → 1/2 (0–100 %)" in lines
    assert "Fluency (natural text): 12.5 → 3.2" in lines
    assert "  Terms that did not come: 水曜日" in lines
    run(["evaluate", str(job_dir), "--quiet"])
    quiet = capsys.readouterr().out
    assert "Safety: 2/2" in quiet and "Share of" not in quiet


def test_options_reach_the_worker(job_dir: Path, tmp_path: Path) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text("{}", encoding="utf-8")
    glossary = tmp_path / "用語.txt"
    glossary.write_text("\ufeff利尿薬\r\n\n カルシウム拮抗薬 \n", encoding="utf-8")
    words = ["--questions", str(questions), "--max-questions", "4", "--max-new-tokens", "16", "--rewrite", "--json"]
    assert run(["evaluate", str(job_dir), *words, "--glossary", str(glossary)]) == 0
    config = json.loads((job_dir / "evaluation-1" / "config.json").read_text(encoding="utf-8"))
    assert (config["questions"], config["max_questions"]) == (str(questions), 4)
    assert (config["max_new_tokens"], config["rewrite"]) == (16, True)
    assert config["glossary"] == ["利尿薬", "カルシウム拮抗薬"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["evaluate"], 2),
        (["evaluate", "{job}", "--max-questions", "0"], 2),
        (["evaluate", "{job}", "--wrong"], 2),
        (["evaluate", "{job}/nowhere"], 3),
        (["evaluate", "{job}", "--questions", "{job}/nowhere.jsonl"], 3),
        (["evaluate", "{job}", "--glossary", "{job}/nowhere.txt"], 3),
        (["compare", "{job}"], 2),
        (["compare", "{job}", "{job}/nowhere"], 3),
    ],
)
def test_wrong_calls_have_their_exit_code_and_words(
    job_dir: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert run([word.format(job=job_dir) for word in words]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "hint:" in shown.err.lower()
    assert "Traceback" not in shown.err
    assert "error." not in shown.err


def test_jobs_are_compared(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = job_dir.parent / "other" / "job-b"
    other.parent.mkdir()
    make_job(other, r=32)
    assert run(["compare", str(job_dir), str(other), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "llmlora.compare/1"
    assert document["differences"] == [{"field": "r", "values": [8, 32]}]
    assert run(["compare", str(job_dir), str(other)]) == 0
    shown = capsys.readouterr().out
    assert "job-b" in shown
    assert "llmlora evaluate" in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_to_do_next_is_said_with_its_numbers(
    job_dir: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    assert run(["evaluate", str(job_dir), "--lang", language]) == 0
    text = capsys.readouterr().out
    assert "→ " in text
    assert "1" in text.partition("\n→ ")[2].splitlines()[0]
    assert not [line for line in text.splitlines() if "evaluation." in line and "report.html" not in line]


def test_quiet_leaves_notes_out_but_no_result(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["evaluate", str(job_dir)])
    assert "· There are only 5 questions" in capsys.readouterr().out
    run(["evaluate", str(job_dir), "--quiet"])
    quiet = capsys.readouterr().out
    assert "There are only" not in quiet
    assert "report.html" in quiet


@pytest.mark.parametrize("width", [80, 120])
def test_answers_are_whole_at_any_width(
    job_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setattr(output.out, "_width", width)
    report = {**evaluation_body(), "report_page": "x"}
    report["items"][1]["tuned"]["text"] = "ミナト文具店の休みは、変わりなく毎週木曜日になります。" * 2
    set_language("ja")
    print_evaluation(report)
    assert f"  答え: {report['items'][1]['tuned']['text']}" in capsys.readouterr().out


def test_a_very_long_answer_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    report = {**evaluation_body(), "report_page": "x"}
    report["items"][1]["tuned"]["text"] = "あ" * 1000
    print_evaluation(report)
    text = capsys.readouterr().out
    assert "…" in text
    assert text.count("あ") < 200


def test_a_report_with_gaps_is_still_printed(capsys: pytest.CaptureFixture[str]) -> None:
    report = {**evaluation_body(), "report_page": "x", "forgetting": None, "advice": [], "notes": []}
    report["facts"] = dict.fromkeys(report["facts"], 0)
    report["loss"] = {"held_out": None, "trained": None}
    report["tuned"]["chrf"] = None
    print_evaluation(report)
    text = capsys.readouterr().out
    assert "no fact that could be counted" in text
    assert "→ –" in text
    assert "Forgetting" not in text


def nulled(value: Any, name: str) -> Any:
    """Return a report in which every number of that name is null, as one that is not finite is written."""
    if isinstance(value, dict):
        kept = {key: nulled(item, name) for key, item in value.items()}
        return {**kept, name: None} if isinstance(value.get(name), int | float) else kept
    return [nulled(item, name) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "name",
    ["loss", "perplexity", "perplexity_change_percent", "loss_change", "base_loss", "tuned_loss", "change", "seconds"],
)  # fmt: skip
def test_no_measured_number_has_to_be_finite(capsys: pytest.CaptureFixture[str], name: str) -> None:
    report = nulled({**evaluation_body(), "made_at": "2026-01-01T00:00:00+00:00", "version": "0"}, name)
    assert report != evaluation_body()
    print_evaluation({**report, "report_page": "x"})
    page = evaluation_page(report, [{"step": 1, "loss": None, "learning_rate": None}], [{"step": 1, "eval_loss": None}])
    assert "None" not in page
    assert "None" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["/x/job-a", "/y/job-b"], ["job-a", "job-b"]),
        (["/d1/job", "/d2/job"], ["d1/job", "d2/job"]),
        (["/a/d/job", "/b/d/job", "/b/e/job"], ["a/d/job", "b/d/job", "b/e/job"]),
        (["/x/job", "/x/job"], ["job (1)", "job (2)"]),
        (["/d1/job", "/d2/job", "/d1/job"], ["d1/job (1)", "d2/job", "d1/job (2)"]),
        (["/job", "/x/job"], ["/job", "x/job"]),
    ],
)
def test_jobs_are_told_apart_by_the_shortest_name(folders: list[str], names: list[str]) -> None:
    assert distinct_names(folders) == names


def comparison(*values: float | None, best: list[int]) -> dict[str, Any]:
    jobs = [{"folder": f"/x/job-{index}", "status": "succeeded"} for index in range(len(values))]
    metric = {"name": "seconds", "better": "lower", "values": list(values), "best": best}
    return {"jobs": jobs, "differences": [], "metrics": [metric], "notes": []}


def test_the_best_is_marked_only_where_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    print_comparison(comparison(1.0, 2.0, best=[0]))
    assert capsys.readouterr().out.count("★") == 2, "the mark, and its meaning"
    print_comparison(comparison(1.00001, 1.00002, best=[0]))
    assert "★" not in capsys.readouterr().out, "1 is not better than 1"
    print_comparison(comparison(None, 1.0, best=[]))
    shown = capsys.readouterr().out
    assert "★" not in shown
    assert "–" in shown
    print_comparison(comparison(None, None, best=[]))
    assert "seconds" not in capsys.readouterr().out


@pytest.mark.parametrize("language", LANGUAGES)
def test_five_jobs_of_every_kind_fit_eighty_columns(
    job_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    monkeypatch.setattr(output.out, "_width", 80)
    folders = [job_dir]
    for name, ended, rank in (("b", "failed", 16), ("c", None, 8), ("d", "interrupted", 8)):
        folder = job_dir.parent / name / "job"
        folder.parent.mkdir()
        make_job(folder, ended=ended, r=rank)
        folders.append(folder)
    with (folders[2] / LOCK_FILE).open("a+") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        assert run(["compare", *map(str, [*folders, job_dir]), "--lang", language]) == 0
    text = capsys.readouterr().out
    table = text[: text.index("·")]
    assert all(cell_len(line.rstrip()) <= 80 for line in table.splitlines())
    words = {"ja": ["完了", "失敗", "学習中"], "en": ["succeeded", "failed", "running"]}[language]
    assert all(word in text for word in words)
    assert "llmlora train --resume" in text


def test_a_damaged_report_is_named(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job_dir / "evaluation-1"
    folder.mkdir()
    (folder / "report.json").write_text("{", encoding="utf-8")
    assert run(["compare", str(job_dir), str(job_dir)]) == 4
    shown = capsys.readouterr()
    assert str(folder) in shown.err
    assert "llmlora evaluate" in shown.err


def test_help_names_every_option_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    for language in LANGUAGES:
        assert run(["evaluate", "--help", "--lang", language]) == 0
        text = capsys.readouterr().out
        options = ("--questions", "--max-questions", "--max-new-tokens", "--rewrite", "--model", "--json")
        assert all(option in text for option in options)
        assert "evaluation.cli" not in text


def test_a_missing_argument_is_asked_of_the_right_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate"]) == 2
    shown = capsys.readouterr().err
    assert "DIR is missing" in shown
    assert "llmlora evaluate --help" in shown
    assert run(["compare", "--wrong"]) == 2
    assert "llmlora compare --help" in capsys.readouterr().err


def test_a_file_in_place_of_a_job_is_said_to_be_none(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["evaluate", str(job_dir / "config.json")], ["compare", str(job_dir), str(job_dir / "config.json")]):
        assert run(words) == 3
        assert "is not a job folder" in capsys.readouterr().err


def test_a_number_that_cannot_be_is_named_as_it_was_typed(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(job_dir), "--max-questions", "0"]) == 2
    shown = capsys.readouterr().err
    assert "--max-questions cannot be 0" in shown
    assert "For example: --max-questions 20" in shown
