"""`llmlora ladder` as a user types it; the worker is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from evaluation.fake_reports import evaluation_body, fake_ladder, make_job
from llmlora.cli.ladder import print_ladder
from llmlora.cli.main import run
from llmlora.core.evaluation_words import ladder_text
from llmlora.core.locale import LANGUAGES, set_language
from llmlora.core.publish import write_json
from llmlora.services import evaluate as service


@pytest.fixture
def job_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def work(kind: str, folder: Path, on_event: Any) -> dict[str, Any]:
        body = {**evaluation_body(), "ladder": fake_ladder()}
        write_json(folder / "report.json", {"schema": "llmlora.evaluation/1", **body})
        return {}

    monkeypatch.setattr(service, "run_worker", work)
    make_job(tmp_path / "job")
    return tmp_path / "job"


def test_json_is_the_evaluation_with_its_ladder(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ladder", str(job_dir), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "llmlora.evaluation/1"
    assert document["ladder"] == fake_ladder()
    config = json.loads((job_dir / "evaluation-1" / "config.json").read_text(encoding="utf-8"))
    assert (config["kind"], config["ladder"], config["check_forgetting"]) == ("evaluate", True, True)


def test_that_a_prompt_does_as_well_is_said_first(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ladder", str(job_dir)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "A prompt does as well as tuning: base + examples 11/20 (95 % interval 30–80 %), tuned 16/20"
    )
    rows = [line.split() for line in lines if line.strip().startswith(("base", "tuned"))]
    assert rows[2] == ["base", "+", "examples", "11/20", "30–80", "%", "6/10", "5/10", "0.40", "210+12"]
    assert rows[3] == ["tuned", "16/20", "65–95", "%", "10/10", "6/10", "0.20", "30+12"]
    assert any("report.html" in line for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_80_columns_wide_at_most(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_language(language)
    ladder = fake_ladder()
    for rung in ladder["rungs"]:
        rung |= {"seconds_per_answer": 123.45, "tokens_per_answer": 512.0, "prompt_tokens_per_answer": 2048.0}
        for name in ("facts", "as_trained", "other_words"):
            rung[name] |= {"carried": 100, "asked": 120, "low": 0.0, "high": 1.0}
    print_ladder({**evaluation_body(), "ladder": ladder, "report_page": "x"})
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if "2048+512" in line]
    assert len(rows) == 4
    assert all("100/120" in line and "0–100 %" in line and "123.45" in line for line in rows)
    assert max(cell_len(line.rstrip()) for line in rows) <= 80
    assert not any("evaluation." in line for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", ["as_well", "better", "worse"])
def test_every_verdict_has_its_own_words(language: str, verdict: str) -> None:
    set_language(language)
    text = ladder_text({**fake_ladder(), "verdict": verdict})
    others = {ladder_text({**fake_ladder(), "verdict": other}) for other in ("as_well", "better", "worse")}
    assert len(others) == 3
    assert all(part in text for part in ("11/20", "30–80 %", "16/20", "65–95 %"))


def test_that_nobody_knew_anything_is_no_praise_of_prompts() -> None:
    set_language("en")
    ladder = fake_ladder()
    for rung in ladder["rungs"]:
        rung["facts"] |= {"carried": 0, "share": 0.0, "low": 0.0, "high": 0.0}
    assert ladder_text(ladder).startswith("Neither a prompt nor tuning gave a single fact")


def test_a_wording_that_nobody_asked_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    set_language("en")
    ladder = fake_ladder()
    for rung in ladder["rungs"]:
        rung["other_words"] = None
    print_ladder({**evaluation_body(), "ladder": ladder, "report_page": "x"})
    row = next(line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("tuned"))
    assert row.split()[4:6] == ["10/10", "–"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ladder"], 2),
        (["ladder", "{job}", "--max-questions", "0"], 2),
        (["ladder", "{job}/nowhere"], 3),
        (["ladder", "{job}", "--questions", "{job}/nowhere.jsonl"], 3),
    ],
)
def test_wrong_calls_have_their_exit_code_and_words(
    job_dir: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert run([word.format(job=job_dir) for word in words]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "hint:" in shown.err.lower()
