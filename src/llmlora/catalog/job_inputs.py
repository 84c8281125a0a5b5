"""What a job reads, by digest: written down when it is planned, and compared before anybody works on it."""

from __future__ import annotations

from pathlib import Path

from llmlora.catalog.base_model import BaseModel
from llmlora.core.config import TrainConfig
from llmlora.core.errors import Conflict, NotFound
from llmlora.core.job import JobConfig
from llmlora.core.publish import sha256_file


def input_digests(config: TrainConfig) -> dict[str, str]:
    """Return the digests of the further files a run reads: the template, and the adapter it starts from."""
    files = [Path(config.chat_template)] if config.chat_template is not None else []
    if config.init_adapter is not None:
        files += sorted(Path(config.init_adapter).glob("adapter_*"))
    return {str(path): sha256_file(path) for path in files if path.is_file()}


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
