"""Damage an exported file in one way at a time and collect what verification says."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.export import verify
from llmlora.export.merge import trained_source
from llmlora.export.reference import Reference
from llmlora.export.trained_answers import build_reference
from llmlora.export.verify import Verifier
from llmlora.gguf import architectures
from llmlora.gguf.backends import backend_for
from llmlora.gguf.blocks import row_bytes
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.quantize import quantize_gguf
from llmlora.gguf.reader import read_tensor
from llmlora.gguf.source import TensorSource
from llmlora.gguf.writer import FILE_TYPES, FloatType, encode_float, write_gguf
from llmlora.inference.trained_job import TrainedJob, find_trained
from llmlora.prepare.asking import chat_format
from llmlora.prepare.template import load_template
from tiny_jobs import tiny_job

Fault = Callable[[Path], None]
Change = Callable[[np.ndarray], np.ndarray]


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


def change_keys(path: Path, **values: Any) -> None:
    """Write a file again with other values under `tokenizer.ggml.*`."""
    for name, value in values.items():
        change_key(path, f"tokenizer.ggml.{name}", value)


def change_key(path: Path, key: str, value: Any) -> None:
    header = read_gguf_header(path)
    metadata = {**header.metadata, key: value}
    raw = {
        tensor.name: np.fromfile(path, np.uint8, tensor.num_bytes, offset=tensor.offset) for tensor in header.tensors
    }
    plans = [
        TensorPlan(tensor.name, tensor.shape, tensor.ggml_type, lambda data=raw[tensor.name]: iter([data]))
        for tensor in header.tensors
    ]
    write_container(path, metadata, plans, header.value_types)


def token_id(path: Path, text: str) -> int:
    return int(read_gguf_header(path).metadata["tokenizer.ggml.tokens"].index(text))


def typed_control(path: Path, text: str) -> None:
    """Make a word a control token: llama.cpp leaves it out of every answer."""
    types = list(read_gguf_header(path).metadata["tokenizer.ggml.token_type"])
    types[token_id(path, text)] = 3
    change_keys(path, token_type=types)


def word_ends_turn(path: Path) -> None:
    change_keys(path, eot_token_id=token_id(path, "Ġdollars"))


def word_ends_message(path: Path) -> None:
    change_keys(path, eom_token_id=token_id(path, "Ġdollars"))


def word_ends_filling(path: Path) -> None:
    change_keys(path, fim_pad_token_id=token_id(path, "Ġdollars"))


def digit_typed_control(path: Path) -> None:
    typed_control(path, "6")


def word_typed_control(path: Path) -> None:
    typed_control(path, "Ġdollars")


def end_typed_normal(path: Path) -> None:
    types = list(read_gguf_header(path).metadata["tokenizer.ggml.token_type"])
    types[token_id(path, "<|im_end|>")] = 1
    change_keys(path, token_type=types)


def unexpected_key(path: Path) -> None:
    change_keys(path, add_space_prefix=True)


def lost_merge(path: Path) -> None:
    change_keys(path, merges=read_gguf_header(path).metadata["tokenizer.ggml.merges"][:-1])


def wrong_file_type(path: Path) -> None:
    exchange(path, *(key_value("general.file_type", 4, struct.pack("<I", number)) for number in (1, 15)))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def nothing(path: Path) -> None:
    """Leave the file as it is."""


def change_tensor(path: Path, name: str, change: Change) -> None:
    """Replace the values of one tensor and round them to its type again."""
    header = read_gguf_header(path)
    tensor = header.tensor(name)
    values = np.ascontiguousarray(change(read_tensor(path, header, name)), dtype=np.float32)
    write_bytes(path, tensor.offset, encoded(values, tensor.ggml_type))


def encoded(values: np.ndarray, ggml_type: str) -> bytes:
    backend = backend_for(ggml_type)
    if backend is None:
        return b"".join(chunk.tobytes() for chunk in encode_float("", values, ggml_type))
    return backend[1](values, ggml_type).tobytes()


def write_bytes(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(data)


def scaled_outputs(path: Path) -> None:
    for layer in range(2):
        change_tensor(path, f"blk.{layer}.attn_output.weight", lambda values: values * np.float32(1.08))


def shifted_values(path: Path) -> None:
    change_tensor(path, "blk.1.ffn_gate.weight", lambda values: values + np.float32(0.05) * values.std())


def exchanged_rows(path: Path) -> None:
    change_tensor(path, "blk.1.ffn_up.weight", lambda values: values[[0, 2, 1, 4, 3, *range(5, len(values))]])


def flipped_row(path: Path) -> None:
    def flip(values: np.ndarray) -> np.ndarray:
        values[7] *= -1
        return values

    change_tensor(path, "blk.0.ffn_down.weight", flip)


def scaled_row(path: Path) -> None:
    def scale(values: np.ndarray) -> np.ndarray:
        values[7] *= np.float32(1.1)
        return values

    change_tensor(path, "blk.0.ffn_down.weight", scale)


def lost_block(path: Path) -> None:
    """Fill one block in the middle of a tensor with zeros, as a hole in a copied file leaves it."""
    tensor = read_gguf_header(path).tensor("blk.1.attn_q.weight")
    width = row_bytes(256, tensor.ggml_type)
    write_bytes(path, tensor.offset + 5 * width, bytes(width))


# Planted in a Q4_K_M file; a verdict from its content alone catches them.
QUANTIZED_FAULTS: tuple[Fault, ...] = (
    nothing, scaled_outputs, shifted_values, exchanged_rows, flipped_row, scaled_row, lost_block,
)  # fmt: skip
# What only the header says, and no text of the tokenizer check need show.
HEADER_FAULTS: tuple[Fault, ...] = (
    word_ends_turn, word_ends_message, word_ends_filling, digit_typed_control, word_typed_control, end_typed_normal,
    unexpected_key, lost_merge,
)  # fmt: skip
FAULTS: tuple[Fault, ...] = (
    nothing, wrong_template, missing_eos, wrong_eos, reordered_heads, changed_weight, wrong_rope, wrong_epsilon,
    swapped_tokens, duplicate_token, wrong_file_type, cut_off, *HEADER_FAULTS,
)  # fmt: skip


def write(trained: TrainedJob, path: Path, float_type: FloatType = "F16", source: TensorSource | None = None) -> None:
    right, config = trained_source(trained)
    chat = chat_format(load_template(trained.result_dir))
    write_gguf(source or right, config, trained.result_dir, path, float_type, trained.gguf_name, chat=chat)


def content_verdicts(trained: TrainedJob, reference: Reference, folder: Path) -> dict[str, list[dict[str, object]]]:
    """Return what reading alone says about faults in a quantised file, and about files made of the wrong weights."""
    verifier, results = Verifier(trained, reference), {}
    quantize_gguf(folder / "right.gguf", folder / "right-Q4.gguf", "Q4_K_M")
    for fault in QUANTIZED_FAULTS:
        path = folder / f"{fault.__name__}-Q4.gguf"
        shutil.copyfile(folder / "right-Q4.gguf", path)
        fault(path)
        results[f"{fault.__name__} Q4_K_M"] = contents(verifier, path, "Q4_K_M")
    quantize_gguf(folder / "right.gguf", folder / "coarse.gguf", "Q2_K")
    change_key(folder / "coarse.gguf", "general.file_type", FILE_TYPES["Q4_K_M"])
    results["coarser_named_finer Q4_K_M"] = contents(verifier, folder / "coarse.gguf", "Q4_K_M")
    write(trained, folder / "base.gguf", source=trained.base.source)
    results["not_merged F16"] = contents(verifier, folder / "base.gguf", "F16")
    for name in ("Q8_0", "Q4_K_M", "Q2_K"):
        path = folder / f"base-{name}.gguf"
        quantize_gguf(folder / "base.gguf", path, name)
        results[f"not_merged {name}"] = contents(verifier, path, name)
    shutil.copyfile(folder / "right-Q4.gguf", folder / "one.gguf")
    one_tensor_of(folder / "base-Q4_K_M.gguf", folder / "one.gguf", "blk.1.attn_v.weight")
    results["one_not_merged Q4_K_M"] = contents(verifier, folder / "one.gguf", "Q4_K_M")
    return results


def contents(verifier: Verifier, path: Path, quantization: str) -> list[dict[str, object]]:
    return [check.to_dict() for check in verifier.check_content(path, quantization)]


def one_tensor_of(source: Path, target: Path, name: str) -> None:
    """Copy one tensor into another file, where it has the same place."""
    tensor, same = read_gguf_header(source).tensor(name), read_gguf_header(target).tensor(name)
    write_bytes(target, same.offset, source.read_bytes()[tensor.offset : tensor.offset + tensor.num_bytes])


def verdict(path: Path, trained: TrainedJob, reference: Reference) -> list[dict[str, object]]:
    return [check.to_dict() for check in Verifier(trained, reference).check_model(path, "F16")]


def faulty_converter(trained: TrainedJob, reference: Reference, folder: Path) -> list[dict[str, object]]:
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


class FaultyMerge:
    """Tensors of the trained model with a small mistake in one of them, made where writer and check both read."""

    def __init__(self, source: TensorSource, wrong: str, change: Change) -> None:
        self._source, self._wrong, self._change = source, wrong, change
        self.names, self.shape = source.names, source.shape

    def read(self, name: str) -> np.ndarray:
        values = self._source.read(name)
        return self._change(values) if name == self._wrong else values


def scaled(values: np.ndarray) -> np.ndarray:
    return values * np.float32(1.004)


def first_raised(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values[:1] + np.float32(0.01), values[1:]])


# Hidden in the rounding of a sharp model, some too small for KL: only the float32 twin shows them.
SMALL_FAULTS: tuple[tuple[str, FloatType, str, Change], ...] = (
    ("none", "F16", "model.norm.weight", lambda values: values),
    ("none", "BF16", "model.norm.weight", lambda values: values),
    ("scaled_values", "F16", "model.layers.1.self_attn.v_proj.weight", scaled),
    ("changed_norm", "BF16", "model.layers.0.input_layernorm.weight", first_raised),
)


def sharp_verdicts(folder: Path) -> dict[str, list[dict[str, object]]]:
    """Verify F16 and BF16 files of a model whose predictions are so sharp that rounding alone exceeds the limit."""
    folder.mkdir()
    trained = find_trained(tiny_job("llama", folder, {}, spread=1.5))
    reference = build_reference(trained)
    right, results = trained_source, {}
    for fault, float_type, name, change in SMALL_FAULTS:
        source, config = right(trained)
        faulty = FaultyMerge(source, name, change)
        verify.trained_source = lambda trained, faulty=faulty, config=config: (faulty, config)
        path = folder / f"{fault}-{float_type}.gguf"
        write(trained, path, float_type, faulty)
        checks = Verifier(trained, reference).check_model(path, float_type)
        results[f"{fault} {float_type}"] = [check.to_dict() for check in checks]
    verify.trained_source = right
    return results


def all_verdicts(folder: Path) -> dict[str, list[dict[str, object]]]:
    """Return the checks of every planted fault, as `verify.json` has them."""
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
    return results | content_verdicts(trained, reference, folder) | sharp_verdicts(folder / "sharp")
