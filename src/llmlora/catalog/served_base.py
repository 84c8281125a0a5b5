"""Whether what a job trained can be run as it lies there: its base's very GGUF file with the adapter beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from llmlora.catalog.adapter_folder import read_adapter_folder
from llmlora.catalog.ollama_store import parts_of_blob
from llmlora.core.job import JobConfig, trained_dir
from llmlora.core.lora import merge_reason

_LOW_RANK: Final = re.compile(r"(?P<module>.+)\.lora_[AB]\.weight")
_OUTPUT_HEADS: Final = ("lm_head", "embed_out")  # may share the embedding's tensor, which no adapter changes alone


def served_base(job: JobConfig, job_dir: Path) -> Path | None:
    """Return the GGUF file that llama.cpp can put the job's adapter on; None where it has to be loaded otherwise.

    That is so where the base is a folder, lies in parts under names that llama.cpp does not know, or the adapter is
    more than low-rank changes of matrices inside the layers.

    Raises:
        NotFound: the job has not finished, or its adapter is gone. ModelFileError: its adapter is damaged.
    """
    base = Path(job.base_dir)
    if job.method == "full" or not base.is_file() or len(parts_of_blob(base)) > 1:
        return None
    adapter = read_adapter_folder(trained_dir(job_dir))
    if merge_reason(adapter.config) is not None:
        return None
    names = [tensor.name for tensor in adapter.tensors]
    return base if names and all(_is_inside(name) for name in names) else None


def _is_inside(name: str) -> bool:
    found = _LOW_RANK.fullmatch(name)
    return found is not None and not found["module"].endswith(_OUTPUT_HEADS)
