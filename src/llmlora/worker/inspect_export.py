"""Worker kind `inspect_export`: what the small files of a model folder tell: can it become a GGUF file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import ExportError, ModelFileError
from llmlora.core.events import EventWriter
from llmlora.gguf.writer import foresee_gguf
from llmlora.weights.base import open_base
from llmlora.worker.frame import StopFlag
from llmlora.worker.limits import Limits, limit_process

# What makes a model unfit for training, too, because nothing that llmlora makes of it could be used.
REFUSED = ("tokenizer_no_bytes",)


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Return why the model of `base_dir` cannot be exported (`refusal`, an error), or null when it can.

    Raises:
        ModelFileError: one of REFUSED.
    """
    limit_process(Limits(**config["limits"]))
    base = open_base(Path(config["base_dir"]))
    try:
        foresee_gguf(base.source, base.config, base.tokenizer_dir)
    except ExportError as error:
        return {"refusal": error.to_dict()}
    except ModelFileError as error:
        if error.code in REFUSED:
            raise
        # else older tokenizer files: training writes the tokenizer.json that export reads
    return {"refusal": None}
