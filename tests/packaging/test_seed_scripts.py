"""What the sources name by path: scripts do what their first lines say, through the commands of `llmlora`.

What is not there has a line in the table of deviations.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import ROOT, code_names, table_rows

SCRIPTS = ("tutorial/scripts/run_all_verifications.sh", "tutorial/scripts/validate_datasets.py",
           "tutorial/scripts/test_tutorial_flow.py", "scripts/prepare_training_data.py",
           "scripts/start_web_interface.sh", "scripts/tinyllama_fine_tuning.py", "scripts/qwen_fine_tuning.py",
           "scripts/verify_tinyllama_finetuning.py", "scripts/merge_qwen_model.py",
           "scripts/full_demo_workflow.sh")  # fmt: skip
# Every file and folder of a checkout that the five sources name; those of a user's own are left out.
NAMED = (
    "tutorial/datasets/level2_practical_knowledge.json", "tutorial/datasets/level3_advanced_medical.json",
    "tutorial/docs/level1_basic_tutorial.md", "tutorial/docs/level2_practical_tutorial.md",
    "tutorial/docs/level3_advanced_tutorial.md", "tutorial/concepts/", "tutorial/references/", "tutorial/examples/",
    "docs/concepts/lora_optimization.md", "docs/concepts/learning_rate_scheduling.md",
    "docs/concepts/custom_dataset_creation.md", "docs/concepts/model_evaluation.md",
    "docs/concepts/advanced_strategies.md", "docs/concepts/production_deployment.md",
    "docs/references/lora_papers.md", "docs/examples/domain_specific_cases.md",
    "docs/API_REFERENCE.md", "docs/DEVELOPER_GUIDE.md", "docs/CONFIG_REFERENCE.md", "LICENSE", ".env.example",
    "tutorial/scripts/run_all_verifications.sh", "tutorial/scripts/validate_datasets.py",
    "tutorial/scripts/test_tutorial_flow.py", "scripts/prepare_training_data.py", "scripts/start_web_interface.sh",
    "scripts/generate_deepspeed_configs.py", "scripts/train_large_model.py", "scripts/train_32b_model.sh",
    "configs/deepspeed/ds_config_large.json", "configs/deepspeed/ds_config_ultra_large.json",
    "scripts/tinyllama_fine_tuning.py", "scripts/qwen_fine_tuning.py", "scripts/full_demo_workflow.sh",
    "verify_tinyllama_finetuning.py", "merge_qwen_model.py", "working_lora_demo.py",
    "test_full_finetuning_improved.py", "train_model.py", "convert-hf-to-gguf.py", "llama-quantize",
    "data/raw/sample_training_data.jsonl", "data/raw/sample_chat_data.jsonl", "data/raw/sample_code_data.jsonl",
    "data/raw/", "data/processed/", "outputs/", "job_X/final_model", "lora_demo_<time>", "training_args.bin",
    "vocab.json", "/workspace/logs/training.log", "/workspace/logs/web.log", "src/models/japanese_model.py",
    "app/", "components/", "lib/", "stores/", "types/", "backend/", "requirements.txt", "main:app",
    "docker/", "docker-compose.yml",
)  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Put a `llmlora` of this checkout in front of any other."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "llmlora"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m llmlora "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src"), "LLMLORA_HOME": str(tmp_path / "home")}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the scripts alone, so that no `.venv` of the checkout comes first."""
    for name in SCRIPTS:
        target = tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
        target.chmod(0o755)
    return tmp_path / "checkout"


