"""The files that a GGUF model lies in: one, or the parts of a split one; and what their headers say together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from llmlora.catalog.file_digests import digests_of
from llmlora.catalog.gguf_header import GgufHeader, GgufTensor, read_gguf_header
from llmlora.catalog.header_reader import read_ahead
from llmlora.catalog.ollama_store import parts_of_blob
from llmlora.core.errors import ModelFileError
from llmlora.core.publish import sha256_json

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_NUM_PARTS = "split.count"
MAX_PARTS = 1000
# general.file_type -> llama.cpp's name of the mix
FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS",
    20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M",
    28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip


@dataclass(frozen=True)
class GgufFiles:
    """The files of one model in their order, with checked headers; the first one's keys are the model's."""

    paths: tuple[Path, ...]
    headers: tuple[GgufHeader, ...]

    @property
    def metadata(self) -> dict[str, Any]:
        """The keys of the model."""
        return self.headers[0].metadata

    @cached_property
    def places(self) -> dict[str, tuple[Path, GgufTensor]]:
        """Every tensor by its name, with the file that holds it.

        Raises:
            ModelFileError: `gguf_invalid`, two parts have a tensor of one name.
        """
        found: dict[str, tuple[Path, GgufTensor]] = {}
        for path, header in zip(self.paths, self.headers, strict=True):
            for tensor in header.tensors:
                if tensor.name in found:
                    raise ModelFileError("gguf_invalid", path=str(path), reason="duplicate_tensor", detail=tensor.name)
                found[tensor.name] = (path, tensor)
        return found

    @property
    def num_parameters(self) -> int:
        """How many numbers its tensors hold."""
        return sum(tensor.num_elements for header in self.headers for tensor in header.tensors)

    @property
    def num_bytes(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.paths)

    @property
    def license(self) -> str | None:
        """The licence that the file names."""
        name = self.metadata.get("general.license")
        return name if isinstance(name, str) else None

    @property
    def quantization(self) -> str:
        """The name of its mix of types; that of the commonest type where the file does not say."""
        named = FILE_TYPES.get(self.metadata.get("general.file_type", -1))
        if named is not None:
            return named
        counts: dict[str, int] = {}
        for tensor in (tensor for header in self.headers for tensor in header.tensors):
            counts[tensor.ggml_type] = counts.get(tensor.ggml_type, 0) + tensor.num_elements
        return max(counts, key=lambda name: counts[name], default="?")

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the file, or of the digests of all parts; those of large files are remembered."""
        digests = digests_of(self.paths)
        return digests[0] if len(digests) == 1 else sha256_json(digests)


def read_gguf_files(path: Path) -> GgufFiles:
    """Read the headers of the model that a file belongs to; any part of a split one may be named.

    Raises:
        ModelFileError: what `read_gguf_header` refuses; `gguf_part_missing`, a part is not there or not of this model.
    """
    header = read_gguf_header(path)
    count = header.metadata.get(_NUM_PARTS, 1)
    if count == 1:
        return GgufFiles((path,), (header,))
    if not isinstance(count, int) or not 1 < count <= MAX_PARTS:
        raise ModelFileError("gguf_key_unusable", path=str(path), name=_NUM_PARTS, value=str(count)[:100])
    paths = _parts(path, count)
    read_ahead([("gguf", part) for part in paths])
    headers = [read_gguf_header(part) for part in paths]
    for number, (part, found) in enumerate(zip(paths, headers, strict=True)):
        if (found.metadata.get("split.no"), found.metadata.get(_NUM_PARTS)) != (number, count):
            raise ModelFileError("gguf_part_missing", path=str(part), number=number + 1, count=count)
    return GgufFiles(paths, tuple(headers))


@contextmanager
def named_parts(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield a path that llama.cpp loads the whole model from: it finds the parts of a split one by their names only."""
    if len(paths) == 1:
        yield paths[0]
        return
    with TemporaryDirectory() as folder:
        names = [f"model-{number:05}-of-{len(paths):05}.gguf" for number in range(1, len(paths) + 1)]
        for name, path in zip(names, paths, strict=True):
            (Path(folder) / name).symlink_to(path.absolute())
        yield Path(folder) / names[0]


def _parts(path: Path, count: int) -> tuple[Path, ...]:
    match = _PART.fullmatch(path.name)
    if match is None:
        paths = parts_of_blob(path)
    else:
        stem = match["stem"]
        paths = tuple(path.with_name(f"{stem}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1))
    missing = next((number for number, part in enumerate(paths, 1) if not part.is_file()), None)
    if missing is None and len(paths) != count:
        missing = len(paths) + 1
    if missing is not None:
        raise ModelFileError("gguf_part_missing", path=str(path), number=missing, count=count)
    return paths
