"""A Modelfile is what decides how Ollama answers: every value that is not the meant one is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmlora.export.modelfile import ModelfileContent, modelfile_text
from llmlora.export.modelfile_check import check_modelfile, read_modelfile

CONTENT = ModelfileContent(
    model="model-Q4_K_M.gguf",
    template='{{ if .System }}"{{ .System }}"\n{{ end }}{{ .Prompt }}',
    system='You are the shop\'s "clerk".\nBe brief.',
    parameters={"temperature": 0, "repeat_penalty": 1.0, "num_ctx": 2048, "stop": ["<|im_end|>", "</s>"]},
)


def checked(folder: Path, text: str) -> str | None:
    (folder / "Modelfile").write_bytes(text.encode("utf-8"))
    check = check_modelfile(folder / "Modelfile", CONTENT)
    assert check.ok is (check.cause is None)
    return check.detail if check.cause == "modelfile" else check.cause


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('stop "<|im_end|>"', 'stop " costs"', "stop ' costs'"),
        ("temperature 0", "temperature 1.9", "temperature '1.9'"),
        ("num_ctx 2048", "num_ctx 64", "num_ctx '64.0'"),
        ("repeat_penalty 1.0", "repeat_penalty 1.5", "repeat_penalty '1.5'"),
        ("FROM ./model-Q4_K_M.gguf", "FROM ./model-Q2_K.gguf", "model-Q2_K.gguf"),
        ("FROM ./model-Q4_K_M.gguf", "FROM llama3", "llama3"),
        ("Be brief", "Be long", "Be long"),
        ("{{ .Prompt }}", "{{ .Prompt }} ", "TEMPLATE"),
        ("SYSTEM", "LICENSE", "SYSTEM"),
        ('PARAMETER stop "</s>"\n', "", "</s>"),
        ("FROM", "PARAMETER top_k 1\nFROM", "top_k"),
        ("FROM", 'PARAMETER stop "."\nFROM', "stop"),
        ("FROM", 'MESSAGE assistant "Hi"\nFROM', "MESSAGE"),
        ("FROM", "ADAPTER ./adapter.gguf\nFROM", "ADAPTER"),
    ],
)
def test_a_value_that_was_not_meant_is_named(old: str, new: str, named: str, tmp_path: Path):
    text = modelfile_text(CONTENT)
    assert old in text
    detail = checked(tmp_path, text.replace(old, new, 1))
    assert detail is not None
    assert named in detail


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FROM", "FROM"),
        ("FROM", "# mine\n\nfrom"),
        ("temperature 0", "Temperature 0.0"),
        ("./model", "model"),
        ('stop "</s>"', "stop </s>"),
        ("FROM", 'LICENSE "MIT"\nFROM'),
        ("\n", "\r\n"),
    ],
)
def test_what_means_the_same_passes(old: str, new: str, tmp_path: Path):
    text = modelfile_text(CONTENT)
    assert old in text
    assert checked(tmp_path, text.replace(old, new, -1 if old == "\n" else 1)) is None


def test_a_missing_or_unreadable_one_is_said(tmp_path: Path):
    assert check_modelfile(tmp_path / "Modelfile", CONTENT).cause == "missing_file"
    (tmp_path / "Modelfile").write_bytes(b"FROM \xff")
    assert check_modelfile(tmp_path / "Modelfile", CONTENT).cause == "modelfile"
    assert read_modelfile('SYSTEM """never ends\nFROM x') == [("SYSTEM", "never ends\nFROM x")]
