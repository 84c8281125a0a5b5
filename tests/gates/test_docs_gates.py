"""The guides work as written: every command of each guide in a folder of its own, in both languages."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from docs.pages import ROOT, read, shell_commands
from fake_ollama.server import FakeOllama
from gguf_base import gguf_base

pytestmark = [pytest.mark.gate, pytest.mark.timeout(1800)]
LANGUAGES = ("", ".ja")
ASSETS = Path(str(resources.files("llmlora"))) / "assets"
FAQ = [
    ("お客様の声", "返信"),
    *((f"棚{number}はどこですか？", f"{number}階の{number * 3}番です。") for number in range(1, 9)),
]
HELD_OUT = [("お客様の声", "返信"), ("棚9はどこですか？", "9階の27番です。")]


@pytest.fixture
def place(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder on a machine whose Ollama has the bundled model, quantised, under the name in the guides."""
    model = shutil.copytree(ASSETS / "models" / "nano", tmp_path / "nano")
    gguf_base(model, tmp_path / "nano.gguf", "Q8_0")
    folder = tmp_path / "place"
    folder.mkdir()
    with FakeOllama(tmp_path / "store") as server:
        server.store.add("qwen2.5:7b", tmp_path / "nano.gguf")
        monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        yield folder


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
def test_first_steps_work_as_written(language: str, place: Path) -> None:
    text = read("docs", "guide", f"first-steps{language}.md")
    rows = re.findall(r"```text\n(.*?)```", text, flags=re.S)[0]
    (place / "shop.csv").write_text(rows, encoding="utf-8")
    assert run_guide(text, place) >= 7
    report = place / "shop-job" / "evaluation-1" / "report.html"
    assert "://" not in report.read_text(encoding="utf-8")
    assert (place / "shop-gguf" / "verify.json").is_file()


@pytest.mark.parametrize("language", LANGUAGES)
def test_own_data_works_as_written(language: str, place: Path) -> None:
    text = read("docs", "guide", f"own-data{language}.md")
    mapping = " --map instruction=お客様の声 --map output=返信"
    write_csv(place / "faq.csv", FAQ)
    checks = re.findall(r"```sh\n(llmlora dataset check.*?)```", text, flags=re.S)
    assert run_guide(f"```sh\n{checks[0]}```", place) == 1
    assert mapping in checks[0], "the other commands are run on columns that are known without it"
    write_csv(place / "faq.csv", [("質問", "回答"), *FAQ[1:]])
    write_csv(place / "faq-held-out.csv", [("質問", "回答"), *HELD_OUT[1:]])
    recipe = re.findall(r"```yaml\n(.*?)```", text, flags=re.S)[0]
    (place / "faq.yaml").write_text(recipe, encoding="utf-8")
    shutil.copytree(ASSETS / "models" / "nano", place / "models" / "my-base")
    (place / "handbook.md").write_text("# 棚の案内\n\n棚1は1階です。\n\nQ: 棚2は？\nA: 2階です。\n", encoding="utf-8")
    other_words = next(section for section in text.split("\n## ") if "dataset reword" in section)
    to_fill_in, filled_in = re.findall(r"^llmlora dataset reword .*", other_words, flags=re.M)
    assert run_guide(f"```sh\n{to_fill_in}\n```", place) == 1
    fill_in(place / "faq-rewordings.csv")
    assert run_guide(f"```sh\n{filled_in}\n```", place) == 1
    assert len((place / "faq-reworded.jsonl").read_text(encoding="utf-8").splitlines()) > len(FAQ)
    assert run_guide(text.replace(checks[0], "").replace(other_words, ""), place) == 8
    assert {path.name for path in place.glob("faq-*/adapter")} == {"adapter"}
    assert len(list(place.glob("faq-*/report.html"))) == 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_evaluation_export_and_ollama_work_as_written(language: str, place: Path) -> None:
    data = ASSETS / "datasets" / "level1_basic_qa.json"
    shutil.copy(ASSETS / "questions" / "level1_basic_qa.jsonl", place / "questions.jsonl")
    shutil.copy(Path(__file__).parents[1] / "export" / "shop_rows_ja.jsonl", place / "new.jsonl")
    training = "\n".join(
        f"llmlora train --model {model} --data {data} --set num_train_epochs=15 --out {job}"
        for job, model in {"my-job": "ollama:qwen2.5:7b", "job-a": "nano", "job-b": "nano"}.items()
    )
    assert run_guide(f"```sh\n{training}\n```", place) == 3
    assert run_guide(read("docs", "concepts", f"evaluation{language}.md"), place) == 3
    assert run_guide(read("docs", "guide", f"export{language}.md"), place) == 5
    assert {"adapter.gguf", "model-F16.gguf", "model-stitched.gguf"} <= {
        file.name for file in (place / "my-export").iterdir()
    }
    shutil.rmtree(place / "my-export")
    assert run_guide(read("docs", "guide", f"ollama{language}.md"), place) == 6


# Pages that are no course, in the order in which one finds the jobs of another, with the number of their commands.
OTHER_PAGES = {
    ("guide", "migration"): 2,
    ("guide", "memory"): 3,
    ("guide", "parameters"): 2,
    ("guide", "ensembles"): 3,
    ("guide", "prompt-or-tune"): 1,
    ("guide", "sharing"): 1,
    ("concepts", "custom_dataset_creation"): 2,
    ("concepts", "advanced_strategies"): 4,
    ("concepts", "model_evaluation"): 2,
    ("concepts", "production_deployment"): 2,
    ("examples", "domain_specific_cases"): 3,
}


def test_the_other_pages_work_as_written(place: Path) -> None:
    """What rows a page shows are the rows; the first page makes the job that others go on with."""
    data = ASSETS / "datasets" / "level1_basic_qa.json"
    shutil.copy(data, place / "my-alpaca.json")
    for name, rows in {"shop": FAQ, "faq": FAQ, "new": HELD_OUT}.items():
        write_csv(place / f"{name}.csv", [("質問", "回答"), *rows[1:]])
    (recipe,) = re.findall(r"```yaml\n(.*?)```", read("docs", "guide", "migration.md"), flags=re.S)
    (place / "my-recipe.yaml").write_text(recipe, encoding="utf-8")
    shown = "".join(re.findall(r"```json\n(.*?)```", read("docs", "examples", "domain_specific_cases.md"), flags=re.S))
    (question,) = re.findall(r"```json\n(.*?)```", read("docs", "concepts", "model_evaluation.md"), flags=re.S)
    for name, text in {"data": shown, "rules": shown, "questions": question, "rules-questions": question}.items():
        (place / f"{name}.jsonl").write_text(text, encoding="utf-8")
    first, *others = OTHER_PAGES
    ran = {first: run_page(first, place)}
    made = ["llmlora train --model nano --data shop.csv --set num_train_epochs=15 --out job-before"]
    made += ["llmlora export my-job -o my-export --quant F16"]
    assert run_guide("```sh\n" + "\n".join(made) + "\n```", place) == len(made)
    assert ran | {page: run_page(page, place) for page in others} == OTHER_PAGES


def run_page(page: tuple[str, str], place: Path) -> int:
    """Run the commands of an English page; the Japanese one shows the same."""
    folder, name = page
    return run_guide(read("docs", folder, f"{name}.md"), place)
