"""Give a verified file of an export to an Ollama server, and compare what it answers then with the file itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.catalog.ollama_store import find_ollama_model
from llmlora.core.errors import ConfigError, InputError, NotFound, VerificationFailed
from llmlora.core.layout import ADAPTER_GGUF, META_FILE, OLLAMA_FILE, VERIFY_FILE
from llmlora.core.publish import read_json, write_json
from llmlora.export.child import run_apart
from llmlora.export.data_samples import data_samples
from llmlora.export.merge import trained_source
from llmlora.export.modelfile_check import planned_content
from llmlora.export.ollama_gate import Expected, Gate, GateCheck, expect
from llmlora.export.served_score import ServedQuestions, files_beside, not_measured, served_questions
from llmlora.export.taught_check import CarriedFacts
from llmlora.export.verify_texts import conversations
from llmlora.inference.trained_job import TrainedJob, find_trained
from llmlora.ollama.client import OllamaClient
from llmlora.ollama.names import registered_name
from llmlora.ollama.register import Registration, register
from llmlora.ollama.versions import abilities_of

SCHEMA = "llmlora.ollama/1"
OLLAMA = "ollama:"
NOT_INHERITED = ("stop", "typical_p")  # the latter is refused by newer versions
GATE_SECONDS = 1800.0
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class PushRequest:
    """Which export to give to which server under which name.

    `base` is the model in Ollama that the adapter goes on (None: a whole model); `replace` takes a name that stands for
    something else, `force` a file that is not verified. `earlier` is what is known of facts taught before, for the
    record.
    """

    export_dir: Path
    name: str
    url: str | None = None
    system: str | None = None
    base: str | None = None
    replace: bool = False
    force: bool = False
    earlier: Mapping[str, Any] | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build a request from the `config.json` of a work folder."""
        return cls(
            export_dir=Path(config["export_dir"]),
            name=str(config["name"]),
            url=config.get("url"),
            system=config.get("system"),
            base=config.get("base"),
            replace=bool(config.get("replace")),
            force=bool(config.get("force")),
            earlier=config.get("earlier"),
        )


def push(request: PushRequest, on_progress: OnProgress, carried: CarriedFacts) -> dict[str, Any]:
    """Register, ask, compare; the result lies in `ollama.json` of the export, too. Doing it again changes nothing.

    Raises:
        NotFound: not a finished export. ConfigError, Conflict, OllamaUnavailable: as `ollama.register` says.
        VerificationFailed: the file is not verified, or the served model answers otherwise; it stays registered.
    """
    folder = request.export_dir
    try:
        meta, verified = read_json(folder / META_FILE), read_json(folder / VERIFY_FILE)
    except FileNotFoundError as error:
        raise NotFound("export_not_finished", path=str(folder)) from error
    except ValueError as error:
        raise InputError("damaged_export", path=str(folder / META_FILE)) from error
    file = ADAPTER_GGUF if request.base else str(meta["model_file"])
    entry = next((entry for entry in verified["files"] if entry["file"] == file), None)
    if entry is None:
        raise ConfigError("ollama_no_adapter_file", path=str(folder), job_dir=str(meta["job_dir"]))
    if entry["verdict"] != "verified" and not request.force:
        raise VerificationFailed("ollama_not_verified", file=file, path=str(folder / VERIFY_FILE))
    trained = find_trained(Path(meta["job_dir"]))
    registration = _registration(request, trained, folder / file, str(verified["reference"]["turn_end"]))
    record_path = folder / OLLAMA_FILE
    with OllamaClient(request.url) as client:
        earlier = _earlier(record_path, registration.name, client.url)
        begin = partial(_begin, record_path)
        record = register(client, registration, earlier, request.replace, on_progress, begin)
        report = {"schema": SCHEMA, **record, "file": file, "is_verified": entry["verdict"] == "verified"}
        report["earlier"] = request.earlier
        report["system_left_out"] = None if registration.system else inherited(trained.job.base_model).system
        write_json(record_path, report)
        taught = data_samples(trained)
        questions = served_questions(trained.job_dir, [asked for _, asked in taught.taught])
        checks = _gate(client, registration, trained, on_progress, carried, (taught.questions, questions))
    report["score"] = questions.score(next(check.measured for check in checks if check.check == "questions"), carried)
    report["files"] = files_beside(verified, file)
    base = trained.untouched_base
    report["not_measured"] = not_measured(report["files"], meta, folder, base is not None and base.path.is_file())
    report["checks"] = [check.to_dict() for check in checks]
    report["ok"] = all(check.ok is not False for check in checks)
    write_json(record_path, report)
    failed = next((check for check in checks if check.ok is False), None)
    if failed is not None:
        params = {"name": registration.name, "check": failed.check, "detail": failed.detail, "path": str(record_path)}
        raise VerificationFailed("ollama_gate_failed", **params)
    return report


