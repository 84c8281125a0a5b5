"""Faults planted in a pretrained model's real export: each is caught by the check that is meant for it.

SmolLM2 is trained once as recommended; every fault goes into a copy of one of its two verified files. Reading a file
catches them all; those that change what users see are caught by running it too, whatever its header says.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llmlora
from export.planted_faults import change_key, change_keys, change_tensor, contents, token_id, typed_control, write
from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.core.layout import MODELFILE
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.export.merge import MergedSource, trained_source
from llmlora.export.modelfile_check import check_modelfile, planned_content
from llmlora.export.trained_answers import build_reference
from llmlora.export.verdict import add_verdicts
from llmlora.export.verify import Verifier
from llmlora.gguf.quantize import quantize_gguf
from llmlora.gguf.writer import FILE_TYPES
from llmlora.inference.trained_job import TrainedJob, find_trained
from real_models import real_model

pytestmark = [pytest.mark.gate, pytest.mark.timeout(3600)]
ROWS = Path(__file__).parents[1] / "export" / "support_rows_en.jsonl"
WORD = "Ġcosts"  # stands in most of the taught answers
SURVIVING = 0.6  # share of the update in the file that swallowed the rest

Fault = Callable[[Path], None]
Checks = list[dict[str, Any]]


def word_ends_turn(path: Path) -> None:
    change_keys(path, eot_token_id=token_id(path, WORD))


def word_ends_message(path: Path) -> None:
    change_keys(path, eom_token_id=token_id(path, WORD))


def wrong_eos(path: Path) -> None:
    change_keys(path, eos_token_id=token_id(path, WORD))


def digit_typed_control(path: Path) -> None:
    typed_control(path, "6")


def word_typed_control(path: Path) -> None:
    typed_control(path, WORD)


def swapped_template(path: Path) -> None:
    text = str(read_gguf_header(path).metadata["tokenizer.chat_template"])
    change_key(path, "tokenizer.chat_template", text.replace("<|im_start|>assistant", "<|im_start|>user"))


def rope_theta(path: Path) -> None:
    change_key(path, "llama.rope.freq_base", 5e5)


def swapped_k_rows(path: Path) -> None:
    change_tensor(path, "blk.3.attn_k.weight", lambda values: values.reshape(-1, 2, values.shape[1])[:, ::-1].reshape(
        values.shape
    ))  # fmt: skip


def q_not_permuted(path: Path) -> None:
    heads = int(read_gguf_header(path).metadata["llama.attention.head_count"])

    def restored(values: np.ndarray) -> np.ndarray:
        return values.reshape(heads, -1, 2, values.shape[1]).swapaxes(1, 2).reshape(values.shape)

    change_tensor(path, "blk.3.attn_q.weight", restored)


def scaled_outputs(path: Path) -> None:
    for tensor in read_gguf_header(path).tensors:
        if tensor.name.endswith("attn_output.weight"):
            change_tensor(path, tensor.name, lambda values: values * np.float32(1.08))


@dataclass(frozen=True)
class Planted:
    """A fault, the file it goes into, and the check and causes by which it is caught in reading."""

    fault: Fault
    quantization: str
    check: str
    causes: tuple[str, ...]


PLANTED = (
    Planted(word_ends_turn, "F16", "file", ("end_token",)),
    Planted(word_ends_message, "Q4_K_M", "file", ("end_token",)),
    Planted(wrong_eos, "F16", "file", ("end_token",)),
    Planted(digit_typed_control, "F16", "file", ("token_types",)),
    Planted(word_typed_control, "Q4_K_M", "file", ("token_types",)),
    Planted(swapped_template, "F16", "file", ("template",)),
    Planted(rope_theta, "F16", "file", ("rope",)),
    Planted(swapped_k_rows, "F16", "tensors", ("row_order",)),
    Planted(swapped_k_rows, "Q4_K_M", "tensors", ("row_order", "values")),
    Planted(q_not_permuted, "F16", "tensors", ("row_order",)),
    Planted(q_not_permuted, "Q4_K_M", "tensors", ("row_order", "values")),
    Planted(scaled_outputs, "Q4_K_M", "tensors", ("scale",)),
)
# What running the file shows: check -> causes; nothing in its header is looked at for that.
SEEN_IN_USE: dict[str, tuple[Fault, str, tuple[str, ...]]] = {
    "a word ends the turn": (word_ends_turn, "answers", ("cut_answer",)),
    "a word vanishes": (word_typed_control, "answers", ("answer_text",)),
    "another template": (swapped_template, "template", ("template",)),
    "another rope": (rope_theta, "logprobs", ("weights",)),
    "k rows elsewhere": (swapped_k_rows, "logprobs", ("weights",)),
}


@dataclass(frozen=True)
class Export:
    """A trained model's verified export, and a verifier with its reference."""

    trained: TrainedJob
    folder: Path
    report: Mapping[str, Any]
    verifier: Verifier

    def copy(self, quantization: str, fault: Fault, folder: Path) -> Path:
        path = folder / f"{fault.__name__}-{quantization}.gguf"
        shutil.copyfile(self.folder / f"model-{quantization}.gguf", path)
        fault(path)
        return path


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("planted")
    llmlora.train(str(real_model("smollm2")), ROWS, out=folder / "job")
    return exported(folder / "job", folder / "out")


