"""The command line answers at once: help in 0.3 s of processor time, and nothing heavy is ever loaded by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from llmlora.cli.main import VERBS
from pace import slowness, start_seconds

HEAVY = {"torch", "transformers", "peft", "accelerate", "numpy", "xllamacpp", "gguf", "safetensors", "tokenizers"}
HEAVY_ROOMS = {"worker", "export", "evaluation", "inference", "engine", "prepare", "weights", "gguf"}
HELP_SECONDS = 0.3
NOISE = 2.0  # between one start and the next, all cores being busy

LOADED = """
import contextlib, io, json, sys
from llmlora.cli.main import run
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    code = run(sys.argv[1:])
print(json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""


def loaded_by(*arguments: str) -> dict[str, object]:
    child = [sys.executable, "-c", LOADED, *arguments]
    finished = subprocess.run(child, capture_output=True, text=True, check=True, env=os.environ.copy())
    return dict(json.loads(finished.stdout))


def test_help_is_quick() -> None:
    seconds = start_seconds([sys.executable, "-m", "llmlora.cli.main", "--help"])
    print(f"llmlora --help: {seconds:.2f} s of processor time (budget {HELP_SECONDS} s)")
    assert seconds < HELP_SECONDS * NOISE * slowness()


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_no_command_loads_anything_heavy(verb: str) -> None:
    result = loaded_by(*([verb] if verb else []), "--help")
    assert result["code"] == 0
    modules = {str(name) for name in result["modules"]}  # type: ignore[attr-defined]
    assert not modules & HEAVY
    assert not modules & {f"llmlora.{room}" for room in HEAVY_ROOMS}
