"""A tiny quantised GGUF base and the folder that it was converted into: what a job on a GGUF file stands on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from safetensors.numpy import save_file

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.export.stitch import iter_bytes
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.gguf_source import GgufSource
from llmlora.gguf.quantize import quantize_gguf
from llmlora.gguf.writer import write_gguf
from llmlora.weights.base import open_folder


def gguf_base(folder: Path, output: Path, quantization: str = "Q4_0", extra: dict[str, Any] | None = None) -> None:
    """Write the model of `folder` as a quantised file, and put what that holds into the folder; `extra` are keys."""
    base, whole, plain = open_folder(folder), output.with_suffix(".f16"), output.with_suffix(".plain")
    write_gguf(base.source, base.config, folder, whole, "F16", "Original")
    quantize_gguf(whole, plain, quantization)
    header = read_gguf_header(plain)
    tensors = [
        TensorPlan(tensor.name, tensor.shape, tensor.ggml_type, partial(iter_bytes, plain, tensor))
        for tensor in header.tensors
    ]
    write_container(output, {**header.metadata, **(extra or {})}, tensors, header.value_types)
    source = GgufSource(output)
    save_file({name: source.read(name) for name in source.names()}, folder / "model.safetensors", {"format": "pt"})
    whole.unlink()
    plain.unlink()