def run(script: Path, *words: object, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [str(script), *map(str, words)]
    return subprocess.run(command, env=environment, cwd=script.parent, capture_output=True, text=True, check=False)


def pretend(environment: dict[str, str], body: str) -> None:
    """Put a `llmlora` in its place that only says what it was asked."""
    program = Path(environment["PATH"].split(os.pathsep)[0]) / "llmlora"
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")


@pytest.mark.parametrize("name", NAMED)
def test_what_the_sources_name_is_there_or_is_told(name: str) -> None:
    """A path exists, or the first column of the table of deviations has it, in every language."""
    if not (ROOT / name).exists():
        for page in sorted((ROOT / "docs" / "adr").glob("0001-deviations*.md")):
            told = set().union(*(code_names(row[0]) for row in table_rows(page.read_text(encoding="utf-8"))))
            assert name in told, page.name


def test_scripts_are_executable() -> None:
    assert not [name for name in SCRIPTS if not os.access(ROOT / name, os.X_OK)]


def test_without_llmlora_each_says_how_to_get_it(checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "env", "dirname"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python3").symlink_to(sys.executable)
    for name in SCRIPTS:
        words = ("--input", "a.txt", "--output", "b.jsonl") if "prepare" in name else ()
        done = run(checkout / name, *words, environment={**environment, "PATH": str(tools)})
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), name
        assert done.stderr.endswith("make install\n")


def test_raw_text_is_prepared_and_checked(checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    source, output = tmp_path / "raw.txt", tmp_path / "rows.jsonl"
    source.write_text("前書きです。\n\n質問: 送料は？\n回答: 500円です。\n", encoding="utf-8")
    script = checkout / "scripts" / "prepare_training_data.py"
    done = run(script, "--input_file", source, "--output_file", output, "--validate", environment=environment)
    assert done.returncode == 0, done.stderr
    (row,) = output.read_text(encoding="utf-8").splitlines()
    assert [turn["content"] for turn in json.loads(row)["messages"]] == ["送料は？", "500円です。"]
    assert "Line 1" in done.stdout or "line 1" in done.stdout  # what was left out is named


def test_rows_are_prepared_in_the_format_that_is_asked_for(
    checkout: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    source, output = tmp_path / "raw.jsonl", tmp_path / "rows.jsonl"
    source.write_text('{"text": "質問: 送料は？\\n回答: 500円です。"}\n', encoding="utf-8")
    script = checkout / "scripts" / "prepare_training_data.py"
    done = run(script, "--input", source, "--output", output, "--format", "text", environment=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(output.read_text(encoding="utf-8")) == {"text": "質問: 送料は？\n回答: 500円です。"}
    again = run(script, "--input", source, "--output", output, environment=environment)
    assert again.returncode == 3  # the exit code of llmlora: the output is there


def test_named_files_are_validated_and_bad_ones_named(
    checkout: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text('{"instruction": "a?", "output": "b"}\n', encoding="utf-8")
    bad.write_text('{"instruction": "a?"\n', encoding="utf-8")
    script = checkout / "tutorial" / "scripts" / "validate_datasets.py"
    assert run(script, good, environment=environment).returncode == 0
    both = run(script, good, bad, environment=environment)
    assert (both.returncode, both.stderr.splitlines()[-1]) == (1, f"Not passed: {bad}")


def test_without_names_every_bundled_file_is_validated(checkout: Path, environment: dict[str, str]) -> None:
    pretend(environment, 'echo "$@"')
    bundled = ROOT / "src" / "llmlora" / "assets" / "datasets"
    shutil.copytree(bundled, checkout / bundled.relative_to(ROOT))
    done = run(checkout / "tutorial" / "scripts" / "validate_datasets.py", environment=environment)
    files = {file.name for file in bundled.glob("*.json*")} - {"level3_advanced_medical.meta.json"}
    assert {Path(line).name for line in done.stdout.splitlines() if line.startswith("dataset check")} == files


def test_the_course_is_walked_as_a_whole_or_by_level(checkout: Path, environment: dict[str, str]) -> None:
    pretend(environment, 'echo "$@"; exit 7')
    script = checkout / "tutorial" / "scripts" / "test_tutorial_flow.py"
    assert run(script, environment=environment).stdout == "tutorial check --all\n"
    done = run(script, "2", environment=environment)
    assert (done.stdout, done.returncode) == ("tutorial check 2\n", 7)


@pytest.mark.parametrize(("failing", "code"), [("none", 0), ("doctor", 1), ("tutorial", 1)])
def test_all_verifications_run_and_what_failed_is_said(
    checkout: Path, environment: dict[str, str], failing: str, code: int
) -> None:
    pretend(environment, f'echo "ran $1"; [ "$1" != {failing} ]')
    done = run(checkout / "tutorial" / "scripts" / "run_all_verifications.sh", environment=environment)
    assert done.returncode == code
    assert "ran doctor" in done.stdout
    assert "ran tutorial" in done.stdout
    names = {"doctor": "doctor", "tutorial": "course"}
    assert done.stderr.strip() == (f"Not passed: {names[failing]}" if code else "")


def test_the_web_interface_is_the_server_with_the_settings_of_the_file(
    checkout: Path, environment: dict[str, str]
) -> None:
    pretend(environment, 'echo "$@"')
    script = checkout / "scripts" / "start_web_interface.sh"
    assert run(script, "--port", "8050", environment=environment).stdout == "serve --port 8050\n"
    (checkout / ".env").write_text("LLMLORA_PORT=8001\n", encoding="utf-8")
    assert run(script, environment=environment).stdout == "serve --env-file .env\n"


@pytest.mark.parametrize(
    ("script", "asked"),
    [
        (
            "tinyllama_fine_tuning.py",
            "train --model TinyLlama/TinyLlama-1.1B-Chat-v1.0 --data {support_en} --out finetuned_tinyllama_model",
        ),
        ("verify_tinyllama_finetuning.py", "evaluate finetuned_tinyllama_model"),
        (
            "qwen_fine_tuning.py",
            "train --model Qwen/Qwen2.5-3B-Instruct --data {customer_support} --out finetuned_qwen2.5_model",
        ),
        ("merge_qwen_model.py", "merge finetuned_qwen2.5_model -o merged_qwen2.5_model"),
        ("full_demo_workflow.sh", "demo"),
    ],
)
def test_scripts_of_the_talk_are_commands(checkout: Path, environment: dict[str, str], script: str, asked: str) -> None:
    """Options go on to the command, and its exit code comes back."""
    pretend(environment, 'echo "$@"; exit 7')
    bundled = checkout / "src" / "llmlora" / "assets" / "datasets"
    rows = {name: bundled / f"{name}.jsonl" for name in ("support_en", "customer_support")}
    done = run(checkout / "scripts" / script, "--json", environment=environment)
    assert (done.stdout, done.returncode) == (f"{asked.format(**rows)} --json\n", 7)
    assert all((ROOT / path.relative_to(checkout)).is_file() for path in rows.values())


@pytest.mark.gate
@pytest.mark.timeout(600)
def test_the_talk_s_way_works_on_the_bundled_model(checkout: Path, environment: dict[str, str]) -> None:
    """Train, ask before and after, and merge with the scripts alone; only the model is another one."""
    bundled = Path("src", "llmlora", "assets", "datasets")
    shutil.copytree(ROOT / bundled, checkout / bundled)
    few = ("--model", "nano", "--set", "max_steps=2")
    told = {
        "tinyllama_fine_tuning.py": few, "verify_tinyllama_finetuning.py": ("--max-questions", "1"),
        "qwen_fine_tuning.py": few, "merge_qwen_model.py": (),
    }  # fmt: skip
    for script, words in told.items():
        done = run(checkout / "scripts" / script, *words, environment=environment)
        assert done.returncode == 0, f"{script}\n{done.stderr}"
    assert (checkout / "scripts" / "merged_qwen2.5_model" / "model.safetensors").is_file()
