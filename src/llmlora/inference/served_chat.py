"""Chat with what jobs trained on one GGUF file: that very file, read only, and beside it an adapter for each job.

Nothing is merged and nothing copied: an adapter becomes a GGUF adapter of a few megabytes, which each request chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llmlora.catalog.job_base import find_base
from llmlora.core.errors import ConfigError
from llmlora.core.job import read_job, trained_dir
from llmlora.gguf.lora import write_lora_gguf
from llmlora.inference.chat import ChatReply, ChatRequest, OnText, OnToken
from llmlora.inference.llamacpp_chat import LlamaCppChat
from llmlora.prepare.template import ChatTemplate, load_template
from llmlora.weights.base import open_gguf


@dataclass(frozen=True)
class _Served:
    """What a job brings to its base: its adapter as a GGUF file, and how it is asked."""

    adapter: Path
    template: ChatTemplate
    turn_end: str


class ServedChat:
    """A base's GGUF file with the adapters of the jobs that were asked for; implements `ChatModel`.

    `scratch` is a folder for the adapters' GGUF files, which live as long as this.
    """

    is_raw = False  # that is a matter of the job that is asked, not of the file

    def __init__(self, base_file: Path, scratch: Path) -> None:
        self._chat = LlamaCppChat(base_file)
        self._scratch = scratch
        self._jobs: dict[Path, _Served] = {}

    def chat(self, request: ChatRequest, on_text: OnText | None = None, on_token: OnToken | None = None) -> ChatReply:
        """Answer one request as its job was trained to be asked.

        Raises:
            ConfigError: no job is named, or the prompt is empty or fills the whole context.
            NotFound, ExportError, ModelFileError: the job, its base or its adapter cannot be used.
        """
        if request.job_dir is None:
            raise ConfigError("bad_chat_request")
        job = self._job(request.job_dir)
        self._chat.use_lora(job.adapter if request.has_adapter else None)
        encoder = job.template.encoder
        if request.messages is not None:
            ids = job.template.prompt_ids(request.messages)
        else:
            ids = encoder.with_bos(encoder.encode(request.prompt or ""))
        return self._chat.answer(ids, request, on_text, on_token, job.turn_end)

    def use_threads(self, number: int) -> None:
        """Compute with that many threads from the next request on; a small model goes on with one."""
        self._chat.use_threads(number)

    def close(self) -> None:
        """Free the model."""
        self._chat.close()

    def _job(self, job_dir: Path) -> _Served:
        if job_dir not in self._jobs:
            job, folder = read_job(job_dir), trained_dir(job_dir)
            base = open_gguf(find_base(job).path)
            adapter = self._scratch / f"{job.id}.gguf"
            write_lora_gguf(folder, base.config, adapter)
            template = load_template(folder)
            turn_end = str(template.tokenizer.convert_ids_to_tokens(template.turn_end_id))
            self._jobs[job_dir] = _Served(adapter, template, turn_end)
        return self._jobs[job_dir]
