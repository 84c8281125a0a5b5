"""An installation without the packages for training: said at once, with the command, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmlora.cli.main import run
from llmlora.core.errors import PackageMissing, exit_code_of
from llmlora.core.locale import LANGUAGES, error_texts, set_language
from llmlora.services import packages
from llmlora.services.chat import chat
from llmlora.services.doctor import doctor
from llmlora.services.models import list_models
from llmlora.services.packages import TRAIN_PACKAGES, missing_packages, require_packages
from llmlora.services.preview import preview_dataset
from llmlora.services.train import train

ROWS = '{"prompt": "a", "completion": "b"}\n{"prompt": "c", "completion": "d"}\n'


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that llmlora was installed without an extra."""
    real = packages.package_version
    monkeypatch.setattr(packages, "package_version", lambda name: None if name in TRAIN_PACKAGES else real(name))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_here_all_are_installed() -> None:
    assert missing_packages() == []
    require_packages()
    assert packages.package_version("no-such-distribution") is None


@pytest.mark.parametrize(
    ("installed", "is_old"),
    [
        ("4.57.1", True),
        ("5.22.9", True),
        ("5.23.0", False),
        ("5.23.0.dev0", False),
        ("5.100", False),
        ("6.0+cpu", False),
    ],
)
def test_versions_are_compared_by_number(installed: str, is_old: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = packages.package_version
    monkeypatch.setattr(packages, "package_version", lambda name: installed if name == "transformers" else real(name))
    requirements = ['transformers<6,>=5.23; extra == "train"', 'gguf>=0.19.0; extra == "train"', "rich>=14"]
    monkeypatch.setattr(packages.metadata, "requires", lambda name: requirements)
    assert packages.outdated_packages() == ([f"transformers {installed} < 5.23"] if is_old else [])


def test_an_old_package_is_the_doctors_finding(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = packages.package_version
    monkeypatch.setattr(packages, "package_version", lambda name: "0.1" if name == "peft" else real(name))
    check = next(check for check in doctor()["checks"] if check["id"] == "train_packages")
    assert (check["status"], "peft 0.1 < " in check["message"]) == ("error", True)
    assert "--upgrade" in check["hint"]


def test_here_nothing_is_outdated() -> None:
    assert packages.outdated_packages() == []


@pytest.mark.usefixtures("home", "bare")
@pytest.mark.parametrize(
    "work",
    [
        lambda data, out: train("nano", data, out=out),
        lambda data, out: preview_dataset(data, "nano"),
        lambda data, out: chat("nano", "a"),
    ],
    ids=["train", "preview", "chat"],
)
def test_heavy_work_is_refused_before_anything_is_made(
    work: Callable[[Path, Path], Any], data: Path, tmp_path: Path
) -> None:
    with pytest.raises(PackageMissing) as caught:
        work(data, tmp_path / "job")
    assert not (tmp_path / "job").exists()
    assert exit_code_of(caught.value) == 1
    for language in LANGUAGES:
        set_language(language)
        texts = error_texts(caught.value)
        assert "torch" in texts["what"]
        assert "pip install 'llmlora[train]'" in texts["hint"]


@pytest.mark.usefixtures("home", "bare")
def test_the_command_says_it_without_a_trace_or_a_plan(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "--model", "nano", "--data", str(data), "--out", str(tmp_path / "job"), "--lang", "en"]) == 1
    shown = capsys.readouterr()
    assert "pip install 'llmlora[train]'" in shown.err
    assert "learning_rate" not in shown.err
    assert "Traceback" not in shown.err
    assert not (tmp_path / "job").exists()


@pytest.mark.usefixtures("home", "bare")
def test_light_work_goes_on(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [model["name"] for model in list_models()] == ["nano", "smollm2"]
    assert run(["dataset", "check", str(data)]) == 0
    assert run(["models"]) == 0
    assert "Traceback" not in capsys.readouterr().err
    assert doctor()["checks"]
