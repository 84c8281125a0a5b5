"""Chat through llama.cpp: the same replies as transformers, a server for this process only, typed errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmlora.catalog.gguf_header import GgufHeader, GgufTensor
from llmlora.core import machine
from llmlora.inference import llamacpp_chat
from llmlora.inference.llamacpp_chat import MAX_CONTEXT, _num_threads, _reason, _trained_context

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


def test_log_probabilities_of_a_stream_are_those_of_transformers(results: dict[str, Any]):
    (ours, num_tokens, num_prompt), (theirs, *lengths) = results["logprobs"]
    assert [num_tokens, num_prompt] == lengths
    ours = [token for token in ours if token is not None]  # a piece of which nothing is told
    whole = [token for token in theirs if "\ufffd" not in token["token"]]  # llama.cpp tells of no half characters
    assert 0 < len(ours) <= len(theirs) == num_tokens
    for token in ours:
        same = next(other for other in whole if other["token"] == token["token"])
        assert token["logprob"] == pytest.approx(same["logprob"], abs=2e-3)
        assert len(token["top_logprobs"]) == 2


def test_no_other_tokens_are_told_where_none_are_asked_for(results: dict[str, Any]):
    assert {len(token["top_logprobs"]) for token in results["without_others"] if token is not None} == {0}


def test_another_number_of_threads_loads_a_model_again_unless_it_is_small(results: dict[str, Any]):
    text, port, small_port, later, later_port, threads = results["threads"]
    assert (small_port, later, threads) == (port, text, 2)
    assert later_port != port


def test_the_server_answers_nobody_without_the_key(results: dict[str, Any]):
    assert results["key_needed"] == 401


def test_errors_are_typed(results: dict[str, Any]):
    codes = {"too_long": "prompt_too_long", "empty": "prompt_empty", "no_such_endpoint": "llamacpp_request_failed"}
    assert results["errors"] == codes
    assert results["context_length"] == 512


def test_broken_files_are_refused_not_crashing(results: dict[str, Any]):
    assert results["broken"] == {
        "cut_off": "ModelFileError gguf_invalid",
        "no_gguf": "ModelFileError gguf_not_gguf",
        "unknown_pre": "ModelFileError gguf_load_failed",
        "lost_tensor": "ModelFileError gguf_load_failed",
    }


def header(*tensors: str, **metadata: int) -> GgufHeader:
    keys = {f"phi3.{name.replace('__', '.')}": value for name, value in metadata.items()}
    entries = tuple(GgufTensor(name, (4,), "F32", 0, 16) for name in tensors)
    return GgufHeader(3, {"general.architecture": "phi3", **keys}, {}, entries, 32, 0)


@pytest.mark.parametrize(
    ("tensors", "metadata", "expected"),
    [
        ((), {"context_length": 512}, 512),
        ((), {}, MAX_CONTEXT),
        (
            ("rope_factors_short.weight",),
            {"context_length": 131072, "rope__scaling__original_context_length": 4096},
            4096,
        ),
        (
            ("rope_factors_short.weight",),
            {"context_length": 2048, "rope__scaling__original_context_length": 4096},
            2048,
        ),
        (("rope_factors_short.weight",), {"context_length": 131072}, 131072),
        (("rope_freqs.weight",), {"context_length": 131072, "rope__scaling__original_context_length": 8192}, 131072),
    ],
)
def test_two_sets_of_rotary_factors_limit_the_context_to_the_short_one(
    tensors: tuple[str, ...], metadata: dict[str, int], expected: int
):
    assert _trained_context(header(*tensors, **metadata)) == expected


CAPTURE = """
import os, sys
from llmlora.inference.llamacpp_chat import _captured_stderr
os.write(2, b"before\\n")
with _captured_stderr() as captured:
    os.write(2, b"0.00 E reason\\n")
    sys.stdout.write(captured())
os.write(2, b"after\\n")
"""


@pytest.mark.parametrize(("flags", "stays"), [(os.O_RDWR, True), (os.O_WRONLY, False)])
def test_what_native_code_says_is_captured_and_stays_in_a_readable_log(flags: int, stays: bool, tmp_path: Path):
    log = tmp_path / "log.txt"
    descriptor = os.open(log, flags | os.O_CREAT | os.O_APPEND)
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent / "src")}
    child = [sys.executable, "-c", CAPTURE]
    finished = subprocess.run(child, env=environment, stdout=subprocess.PIPE, stderr=descriptor, text=True, check=True)
    os.close(descriptor)
    assert finished.stdout == "0.00 E reason\n"
    kept = "0.00 E reason\n" if stays else ""
    assert log.read_text(encoding="utf-8") == f"before\n{kept}after\n"


def test_the_first_error_line_is_the_reason():
    text = "0.01 I loading\n0.02 E llama_model_load: bad tensor\n0.03 E failed to load\n"
    assert _reason(text) == "llama_model_load: bad tensor"
    assert _reason("0.01 I loading\n") == ""
    assert len(_reason(f"0.01 E {'x' * 900}")) == 300


def test_small_files_are_computed_with_one_thread_and_others_with_those_that_are_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"x" * 100)
    assert _num_threads(path) == 1
    monkeypatch.setattr(llamacpp_chat, "SMALL_MODEL_BYTES", 50)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert _num_threads(path) == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(machine, "idle_cores", lambda: 7)
    assert _num_threads(path) == 7
