"""Before training a GGUF file is compared with llama.cpp; what is not the same model is refused by what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmlora.core.errors import ModelFileError
from llmlora.export.base_check import MAX_KL, check_opened
from llmlora.gguf.quantize import quantize_gguf
from llmlora.weights.base import Base, open_gguf
from reference_model import export
from tiny_models import ARCHITECTURES, tiny_model

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_passes(architecture: str, tmp_path: Path) -> None:
    measured = check_opened(open_gguf(export(tiny_model(architecture, tmp_path / "m"), tmp_path / "m.gguf", "F16")))
    assert measured["tokenizer"]["num_texts"] >= 200
    assert measured["template"]["num_shapes"] == 5
    assert measured["logprobs"]["max_kl"] < 1e-3
    assert measured["logprobs"]["num_contexts"] == 5
    assert "unrounded" not in measured


def test_a_quantised_file_is_compared_without_llamacpps_rounding(tmp_path: Path) -> None:
    source = export(tiny_model("llama", tmp_path / "m"), tmp_path / "m.gguf", "F16")
    quantize_gguf(source, tmp_path / "q.gguf", "Q4_0")
    measured = check_opened(open_gguf(tmp_path / "q.gguf"))
    exact = measured.get("unrounded", measured["logprobs"])
    assert exact["max_kl"] < MAX_KL


def swapped_rows(base: Base) -> None:
    spoil(base, "self_attn.q_proj.weight", lambda values: values[::-1].copy())


def larger_norm(base: Base) -> None:
    spoil(base, "input_layernorm.weight", lambda values: values * np.float32(1.5))


def spoil(base: Base, ending: str, change: Any) -> None:
    source = base.source
    read = source.read
    source.read = lambda name: change(read(name)) if name.endswith(ending) else read(name)  # type: ignore[method-assign]


FAULTS = {"rows of queries swapped": swapped_rows, "norms scaled": larger_norm}


@pytest.mark.parametrize("fault", FAULTS)
def test_other_weights_are_refused(fault: str, tmp_path: Path) -> None:
    base = open_gguf(export(tiny_model("llama", tmp_path / "m"), tmp_path / "m.gguf", "F16"))
    FAULTS[fault](base)
    with pytest.raises(ModelFileError, match="gguf_selftest_failed") as caught:
        check_opened(base)
    assert caught.value.params["check"] == "logprobs"


def test_other_tokens_and_another_template_are_refused(tmp_path: Path) -> None:
    base = open_gguf(export(tiny_model("llama", tmp_path / "m"), tmp_path / "m.gguf", "F16"))
    template = base.tokenizer_dir / "chat_template.jinja"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("<|im_end|>", "<|im_end|> "), encoding="utf-8")
    with pytest.raises(ModelFileError, match="gguf_selftest_failed") as caught:
        check_opened(base)
    assert caught.value.params["check"] == "template"
    template.write_text(text, encoding="utf-8")
    path = base.tokenizer_dir / "tokenizer.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["model"]["merges"].reverse()
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ModelFileError, match="gguf_selftest_failed") as caught:
        check_opened(base)
    assert caught.value.params["check"] == "tokenizer"
