"""The guides work as written: every command of each guide in a folder of its own, in both languages."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from docs.pages import ROOT, read, shell_commands

pytestmark = [pytest.mark.gate, pytest.mark.timeout(1800)]
LANGUAGES = ("", ".ja")
ASSETS = Path(str(resources.files("llmlora"))) / "assets"
FAQ = [
    ("お客様の声", "返信"),
    *((f"棚{number}はどこですか？", f"{number}階の{number * 3}番です。") for number in range(1, 9)),
]
HELD_OUT = [("お客様の声", "返信"), ("棚9はどこですか？", "9階の27番です。")]


def run_guide(text: str, folder: Path) -> int:
    """Run every llmlora line of the shell blocks of a page; returns how many there were."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src")}
    ran = 0
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.S):
        for line in block.splitlines():
            if shell_commands(f"```sh\n{line}\n```", "llmlora") or line.startswith("cat "):
                finished = subprocess.run(
                    ["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
                )
                assert finished.returncode == 0, f"{line}\n{finished.stdout}\n{finished.stderr}"
                ran += 1
    return ran


def write_csv(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("".join(f"{question},{answer}\n" for question, answer in rows), encoding="utf-8")


def fill_in(path: Path) -> None:
    """Write another wording into each empty cell, as a person would."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        row["rewording"] = f"{row['question'].removesuffix('はどこですか？')}の場所を教えて（{number % 2 + 1}）"
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_first_steps_work_as_written(language: str, tmp_path: Path) -> None:
    text = read("docs", "guide", f"first-steps{language}.md")
    rows = re.findall(r"```text\n(.*?)```", text, flags=re.S)[0]
    (tmp_path / "shop.csv").write_text(rows, encoding="utf-8")
    assert run_guide(text, tmp_path) >= 7
    report = tmp_path / "shop-job" / "evaluation-1" / "report.html"
    assert "://" not in report.read_text(encoding="utf-8")
    assert (tmp_path / "shop-gguf" / "verify.json").is_file()


@pytest.mark.parametrize("language", LANGUAGES)
def test_own_data_works_as_written(language: str, tmp_path: Path) -> None:
    text = read("docs", "guide", f"own-data{language}.md")
    mapping = " --map instruction=お客様の声 --map output=返信"
    write_csv(tmp_path / "faq.csv", FAQ)
    checks = re.findall(r"```sh\n(llmlora dataset check.*?)```", text, flags=re.S)
    assert run_guide(f"```sh\n{checks[0]}```", tmp_path) == 1
    assert mapping in checks[0], "the other commands are run on columns that are known without it"
    write_csv(tmp_path / "faq.csv", [("質問", "回答"), *FAQ[1:]])
    write_csv(tmp_path / "faq-held-out.csv", [("質問", "回答"), *HELD_OUT[1:]])
    recipe = re.findall(r"```yaml\n(.*?)```", text, flags=re.S)[0]
    (tmp_path / "faq.yaml").write_text(recipe, encoding="utf-8")
    shutil.copytree(ASSETS / "models" / "nano", tmp_path / "models" / "my-base")
    (tmp_path / "handbook.md").write_text(
        "# 棚の案内\n\n棚1は1階です。\n\nQ: 棚2は？\nA: 2階です。\n", encoding="utf-8"
    )
    other_words = next(section for section in text.split("\n## ") if "dataset reword" in section)
    to_fill_in, filled_in = re.findall(r"^llmlora dataset reword .*", other_words, flags=re.M)
    assert run_guide(f"```sh\n{to_fill_in}\n```", tmp_path) == 1
    fill_in(tmp_path / "faq-rewordings.csv")
    assert run_guide(f"```sh\n{filled_in}\n```", tmp_path) == 1
    assert len((tmp_path / "faq-reworded.jsonl").read_text(encoding="utf-8").splitlines()) > len(FAQ)
    assert run_guide(text.replace(checks[0], "").replace(other_words, ""), tmp_path) == 7
    assert {path.name for path in tmp_path.glob("faq-*/adapter")} == {"adapter"}
    assert len(list(tmp_path.glob("faq-*/report.html"))) == 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_evaluation_export_and_ollama_work_as_written(language: str, tmp_path: Path) -> None:
    data = ASSETS / "datasets" / "level1_basic_qa.json"
    shutil.copy(ASSETS / "questions" / "level1_basic_qa.jsonl", tmp_path / "questions.jsonl")
    training = "\n".join(
        f"llmlora train --model nano --data {data} --set num_train_epochs=15 --out {job}"
        for job in ("my-job", "job-a", "job-b")
    )
    assert run_guide(f"```sh\n{training}\n```", tmp_path) == 3
    assert run_guide(read("docs", "concepts", f"evaluation{language}.md"), tmp_path) == 3
    assert run_guide(read("docs", "guide", f"export{language}.md"), tmp_path) == 3
    shutil.rmtree(tmp_path / "my-export")
    assert run_guide(read("docs", "guide", f"ollama{language}.md"), tmp_path) == 3
    assert (tmp_path / "my-export-lora" / "adapter.gguf").is_file()
