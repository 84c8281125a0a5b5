"""Chat through llama.cpp: the same replies as transformers, a server for this process only, typed errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("llamacpp")
    environment = {**os.environ, "PYTHONPATH": f"{TESTS.parent / 'src'}{os.pathsep}{TESTS}"}
    program = [sys.executable, str(TESTS / "inference" / "llamacpp_program.py"), str(folder)]
    finished = subprocess.run(program, env=environment, capture_output=True, text=True, check=False, timeout=550)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return dict(json.loads((folder / "results.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", ["greedy", "penalty", "short", "stop"])
def test_replies_equal_transformers(case: str, results: dict[str, Any]):
    llamacpp, transformers = results["replies"][case]
    assert llamacpp == transformers


def test_seed_decides_a_drawn_reply(results: dict[str, Any]):
    first, again, other = results["drawn"]
    assert first == again != other


def test_pieces_add_up(results: dict[str, Any]):
    joined, text, num_pieces, num_tokens = results["pieces"]
    assert joined == text
    assert num_pieces > 1
    assert num_tokens == results["replies"]["greedy"][0][2]


def test_template_and_tokens_are_those_of_training(results: dict[str, Any]):
    assert results["rendered"][0] == results["rendered"][1]
    assert results["prompt_ids"][0] == results["prompt_ids"][1]
    assert results["count"] == len(results["prompt_ids"][1])


def test_whole_distribution_is_returned_and_right(results: dict[str, Any]):
    assert results["distance"] <= 5e-5
    assert results["total_probability"] == pytest.approx(1.0, abs=1e-4)


def test_greedy_ids_without_end_tokens(results: dict[str, Any]):
    assert results["generated"][0] == results["generated"][1]


def test_only_end_tokens_end_a_reply(results: dict[str, Any]):
    assert results["stops_at"] == {"<|im_end|>": True, "a": False}


def test_the_server_answers_nobody_without_the_key(results: dict[str, Any]):
    assert results["key_needed"] == 401


def test_errors_are_typed(results: dict[str, Any]):
    assert results["errors"] == {"too_long": "prompt_too_long", "no_such_endpoint": "llamacpp_request_failed"}
    assert results["context_length"] == 512


def test_broken_files_are_refused_not_crashing(results: dict[str, Any]):
    assert results["broken"] == {
        "cut_off": "ModelFileError gguf_invalid",
        "no_gguf": "ModelFileError gguf_not_gguf",
        "unknown_pre": "ModelFileError gguf_load_failed",
        "lost_tensor": "ModelFileError gguf_load_failed",
    }