def _begin(path: Path, record: dict[str, Any]) -> None:
    write_json(path, {"schema": SCHEMA, **record})


def _registration(request: PushRequest, trained: TrainedJob, file: Path, turn_end: str) -> Registration:
    content = planned_content(trained, trained_source(trained)[1], file.name, turn_end)
    kept = inherited(trained.job.base_model)
    license_name = kept.license or read_gguf_header(file).metadata.get("general.license")
    parameters = {
        name: value if isinstance(value, str | int | float) else list(value)
        for name, value in {**kept.parameters, **content.parameters}.items()
    }
    return Registration(
        name=registered_name(request.name),
        file=file,
        parameters=parameters,
        template=content.template,
        system=request.system or content.system,
        license=license_name if isinstance(license_name, str) else None,
        base=request.base,
        # what renders for the base would override a template that was chosen for the training
        **({} if trained.job.train.chat_template else kept.programs),
    )


@dataclass(frozen=True)
class Inherited:
    """What a base of Ollama's store is run with: parameters, licence, and Ollama's own `renderer` and `parser`.

    `system` is its system message, which is told of and not taken along: the model was not trained with it.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    license: str | None = None
    programs: Mapping[str, str] = field(default_factory=dict)
    system: str | None = None


def inherited(base_model: str) -> Inherited:
    """Return what a base of Ollama's store is run with; nothing of any other base.

    Not its stop words: ours are those of the training.
    """
    if not base_model.startswith(OLLAMA):
        return Inherited()
    try:
        model = find_ollama_model(base_model.removeprefix(OLLAMA))
        kept = {name: value for name, value in model.parameters.items() if name not in NOT_INHERITED}
        named = {name: model.config.get(name) for name in ("renderer", "parser")}
        programs = {name: value for name, value in named.items() if isinstance(value, str) and value}
        return Inherited(kept, model.text("license"), programs, model.text("system"))
    except (NotFound, InputError):  # gone by now, or unreadable: the file itself is what counts
        return Inherited()


def _earlier(path: Path, name: str, url: str) -> Mapping[str, Any] | None:
    """Return the record of an earlier push under the same name to the same server."""
    try:
        found = dict(read_json(path))
    except (OSError, ValueError, TypeError):
        return None
    return found if (found.get("name"), found.get("url")) == (name, url) else None


def _gate(
    client: OllamaClient,
    registration: Registration,
    trained: TrainedJob,
    on_progress: OnProgress,
    carried: CarriedFacts,
    said: tuple[Sequence[str], ServedQuestions],
) -> list[GateCheck]:
    texts, questions = said
    file, lora = registration.file, None
    if registration.base is not None:
        if not trained.base.path.is_file():
            raise ConfigError("ollama_adapter_needs_gguf", path=str(trained.base.path))
        file, lora = trained.base.path, registration.file
    on_progress("gate", 0, 1)
    shapes = conversations(texts, registration.system)
    num_ctx, system = int(registration.parameters["num_ctx"]), registration.system
    wait = partial(on_progress, "gate", 0, 1)
    expected: Expected = run_apart(
        *(expect, file, lora, shapes, questions.asked, system, num_ctx, questions.num_tokens),
        seconds=GATE_SECONDS,
        on_wait=wait,
    )
    architecture = str(read_gguf_header(file).metadata["general.architecture"])
    abilities = abilities_of(client.version())
    gate = Gate(client, registration, abilities, architecture, lambda done, total: on_progress("gate", done, total))
    return gate.run(expected, questions.asked, carried, questions.num_tokens)
