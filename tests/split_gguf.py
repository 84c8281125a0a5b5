"""Split a GGUF file into parts as llama.cpp's `gguf-split` does: the first has the keys, all say which they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from llmlora.catalog.gguf_header import GgufTensor, read_gguf_header
from llmlora.gguf.container import TensorPlan, write_container

U16, I32 = 2, 5


def split_file(path: Path, folder: Path, num_parts: int) -> list[Path]:
    """Write `model-0000N-of-0000M.gguf` into a folder and return the paths."""
    header = read_gguf_header(path)
    types = {**header.value_types, "split.no": (U16, U16), "split.count": (U16, U16), "split.tensors.count": (I32, I32)}
    written = []
    for part in range(num_parts):
        place = {"split.no": part, "split.count": num_parts, "split.tensors.count": len(header.tensors)}
        keys = {**(header.metadata if part == 0 else {}), **place}
        plans = [
            TensorPlan(tensor.name, tensor.shape, tensor.ggml_type, partial(_bytes, path, tensor))
            for tensor in header.tensors[part::num_parts]
        ]
        written.append(folder / f"model-{part + 1:05}-of-{num_parts:05}.gguf")
        write_container(written[-1], keys, plans, types)
    return written


def _bytes(path: Path, tensor: GgufTensor) -> Iterator[np.ndarray]:
    yield np.fromfile(path, np.uint8, tensor.num_bytes, offset=tensor.offset)