def exported(job: Path, folder: Path) -> Export:
    report = llmlora.export_model(job, folder, ["F16", "Q4_K_M"])
    trained = find_trained(job)
    return Export(trained, folder, report["verify"], Verifier(trained, build_reference(trained), carried_facts))


def first_failure(checks: Checks) -> tuple[str, str | None]:
    failed = next(check for check in checks if not check["ok"])
    assert failed["detail"]
    return failed["check"], failed["cause"]


def test_the_healthy_files_pass_and_keep_what_was_taught(export: Export):
    for entry in export.report["files"]:
        assert entry["verdict"] == "verified", entry
        assert entry["facts"]["num_kept"] == entry["facts"]["num_known"] >= 18
        update = next(check["measured"] for check in entry["checks"] if check["check"] == "update")
        assert update["share"] > 0.9
    assert export.report["modelfile"]["ok"]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda found: f"{found.fault.__name__} {found.quantization}")
def test_each_fault_is_caught_by_its_check(planted: Planted, export: Export, tmp_path: Path):
    path = export.copy(planted.quantization, planted.fault, tmp_path)
    check, cause = first_failure(contents(export.verifier, path, planted.quantization))
    assert check == planted.check
    assert cause in planted.causes


@pytest.mark.parametrize("case", SEEN_IN_USE)
def test_what_users_would_see_is_caught_in_use_too(case: str, export: Export, tmp_path: Path):
    fault, name, causes = SEEN_IN_USE[case]
    checks = export.verifier.check_model(export.copy("F16", fault, tmp_path), "F16")
    check = next(check for check in checks if check.check == name)
    assert not check.ok
    assert check.cause in causes


def test_a_coarser_file_does_not_pass_for_a_finer_one(export: Export, tmp_path: Path):
    path = tmp_path / "coarse.gguf"
    quantize_gguf(export.folder / "model-F16.gguf", path, "Q2_K")
    change_key(path, "general.file_type", FILE_TYPES["Q4_K_M"])
    assert first_failure(contents(export.verifier, path, "Q4_K_M")) == ("file", "tensor_type")


@pytest.mark.parametrize("quantization", ["F16", "Q4_K_M"])
def test_an_adapter_that_was_not_merged_is_caught(quantization: str, export: Export, tmp_path: Path):
    path = unmerged = tmp_path / "base.gguf"
    write(export.trained, unmerged, source=export.trained.base.source)
    if quantization != "F16":
        path = tmp_path / "quantized.gguf"
        quantize_gguf(unmerged, path, quantization)
    assert first_failure(contents(export.verifier, path, quantization)) == ("tensors", "not_merged")


class Weakened:
    """The trained model with a part of its update only, as a grid that the base already sits on leaves it."""

    def __init__(self, merged: MergedSource) -> None:
        self._merged = merged
        self.names, self.shape = merged.names, merged.shape

    def read(self, name: str) -> np.ndarray:
        base = self._merged.read_base(name)
        return base + np.float32(SURVIVING) * (self._merged.read(name) - base)


def test_a_swallowed_update_is_never_called_verified(export: Export, tmp_path: Path):
    merged, _ = trained_source(export.trained)
    assert isinstance(merged, MergedSource)
    write(export.trained, tmp_path / "weak.gguf", source=Weakened(merged))
    quantize_gguf(tmp_path / "weak.gguf", tmp_path / "Q4_K_M.gguf", "Q4_K_M")
    checks = contents(export.verifier, tmp_path / "Q4_K_M.gguf", "Q4_K_M")
    entry: dict[str, Any] = {"file": "model-Q4_K_M.gguf", "quantization": "Q4_K_M", "checks": checks}
    add_verdicts([entry])
    assert entry["verdict"] == "lossy"
    assert entry["facts"] is None
    update = next(check["measured"] for check in checks if check["check"] == "update")
    assert update["share"] == pytest.approx(SURVIVING, abs=0.1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('PARAMETER stop "<|im_end|>"', 'PARAMETER stop " costs"'),
        ("PARAMETER temperature ", "PARAMETER temperature 1"),
        ("FROM ./model-", "FROM ./other-"),
    ],
)
def test_a_modelfile_that_says_something_else_is_caught(old: str, new: str, export: Export, tmp_path: Path):
    text = (export.folder / MODELFILE).read_text(encoding="utf-8")
    assert text.count(old) == 1, text
    _, config = trained_source(export.trained)
    turn_end = str(export.report["reference"]["turn_end"])
    content = planned_content(export.trained, config, str(export.report["model_file"]), turn_end)
    path = tmp_path / MODELFILE
    path.write_text(text, encoding="utf-8")
    assert check_modelfile(path, content).ok
    path.write_text(text.replace(old, new), encoding="utf-8")
    check = check_modelfile(path, content)
    assert (check.ok, check.cause) == (False, "modelfile")
