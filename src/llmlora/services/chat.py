"""Ask a model: one question, or a conversation with a model that stays loaded."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.errors import ModelFileError, NotFound, WorkerDied, error_from_dict
from llmlora.core.generate_options import GenerateOptions
from llmlora.core.job import EXPORT_SCHEMA, folder_schema
from llmlora.core.job import SCHEMA as JOB_SCHEMA
from llmlora.core.layout import ADAPTER_DIR, EVENTS_FILE, LOG_FILE, META_FILE, MODEL_DIR, run_dir, run_numbers
from llmlora.core.publish import read_json
from llmlora.services.follow import Event, OnEvent
from llmlora.services.launch import Worker, scratch_folder
from llmlora.services.supervisor import run_worker


@dataclass(frozen=True)
class ModelLocation:
    """What to load: kind `job` (base + trained weights), `job_base` (what a job began with), `base` (a model folder),
    `base_4bit` (the same, quantised as it is loaded) or `gguf` (a file).
    """

    kind: str
    path: Path
    job_dir: Path | None = None  # of kind `served`, a base's GGUF file: whose adapter is put on it
    has_adapter: bool = True  # else that job's base is asked as it began

    @property
    def worker_kind(self) -> str:
        """The kind of worker that runs it."""
        return {"gguf": "chat_gguf", "served": "chat_served"}.get(self.kind, "chat")

    @property
    def process(self) -> ModelLocation:
        """What one process loads: all jobs on one file share it."""
        return ModelLocation(self.kind, self.path)

    @property
    def choice(self) -> dict[str, Any]:
        """What a request has to say so that this job answers."""
        return {} if self.job_dir is None else {"job_dir": str(self.job_dir), "has_adapter": self.has_adapter}

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form for the worker."""
        return {"kind": self.kind, "path": str(self.path.absolute())}


def locate_model(model: str) -> ModelLocation:
    """Find what a model argument means: a job folder, an export folder, a GGUF file, a bundled name or a model folder.

    Raises:
        NotFound: nothing of that name exists.
    """
    path = Path(model)
    if path.suffix.lower() == ".gguf":
        if not path.is_file():
            raise NotFound("file_not_found", path=model)
        return ModelLocation("gguf", path)
    if path.name in (ADAPTER_DIR, MODEL_DIR) and folder_schema(path.parent) == JOB_SCHEMA:
        path = path.parent
    schema = folder_schema(path)
    if schema == JOB_SCHEMA:
        return ModelLocation("job", path)
    if schema == EXPORT_SCHEMA:
        return ModelLocation("gguf", _exported_file(path))
    try:
        base = resolve_base_model(model)
        return ModelLocation("gguf" if base.path.is_file() else "base", base.path)
    except NotFound:
        if not path.is_dir():
            raise
    # a folder named without a slash: bundled names come first, but here nothing else can be meant
    return ModelLocation("base", resolve_base_model(str(path.absolute())).path)


