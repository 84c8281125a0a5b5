"""Make a quantised GGUF file from a float one, row by row with several threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llmlora.catalog.gguf_header import GgufHeader, GgufTensor, read_gguf_header
from llmlora.catalog.model_folder import EMBEDDING_NAME, HEAD_NAME
from llmlora.core.errors import ConfigError, ExportError, ModelFileError
from llmlora.core.machine import usable_cores
from llmlora.core.quantizations import QUANTIZATIONS, require_quantizations
from llmlora.gguf.backends import backend_for
from llmlora.gguf.blocks import Blocks, dequantize_rows, row_bytes
from llmlora.gguf.container import OnProgress, TensorPlan, tensor_bytes, write_container
from llmlora.gguf.conversion import ConvertedTensor
from llmlora.gguf.mix import FLOAT_TYPES, MIX_TYPES, MixModel, fitting_type, tensor_type
from llmlora.gguf.writer import FILE_TYPES, LARGEST_FLOAT16, QUANTIZATION_VERSION, encode_float

_VALUES_AT_ONCE = 1 << 22
# A block keeps its largest value, or its smallest, as a 16-bit number times at least 8 steps, in these types times one.
SCALE_STEPS = {"Q4_1": 1, "Q5_1": 1}


@dataclass(frozen=True)
class QuantizeReport:
    """What was made: the type of every tensor, the backends used, the size of the file."""

    quantization: str
    tensor_types: dict[str, str]
    backends: tuple[str, ...]
    num_bytes: int


def available_quantizations() -> tuple[str, ...]:
    """Return the quantizations this machine can make."""
    return tuple(name for name in QUANTIZATIONS if all(backend_for(kind) for kind in MIX_TYPES.get(name, ())))


def planned_types(header: GgufHeader, quantization: str) -> dict[str, str]:
    """Return the type of every tensor that a quantization of this file would have."""
    model = MixModel.of(header)
    return {tensor.name: tensor_type(tensor, quantization, model) for tensor in header.tensors}


def estimate_size(header: GgufHeader, quantization: str) -> int:
    """Return the bytes a quantization of this file will take, exact but for a few bytes of alignment."""
    types = planned_types(header, quantization)
    return header.data_offset + sum(tensor_bytes(tensor.shape, types[tensor.name]) for tensor in header.tensors)


def quantize_gguf(
    source: Path,
    output: Path,
    quantization: str,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> QuantizeReport:
    """Write `source` (F32, F16 or BF16) to `output` in another quantization; the caller publishes the file.

    Raises:
        ConfigError: `unknown_quantization`, or one this machine cannot make.
        ModelFileError: `source` is broken, holds NaN or infinity, or is already quantised.
        ExportError: `block_overflow`, a weight is too large for the type.
    """
    require_quantizations([quantization], available_quantizations())
    header = read_gguf_header(source)
    quantised = [tensor for tensor in header.tensors if tensor.ggml_type not in FLOAT_TYPES]
    if quantised:
        raise ModelFileError("gguf_already_quantized", path=str(source), type=quantised[0].ggml_type)
    types = planned_types(header, quantization)
    metadata = dict(header.metadata)
    metadata["general.file_type"] = FILE_TYPES[quantization]
    metadata["general.quantization_version"] = QUANTIZATION_VERSION
    metadata.pop("general.alignment", None)
    threads = threads or usable_cores()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        worker = _Worker(source, pool, threads)
        plans = [worker.plan(tensor, types[tensor.name]) for tensor in header.tensors]
        write_container(output, metadata, plans, header.value_types, on_progress)
    return QuantizeReport(quantization, types, tuple(sorted(worker.backends)), output.stat().st_size)


def plan_tensor(tensor: ConvertedTensor, kind: str) -> TensorPlan:
    """Return how a tensor is written in a type, straight from float32."""
    return TensorPlan(tensor.name, tensor.shape, kind, lambda: _encoded(tensor, kind))


def matrix_in_blocks(name: str, values: np.ndarray) -> Blocks | None:
    """Return a float32 matrix in blocks of about 4 bits, embeddings and output layers of 6; None when no block fits.

    `name` is its Hugging Face name. The types are those that most tensors have in a file of Q4_K_M.

    Raises:
        ExportError: `block_overflow`, a weight is too large for the type.
    """
    length = values.shape[-1]
    is_end = EMBEDDING_NAME.search(name) or HEAD_NAME.search(name)
    ggml_type = fitting_type("Q6_K" if is_end else "Q4_K", length)
    backend = backend_for(ggml_type)
    if backend is None:
        return None
    _check_fits(name, values, ggml_type)
    step = max(1, _VALUES_AT_ONCE // length)
    pieces = [backend[1](values[start : start + step], ggml_type) for start in range(0, len(values), step)]
    raw = np.concatenate([piece.reshape(-1) for piece in pieces])
    return Blocks(ggml_type, raw.reshape(len(values), row_bytes(length, ggml_type)))


def _check_fits(name: str, values: np.ndarray, ggml_type: str) -> None:
    largest = float(np.abs(values).max(initial=0.0))
    if largest > LARGEST_FLOAT16 * SCALE_STEPS.get(ggml_type, 8):
        raise ExportError("block_overflow", name=name, value=f"{largest:.6g}", type=ggml_type)


def _encoded(tensor: ConvertedTensor, kind: str) -> Iterator[np.ndarray]:
    backend = backend_for(kind)
    if backend is None:
        yield from encode_float(tensor.name, tensor.read(), kind)
        return
    values = tensor.read()
    step = max(1, _VALUES_AT_ONCE // values.shape[-1])
    for start in range(0, len(values), step):
        yield backend[1](values[start : start + step], kind)


class _Worker:
    """Reads rows of one file and turns them into blocks on the pool's threads."""

    def __init__(self, source: Path, pool: ThreadPoolExecutor, threads: int) -> None:
        self._source = source
        self._pool = pool
        self._threads = threads
        self.backends: set[str] = set()

    def plan(self, tensor: GgufTensor, ggml_type: str) -> TensorPlan:
        """Return how a tensor is written."""
        return TensorPlan(tensor.name, tensor.shape, ggml_type, lambda: self._chunks(tensor, ggml_type))

    def _chunks(self, tensor: GgufTensor, ggml_type: str) -> Iterator[np.ndarray]:
        if ggml_type in FLOAT_TYPES:
            for rows in self._rows(tensor):
                yield from encode_float(tensor.name, rows, ggml_type)
            return
        backend = backend_for(ggml_type)
        if backend is None:  # a type of single tensors, which no name of a file stands for
            known = ", ".join(available_quantizations())
            raise ConfigError("unknown_quantization", names=ggml_type, known=known, near="-")
        name, quantize = backend
        self.backends.add(name)
        for rows in self._rows(tensor):
            _check_fits(tensor.name, rows, ggml_type)
            yield from self._pool.map(lambda part: quantize(part, ggml_type), self._parts(rows))

    def _rows(self, tensor: GgufTensor) -> Iterator[np.ndarray]:
        length = tensor.shape[-1]
        num_rows = int(np.prod(tensor.shape[:-1], dtype=np.int64))
        step = max(1, _VALUES_AT_ONCE // length)
        width = row_bytes(length, tensor.ggml_type)
        for start in range(0, num_rows, step):
            count = min(step, num_rows - start)
            offset = tensor.offset + start * width
            raw = np.fromfile(self._source, dtype=np.uint8, count=count * width, offset=offset)
            rows = dequantize_rows(raw, tensor.ggml_type).reshape(count, length)
            if not np.isfinite(rows).all():
                raise ModelFileError("weights_not_finite", path=str(self._source), name=tensor.name)
            yield rows

    def _parts(self, rows: np.ndarray) -> Sequence[np.ndarray]:
        return [part for part in np.array_split(rows, self._threads) if len(part)]
