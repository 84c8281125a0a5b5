"""The page about JSON is true: each command runs once, prints exactly one document, and its fields are the page's."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import warm_workers
from docs.pages import ROOT, code_names, read, table_rows
from fake_ollama.server import FakeOllama

ROWS = [{"instruction": f"みどり堂{number}号店の番号は？", "output": f"{number}番です。"} for number in range(1, 5)]


def documented(noun: str, language: str = "") -> set[str]:
    """Return the fields that the page gives for a document."""
    sections = re.split(r"^## ", read("docs", "reference", f"json{language}.md"), flags=re.M)
    section = next(text for text in sections if f"`llmlora.{noun}/1`" in text.splitlines()[0])
    return set().union(*(code_names(row[0]) for row in table_rows(section)))


def llmlora(folder: Path, *words: str) -> dict[str, Any]:
    """Run a command with --json and return its one document, without the schema line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "LLMLORA_HOME": str(folder / "home")}
    child = [sys.executable, warm_workers.__file__, "-m", "llmlora.cli.main", *words, "--json"]
    finished = subprocess.run(child, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"{' '.join(words)}\n{finished.stderr}"
    document = json.loads(finished.stdout)
    assert next(iter(document)) == "schema"
    return dict(document)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a small data file."""
    folder = tmp_path_factory.mktemp("json")
    lines = [json.dumps(row, ensure_ascii=False) for row in ROWS]
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def described() -> list[str]:
    """Return the nouns of all documents."""
    return re.findall(r"^## .*`llmlora\.(\w+)/1`", read("docs", "reference", "json.md"), flags=re.M)


def check(document: dict[str, Any], noun: str) -> None:
    assert document.pop("schema") == f"llmlora.{noun}/1"
    assert set(document) == documented(noun)


def test_both_languages_document_the_same_fields() -> None:
    assert len(described()) >= 11
    for noun in described():
        assert documented(noun) == documented(noun, ".ja"), noun


def test_each_document_is_printed_by_a_command_here() -> None:
    printed = re.findall(r'^ +check\(.*"(\w+)"\)$', Path(__file__).read_text(encoding="utf-8"), flags=re.M)
    assert set(described()) == set(printed)


def test_documents_that_need_no_training(workplace: Path) -> None:
    check(llmlora(workplace, "doctor"), "doctor")
    check(llmlora(workplace, "models"), "models")
    check(llmlora(workplace, "models", "pull", "nano"), "models_pull")
    check(llmlora(workplace, "dataset", "check", "data.jsonl"), "dataset_check")
    check(llmlora(workplace, "dataset", "convert", "data.jsonl", "-o", "out.jsonl"), "dataset_convert")
    check(llmlora(workplace, "plan", "--model", "nano", "--data", "data.jsonl"), "plan")
    check(llmlora(workplace, "dataset", "preview", "data.jsonl", "--model", "nano", "-n", "1"), "dataset_preview")


def test_documents_of_kept_datasets_and_of_the_queue(workplace: Path) -> None:
    check(llmlora(workplace, "dataset", "add", "data.jsonl", "--name", "shop"), "dataset")
    listed = llmlora(workplace, "dataset", "list")
    assert set(listed["datasets"][0]) == documented("dataset_changed")
    check(listed, "datasets")
    check(llmlora(workplace, "train", "--model", "nano", "--data", "shop", "--detach"), "job_changed")
    listed = llmlora(workplace, "jobs")
    assert set(listed["jobs"][0]) == documented("job_changed")
    check(listed, "jobs")
    check(llmlora(workplace, "jobs", "show", "shop"), "job")
    check(llmlora(workplace, "jobs", "logs", "shop"), "job_logs")
    check(llmlora(workplace, "jobs", "delete", "shop"), "job_changed")
    check(llmlora(workplace, "dataset", "delete", "shop"), "dataset_changed")
    check(llmlora(workplace, "store", "rebuild"), "store_rebuild")
    check(llmlora(workplace, "config", "show"), "config")
    check(llmlora(workplace, "config", "path"), "config_paths")


@pytest.mark.timeout(900)
def test_documents_of_the_main_job(workplace: Path) -> None:
    train = ("train", "--model", "nano", "--data", "data.jsonl", "--set", "max_steps=2")
    check(llmlora(workplace, *train, "--out", "job"), "train")
    check(llmlora(workplace, "evaluate", "job", "--max-questions", "1"), "evaluation")
    check(llmlora(workplace, "ladder", "job", "--max-questions", "1", "--max-new-tokens", "8"), "evaluation")
    check(llmlora(workplace, "compare", "job", "job"), "compare")
    check(llmlora(workplace, "merge", "job", "-o", "merged"), "merge")
    check(llmlora(workplace, "export", "job", "-o", "exported", "--quant", "F16"), "export")
    check(llmlora(workplace, "verify", "exported"), "verify")
    check(llmlora(workplace, "compare", "exported"), "compare_files")
    check(llmlora(workplace, "chat", "job", "--prompt", "こんにちは", "--max-new-tokens", "4"), "chat")


@pytest.mark.gate
@pytest.mark.timeout(900)
def test_documents_of_the_rest(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gate U10: with those above, one document of each kind."""
    few = ("--model", "nano", "--data", "data.jsonl", "--set", "max_steps=2")
    check(llmlora(workplace, "models", "--catalogue"), "catalogue")
    written = llmlora(workplace, "dataset", "reword", "data.jsonl", "-o", "other-words.csv")
    with (workplace / "other-words.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with (workplace / "other-words.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.DictWriter(stream, rows[0])
        table.writeheader()
        table.writerows({**row, "rewording": f"教えて。{row['question']}"} for row in rows)
    taken_in = llmlora(workplace, "dataset", "reword", "data.jsonl", "--filled", "other-words.csv", "-o", "more.jsonl")
    check({**written, **taken_in}, "dataset_reword")
    check(llmlora(workplace, "tutorial"), "tutorials")
    check(llmlora(workplace, "tutorial", "start", "1"), "tutorial")
    check(llmlora(workplace, "tutorial", "check", "1"), "tutorial_check")
    check(llmlora(workplace, "demo", "--out", "demo"), "demo")
    check(llmlora(workplace, "adapters", "ensemble", *few, "-o", "members"), "ensemble")
    members = [f"members/member-{number}" for number in (1, 2, 3)]
    check(llmlora(workplace, "adapters", "combine", *members, "-o", "combined"), "combine")
    check(llmlora(workplace, "passport", "combined"), "passport")
    check(llmlora(workplace, "chat", *members[:2], "--prompt", "こんにちは", "--max-new-tokens", "4"), "answers")
    with FakeOllama(workplace / "store") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        check(llmlora(workplace, "ollama", "push", "demo/job", "--name", "shop"), "ollama_push")
        check(llmlora(workplace, "ollama", "list"), "ollama_list")
        check(llmlora(workplace, "ollama", "show", "shop"), "ollama_show")
        (workplace / "store" / "registry").mkdir()
        shutil.copy(workplace / "demo" / "export" / "model-F16.gguf", workplace / "store" / "registry" / "other.gguf")
        check(llmlora(workplace, "ollama", "pull", "other"), "ollama_pull")
        check(llmlora(workplace, "models", "delete", "ollama:other", "-y"), "models_delete")
        check(
            llmlora(workplace, "ollama", "push", "demo/job", "--name", "shop", "--system", "短く答えます。"),
            "ollama_push",
        )
        check(llmlora(workplace, "ollama", "rollback", "shop"), "ollama_rollback")
        check(llmlora(workplace, "ollama", "check"), "ollama_check")


def test_error_document_is_the_last_line_of_stderr(workplace: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    child = [sys.executable, "-m", "llmlora.cli.main", "train", "--resume", "nowhere", "--json"]
    finished = subprocess.run(child, cwd=workplace, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 3
    assert finished.stdout == ""
    check(json.loads(finished.stderr.splitlines()[-1]), "error")