def chat(
    model: str,
    prompt: str | None = None,
    *,
    messages: Sequence[dict[str, str]] | None = None,
    system: str | None = None,
    load_in_4bit: bool = False,
    on_event: OnEvent | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Ask one question and return `text`, `finish_reason` (stop or length) and `num_tokens`.

    A model that was trained on prompt/completion or text rows is asked with the last user's text alone: `system` and
    earlier turns are not shown to it. `load_in_4bit` holds the matrices of a model folder in 4-bit blocks (Q4_K), in a
    fifth of the memory; a job is held as it was trained, and a GGUF file is run as it is. `on_event` gets the worker's
    events; `ready` says so by `is_raw`.
    `options` are fields of `GenerateOptions`: max_new_tokens, temperature, top_p, repetition_penalty, seed, stop.
    """
    GenerateOptions(**options)  # a wrong value is refused before a model is loaded
    conversation = list(messages or []) + ([{"role": "user", "content": prompt}] if prompt is not None else [])
    if system:
        conversation.insert(0, {"role": "system", "content": system})
    location = locate_model(model)
    if load_in_4bit and location.kind == "base":
        location = replace(location, kind="base_4bit")
    config = {"model": location.to_dict(), "requests": [{"messages": conversation, **options}]}
    with scratch_folder({"kind": location.worker_kind, **config}) as folder, _native_failures(location, folder):
        return dict(run_worker(location.worker_kind, folder, on_event)["replies"][0])


class ChatSession:
    """A model that stays loaded in a worker process; use it in a `with` block.

    `is_raw`, known inside the block, tells that the model is asked with the last user's text alone.
    """

    def __init__(self, model: str | ModelLocation) -> None:
        self._location = locate_model(model) if isinstance(model, str) else model
        self._stack = ExitStack()
        self._worker: Worker | None = None
        self._num_asked = 0
        self.is_raw = False

    def __enter__(self) -> Self:
        folder = self._stack.enter_context(
            scratch_folder({"kind": self._location.worker_kind, "model": self._location.to_dict()})
        )
        worker = self._worker = Worker(self._location.worker_kind, folder, pipes=True)
        try:
            with _native_failures(self._location, folder):
                ready = self._follow(worker, lambda event: event["type"] == "phase" and event["name"] == "ready")
            self.is_raw = bool(ready.get("is_raw"))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(
        self, messages: Sequence[dict[str, str]], on_text: Callable[[str], None] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Answer a conversation; `on_text` gets the reply piece by piece. Returns what `chat` returns."""
        GenerateOptions(**options)
        self._num_asked += 1
        return self.request(
            {"id": self._num_asked, "messages": list(messages), **options},
            lambda sample: on_text(sample["text"]) if on_text and "text" in sample else None,
        )

    def request(self, request: dict[str, Any], on_sample: Callable[[Event], None]) -> dict[str, Any]:
        """Answer one request of the worker's protocol, `id` included; `on_sample` gets each `sample` event of it.

        Raises:
            LlmloraError: what the request was refused for; `WorkerDied` when the process has ended.
        """
        worker = self._worker
        if worker is None:
            raise WorkerDied("worker_died", kind="chat", exit_code=0, folder="")
        self._write(request)

        def is_answer(event: Event) -> bool:
            if event["type"] != "sample" or event["id"] != request["id"]:
                return False
            on_sample(event)
            return "reply" in event or "error" in event

        event = self._follow(worker, is_answer)
        if "error" in event:
            raise error_from_dict(event["error"])
        return dict(event["reply"])

    def cancel(self, identifier: Any) -> None:
        """Take a request back, also one that has not been sent yet; any thread may do that."""
        self._write({"cancel": identifier})

    def _write(self, message: dict[str, Any]) -> None:
        worker = self._worker
        if worker is None or worker.process.stdin is None:
            return
        with suppress(OSError, ValueError):  # the worker has ended, and its last event says why; or it was closed
            worker.process.stdin.write((json.dumps(message) + "\n").encode())
            worker.process.stdin.flush()

    @property
    def pid(self) -> int | None:
        """The process that holds the model, None before there is one; it may have ended."""
        worker = self._worker
        return None if worker is None else worker.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended; only for the thread that asks."""
        worker = self._worker
        return worker is not None and worker.process.poll() is None

    @property
    def num_event_bytes(self) -> int:
        """The size of what the worker has written into its scratch folder."""
        worker = self._worker
        path = None if worker is None else run_dir(worker.folder, worker.run) / EVENTS_FILE
        return path.stat().st_size if path is not None and path.is_file() else 0

    def kill(self) -> None:
        """End the process at once, also while it loads or answers; any thread may do that. `close` has to follow."""
        worker = self._worker
        if worker is not None:
            worker.process.kill()

    def close(self) -> None:
        """End the worker and remove its folder."""
        worker, self._worker = self._worker, None
        if worker is not None:
            for stream in filter(None, (worker.process.stdin, worker.process.stdout)):
                with suppress(OSError):  # what could not be written any more
                    stream.close()
            worker.stop()
            worker.process.wait()
        self._stack.close()

    def _follow(self, worker: Worker, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for event in worker.events:
            if is_wanted(event):
                return event
            if event["type"] == "run_ended" and event.get("error"):
                raise error_from_dict(event["error"])
        code = worker.process.wait()
        raise WorkerDied("worker_died", kind="chat", exit_code=code, folder=str(worker.folder))


@contextmanager
def _native_failures(location: ModelLocation, folder: Path) -> Iterator[None]:
    """Name the GGUF file on which llama.cpp ended the worker, with the reason from the worker's log."""
    try:
        yield
    except WorkerDied as error:
        code = error.params.get("exit_code")
        if location.worker_kind == "chat" or not isinstance(code, int) or code >= 0:
            raise
        detail = _last_words(folder) or signal.Signals(-code).name
        raise ModelFileError("gguf_load_failed", path=str(location.path), detail=detail) from error


def _last_words(folder: Path) -> str:
    """Return the line in which native code said why it ended the newest run of a folder."""
    try:
        log = run_dir(folder, run_numbers(folder)[-1]) / LOG_FILE
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, IndexError):
        return ""
    return next((line.strip()[-300:] for line in lines if "ASSERT" in line), "")


def _exported_file(folder: Path) -> Path:
    try:
        return folder / str(read_json(folder / META_FILE)["model_file"])
    except FileNotFoundError as error:
        raise NotFound("export_not_finished", path=str(folder)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError("damaged_export", path=str(folder / META_FILE)) from error
