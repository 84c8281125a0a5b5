"""Ask a model: one question, or a conversation with a model that stays loaded."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.errors import ModelFileError, NotFound, WorkerDied, error_from_dict
from llmlora.core.generate_options import GenerateOptions
from llmlora.core.job import EXPORT_SCHEMA, folder_schema
from llmlora.core.job import SCHEMA as JOB_SCHEMA
from llmlora.core.layout import ADAPTER_DIR, LOG_FILE, META_FILE, MODEL_DIR, run_dir, run_numbers
from llmlora.core.publish import read_json
from llmlora.services.follow import OnEvent
from llmlora.services.launch import Worker, scratch_folder
from llmlora.services.supervisor import run_worker


@dataclass(frozen=True)
class ModelLocation:
    """What to load: kind `job` (base + trained weights), `base` (a model folder) or `gguf` (a file)."""

    kind: str
    path: Path

    @property
    def worker_kind(self) -> str:
        """The kind of worker that runs it."""
        return "chat_gguf" if self.kind == "gguf" else "chat"

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
    on_event: OnEvent | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Ask one question and return `text`, `finish_reason` (stop or length) and `num_tokens`.

    A model that was trained on prompt/completion or text rows is asked with the last user's text alone: `system` and
    earlier turns are not shown to it. `on_event` gets the worker's events; `ready` says so by `is_raw`.
    `options` are fields of `GenerateOptions`: max_new_tokens, temperature, top_p, repetition_penalty, seed, stop.
    """
    GenerateOptions(**options)  # a wrong value is refused before a model is loaded
    conversation = list(messages or []) + ([{"role": "user", "content": prompt}] if prompt is not None else [])
    if system:
        conversation.insert(0, {"role": "system", "content": system})
    location = locate_model(model)
    config = {"model": location.to_dict(), "requests": [{"messages": conversation, **options}]}
    with scratch_folder({"kind": location.worker_kind, **config}) as folder, _native_failures(location, folder):
        return dict(run_worker(location.worker_kind, folder, on_event)["replies"][0])


class ChatSession:
    """A model that stays loaded in a worker process; use it in a `with` block.

    `is_raw`, known inside the block, tells that the model is asked with the last user's text alone.
    """

    def __init__(self, model: str) -> None:
        self._location = locate_model(model)
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
        worker = self._worker
        if worker is None or worker.process.stdin is None:
            raise WorkerDied("worker_died", kind="chat", exit_code=0, folder="")
        self._num_asked += 1
        number = self._num_asked
        GenerateOptions(**options)
        request = {"id": number, "messages": list(messages), **options}
        try:
            worker.process.stdin.write((json.dumps(request) + "\n").encode())
            worker.process.stdin.flush()
        except BrokenPipeError:
            pass  # the worker has ended; its last event says why

        def is_answer(event: dict[str, Any]) -> bool:
            if event["type"] != "sample" or event["id"] != number:
                return False
            if on_text and "text" in event:
                on_text(event["text"])
            return "reply" in event or "error" in event

        event = self._follow(worker, is_answer)
        if "error" in event:
            raise error_from_dict(event["error"])
        return dict(event["reply"])

    def close(self) -> None:
        """End the worker and remove its folder."""
        worker, self._worker = self._worker, None
        if worker is not None:
            for stream in (worker.process.stdin, worker.process.stdout):
                if stream is not None:
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
        if location.kind != "gguf" or not isinstance(code, int) or code >= 0:
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
