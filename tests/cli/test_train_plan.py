"""What `llmlora train` shows before it starts: steps, cost, and what the settings will not reach."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from llmlora.cli.output import options
from llmlora.cli.train import show_plan
from llmlora.core.locale import LANGUAGES, current_language, set_language, translate
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import training_request

ROWS = [
    {"instruction": f"棚{number}の合い言葉を知りたい", "output": f"合い言葉は{number * 37}番です。"}
    for number in range(20)
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return path


def shown(data: Path, capsys: pytest.CaptureFixture[str], **choices: Any) -> str:
    show_plan(plan_training(training_request("nano", data, **choices)))
    return " ".join(capsys.readouterr().err.split())


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(options, "quiet", False)
    monkeypatch.setenv("LLMLORA_DEVICE", "cpu")
    before = current_language()
    set_language(request.param)
    yield request.param
    set_language(before)


AMOUNT = {"ja": "学習量: 150 ステップ（1ステップに最大 4 例）", "en": "Steps: 150, rows in each: at most 4"}
ESTIMATE = {
    "ja": r"約 [\d.]+〜[\d.]+ (秒|分|時間)、メモリー約 \d+ MB",
    "en": r"about [\d.]+ to [\d.]+ (seconds|minutes|hours), about \d+ MB",
}


def test_steps_minutes_and_memory_are_said(data: Path, capsys: pytest.CaptureFixture[str], language: str) -> None:
    text = shown(data, capsys)
    assert AMOUNT[language] in text
    assert re.search(ESTIMATE[language], text)
    assert "--set" not in text


def test_columns_that_training_does_not_use_are_named_before_it_starts(
    data: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    data.write_text("".join(json.dumps({**row, "memo": "x", "分類": "y"}) + "\n" for row in ROWS), encoding="utf-8")
    text = shown(data, capsys)
    assert translate("data.unused_columns.message", count=2, names="memo, 分類") in text


def test_a_preset_that_cannot_teach_says_so_with_the_way_out(
    data: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    text = shown(data, capsys, preset="efficient")
    assert {"ja": "この設定では、データの内容を覚えません", "en": "These settings will not teach"}[language] in text
    assert "--set learning_rate=0.002 --set num_train_epochs=30" in text
    assert "--set learning_rate" not in shown(data, capsys, preset="efficient", settings={"lr": 0.002, "epochs": 30})


def test_the_reason_of_a_raised_rate_names_the_models_own(
    data: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    text = shown(data, capsys, preset="light")
    assert "0.002" in text
    assert {"ja": "動かせる範囲が狭い", "en": "moves less"}[language] in text
