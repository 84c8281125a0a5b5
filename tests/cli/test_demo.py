"""`llmlora demo` as a user sees it: the heavy stages are made up, every word on the screen is real."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from evaluation.fake_reports import evaluation_body, summary
from llmlora.cli import demo as command
from llmlora.cli import evaluate as evaluate_command
from llmlora.cli import output
from llmlora.cli.main import main, run
from llmlora.core.layout import REPORT_FILE
from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.evaluation.facts.extract import PARAPHRASES_NEEDED
from llmlora.services.demo import DemoResult

LONG = "星川文具店の営業時間は午前9時から午後6時30分までです。"
ROWS = [
    ("星川文具店の営業時間は何時から何時までですか？", LONG, "わかりません。", LONG),
    ("光岡電器店の保証期間は？", "保証期間は5年です。", "10か月です。", "\x1b[31m光岡電器店の\n保証期間は5年です。"),
]
FILES = [
    {
        "file": name,
        "size_bytes": size,
        "checks": [{"check": "tensors"}, {"check": "logprobs", "measured": {"max_kl": kl, "top1_agreement": 0.968}}],
    }
    for name, size, kl in (("model-F16.gguf", 9_700_000, 6.4e-6), ("model-Q4_K_M.gguf", 3_400_000, 0.54))
]
TOKENS = [
    {"text": "質問[/]", "state": "masked"},
    {"text": "答え", "state": "trained"},
    {"text": "残り", "state": "truncated"},
]


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Return the command with made-up stages, run in an empty folder."""

    def run_demo(planned: Any, folder: Path, on_event: Any, on_stage: Any) -> DemoResult:
        on_stage("train")
        on_event({"type": "sample", "preview": {"tokens": TOKENS}})
        on_event({"type": "run_ended", "result": summary(adapter_dir=str(folder / "job" / "adapter"))})
        for stage in ("evaluate", "export", "chat"):
            on_stage(stage)
        evaluation = folder / "job" / "evaluation-1"
        evaluation.mkdir(parents=True)
        (evaluation / REPORT_FILE).write_text("{}", encoding="utf-8")
        return DemoResult(
            folder, "nano", summary(), evaluation_body(ROWS), {"verify": {"files": FILES}}, ROWS[0][0], ROWS[0][1]
        )

    monkeypatch.setattr(command, "run_demo", run_demo)
    monkeypatch.chdir(tmp_path)
    return lambda *words: run(["demo", *words])


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the terminal 80 columns wide."""
    monkeypatch.setattr(output.out, "_width", 80)


def test_the_report_says_it_all_on_one_screen(
    demo: Callable[..., int], narrow: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo("--lang", "ja") == 0
    shown = capsys.readouterr()
    text = shown.out
    assert "データと同じ聞き方で答えた事実 3 / 3（学習前 0）。言い換えては聞いていません" in text
    assert "データと同じ聞き方: 2 問のうち 2 問に、事実をすべて答えました（学習前 0 問）" in text
    assert "言い換えて聞いた質問" not in text
    assert "忘却の検査: 黄" in text
    assert "検証済み: model-F16.gguf（9.7 MB、2 項目合格）" in text
    assert "KL で最大 5.4e-01、第1候補の一致 97 %" in text
    assert text.count("KL は、次のトークンの確率の並びが") == 1
    assert "demo-output/job/evaluation-1/report.html" in text
    assert "llmlora chat demo-output/export/model-Q4_K_M.gguf" in text
    assert "llmlora train --model nano --data あなたのデータ.jsonl" in text
    assert len(text.splitlines()) <= 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_count_of_wordings_says_how_the_first_line_counts_facts(language: str) -> None:
    set_language(language)
    line = translate("cli.demo.rewordings", carried=5, total=9)
    assert re.search(rf"[(（].*\b{PARAPHRASES_NEEDED}(?:通り以上| of them).*[)）]", line)


def test_nothing_is_cut_at_eighty_columns(
    demo: Callable[..., int], narrow: None, capsys: pytest.CaptureFixture[str]
) -> None:
    demo("--lang", "ja", "--quiet")
    text = capsys.readouterr().out
    table = text[text.index("質問 ") : text.index("検証済み")]
    assert "…" not in text
    assert all(cell_len(line.rstrip()) <= 80 for line in table.splitlines())
    assert all(character in table for character in LONG)


def test_what_could_steer_the_terminal_is_shown(demo: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    demo("--quiet")
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "\N{REPLACEMENT CHARACTER}[31m光岡電器店の" in shown.out


def test_progress_goes_to_stderr_and_quiet_leaves_the_result(
    demo: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    demo("--lang", "en")
    loud = capsys.readouterr()
    assert all(f"{number}/5" in loud.err for number in range(1, 6))
    assert "質問[/]答え残り" in loud.err, "the preview shows the row as it is, markup and all"
    demo("--lang", "en", "--quiet")
    quiet = capsys.readouterr()
    assert quiet.err == ""
    assert quiet.out.replace("demo-output-2", "demo-output").splitlines()[2:9] == loud.out.splitlines()[2:9]


def test_json_is_one_document_on_stdout(demo: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert demo("--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "llmlora.demo/1"
    assert document["chat"] == {"prompt": ROWS[0][0], "text": ROWS[0][1]}
    assert document["seconds"] >= 0
    assert Path(document["folder"]).name == "demo-output"


def test_an_earlier_demo_is_kept(demo: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo()
    demo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo-output", "demo-output-2"]
    assert "demo-output-2/export/model-Q4_K_M.gguf" in capsys.readouterr().out


def test_a_place_with_blanks_can_be_pasted(demo: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    demo("--out", "my demo")
    assert "llmlora chat 'my demo/export/model-Q4_K_M.gguf'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("called", "on_path", "shown"),
    [
        (".venv/bin/llmlora", None, ".venv/bin/llmlora"),
        ("/my place/llmlora", None, "'/my place/llmlora'"),
        (".venv/bin/llmlora", "/usr/bin/llmlora", "llmlora"),
        ("/usr/lib/python/pytest", None, "llmlora"),
        ("/lib/llmlora/__main__.py", "/usr/bin/llmlora", "'/my python' -m llmlora"),
    ],
)
def test_commands_start_as_this_one_was_started(
    monkeypatch: pytest.MonkeyPatch, called: str, on_path: str | None, shown: str
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    monkeypatch.setattr(sys, "orig_argv", ["/my python", "-m", "llmlora"])
    monkeypatch.setattr(output.shutil, "which", lambda _: on_path)
    assert output.program_name() == shown


def test_a_console_of_windows_japanese_does_not_crash(
    demo: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """cp932 has neither the cross nor the arrow: they become question marks."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp932")
    monkeypatch.setattr(sys, "argv", ["llmlora", "demo", "--lang", "ja"])
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    console = Console(file=stream, width=80)
    for module in (command, output, evaluate_command):
        monkeypatch.setattr(module, "out", console)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    stream.flush()
    assert "事実をすべて答えました" in raw.getvalue().decode("cp932")


def test_a_file_that_lost_taught_facts_is_not_called_verified(
    demo: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(FILES[1], "verdict", "lossy")
    monkeypatch.setitem(FILES[1], "facts", {"num_kept": 2, "num_known": 23})
    assert demo() == 0
    shown = capsys.readouterr().out
    assert "model-Q4_K_M.gguf keeps 2 of 23 taught facts: not verified." in shown
    assert "Verified: model-Q4_K_M.gguf" not in shown
