"""What a job reads, by digest: written down when it is planned, and compared before anybody works on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmlora.catalog.base_model import BaseModel
from llmlora.core.bundled_templates import TEMPLATE_NAMES
from llmlora.core.config import TrainConfig
from llmlora.core.errors import Conflict, NotFound
from llmlora.core.job import DataSource, JobConfig
from llmlora.core.publish import sha256_file


def record_inputs(data: Path, eval_data: Path | None, read: Mapping[str, Any], config: TrainConfig) -> dict[str, Any]:
    """Return the fields of a job that say what it reads: `data`, `eval_data`, `inputs` (template and first adapter).

    `read` are the fields of a data source that say how its rows are read.
    """
    template = config.chat_template
    files = [Path(template)] if template is not None and template not in TEMPLATE_NAMES else []
    if config.init_adapter is not None:
        files += sorted(Path(config.init_adapter).glob("adapter_*"))
    return {
        "data": _source(data, read),
        "eval_data": _source(eval_data, read) if eval_data is not None else None,
        "inputs": {str(path): sha256_file(path) for path in files if path.is_file()},
    }


def _source(path: Path, read: Mapping[str, Any]) -> DataSource:
    return DataSource(path=str(path.absolute()), sha256=sha256_file(path), **read)


def check_job_inputs(job: JobConfig, base: BaseModel) -> None:
    """Refuse to work on a job whose base model or one of whose files is gone or different now.

    `base` is the base model as it lies there now.

    Raises:
        NotFound: a file is gone. Conflict: `data_changed`, `input_changed` (template, first adapter), `base_changed`.
    """
    # The service read the same bytes a moment ago, and all are read again: size and time of a file do not show what
    # another process wrote in between, and a digest costs about a second per gigabyte.
    for source in filter(None, (job.data, job.eval_data)):
        if _digest(source.path) != source.sha256:
            raise Conflict("data_changed", path=source.path)
    for path, digest in job.inputs.items():
        if _digest(path) != digest:
            raise Conflict("input_changed", path=path)
    if base.digest != job.base_digest:
        raise Conflict("base_changed", name=job.base_model)


def _digest(path: str) -> str:
    if not Path(path).is_file():
        raise NotFound("file_not_found", path=path)
    return sha256_file(Path(path))
