"""Run as a program: damage an exported file in one way at a time and print what verification says, as JSON.

llama.cpp runs here and not in the test process, because a broken file may abort it.
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.export.merge import trained_source
from llmlora.export.reference import Reference
from llmlora.export.trained import TrainedModel, find_trained
from llmlora.export.trained_answers import build_reference
from llmlora.export.verify import Verifier
from llmlora.gguf import architectures
from llmlora.gguf.writer import write_gguf
from llmlora.prepare.template import load_template
from tiny_jobs import tiny_job

Fault = Callable[[Path], None]


def exchange(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes that occur exactly once by as many others."""
    data = path.read_bytes()
    assert data.count(old) == 1, (old, data.count(old))
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))


def key_value(key: str, kind: int, value: bytes) -> bytes:
    return key.encode() + struct.pack("<I", kind) + value


def wrong_template(path: Path) -> None:
    exchange(path, rb"'<|im_start|>assistant\n'", rb"'<|im_start|>assistant\t'")


def missing_eos(path: Path) -> None:
    exchange(path, b"tokenizer.ggml.eos_token_id", b"tokenizer.ggml.eos_token_no")


def wrong_eos(path: Path) -> None:
    old, new = (key_value("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", index)) for index in (2, 50))
    exchange(path, old, new)


def reordered_heads(path: Path) -> None:
    """Leave q as transformers stores it: halves of a head instead of neighbouring pairs."""
    tensor = read_gguf_header(path).tensor("blk.0.attn_q.weight")
    data = bytearray(path.read_bytes())
    rows = np.frombuffer(data, np.float16, tensor.shape[0] * tensor.shape[1], tensor.offset).reshape(4, -1, 2, 256)
    data[tensor.offset : tensor.offset + tensor.num_bytes] = rows.swapaxes(1, 2).tobytes()
    path.write_bytes(data)


def changed_weight(path: Path) -> None:
    tensor = read_gguf_header(path).tensor("blk.1.ffn_up.weight")
    data = bytearray(path.read_bytes())
    data[tensor.offset : tensor.offset + 2] = np.float16(3.5).tobytes()
    path.write_bytes(data)


def wrong_rope(path: Path) -> None:
    old, new = (key_value("llama.rope.freq_base", 6, struct.pack("<f", theta)) for theta in (1e4, 5e5))
    exchange(path, old, new)


def wrong_epsilon(path: Path) -> None:
    key = "llama.attention.layer_norm_rms_epsilon"
    exchange(path, *(key_value(key, 6, struct.pack("<f", epsilon)) for epsilon in (1e-6, 1e-2)))


def swapped_tokens(path: Path) -> None:
    def token(character: bytes) -> bytes:
        return struct.pack("<Q", 1) + character

    exchange(path, token(b"a") + token(b"b") + token(b"c"), token(b"b") + token(b"a") + token(b"c"))


def duplicate_token(path: Path) -> None:
    def token(character: bytes) -> bytes:
        return struct.pack("<Q", 1) + character

    exchange(path, token(b"a") + token(b"b") + token(b"c"), token(b"a") + token(b"a") + token(b"c"))


def wrong_file_type(path: Path) -> None:
    exchange(path, *(key_value("general.file_type", 4, struct.pack("<I", number)) for number in (1, 15)))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def nothing(path: Path) -> None:
    """Leave the file as it is."""


FAULTS: tuple[Fault, ...] = (
    nothing, wrong_template, missing_eos, wrong_eos, reordered_heads, changed_weight, wrong_rope, wrong_epsilon,
    swapped_tokens, duplicate_token, wrong_file_type, cut_off,
)  # fmt: skip


def write(trained: TrainedModel, path: Path) -> None:
    source, config = trained_source(trained)
    template = load_template(trained.tokenizer_dir).text
    write_gguf(source, config, trained.tokenizer_dir, path, "F16", "llmlora-test", chat_template=template)


def verdict(path: Path, trained: TrainedModel, reference: Reference) -> list[dict[str, object]]:
    return [check.to_dict() for check in Verifier(trained, reference).check_model(path, "F16")]


def faulty_converter(trained: TrainedModel, reference: Reference, folder: Path) -> list[dict[str, object]]:
    """Make the mistake in the converter itself, which the tensor check also uses: only the reference can notice."""
    right = architectures.ARCHITECTURES["llama"]
    entries = dict(architectures.ARCHITECTURES)
    entries["llama"] = replace(right, rearrange_rows=lambda name, values, shape: values)
    architectures.ARCHITECTURES = entries
    try:
        write(trained, folder / "converter.gguf")
        return verdict(folder / "converter.gguf", trained, reference)
    finally:
        architectures.ARCHITECTURES = {**entries, "llama": right}


def main(folder: Path) -> None:
    trained = find_trained(tiny_job("llama", folder, {}))
    reference = build_reference(trained)
    write(trained, folder / "right.gguf")
    results = {}
    for fault in FAULTS:
        path = folder / f"{fault.__name__}.gguf"
        shutil.copyfile(folder / "right.gguf", path)
        fault(path)
        results[fault.__name__] = verdict(path, trained, reference)
    results["faulty_converter"] = faulty_converter(trained, reference, folder)
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
