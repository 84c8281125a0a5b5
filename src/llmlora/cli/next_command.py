"""The line that ends a command: the command that comes next, ready to paste."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmlora.cli.output import options, say
from llmlora.core.assets import BASE_MODEL, DATASET, asset_path
from llmlora.core.free_place import free_place
from llmlora.core.locale import command_line, detect_language, shell_word
from llmlora.core.next_run import read_words
from llmlora.data.read import ReadOptions
from llmlora.services.next_step import NextStep, next_step

OLLAMA_NAME = "my-model"  # where nothing of a folder's name can be part of a name in Ollama


def say_next(words: str, /, **places: Any) -> None:
    """Say the next command; a language that was asked for is asked for again.

    `words` is constant: what users named, quoted already or not, goes in as `places`, for it may hold braces.
    """
    command = command_line(words, **places)
    if options.language is not None and options.language != detect_language():
        command = f"{command} --lang {options.language}"
    say("cli.next", command=command)


def after_check(file: Path, read: ReadOptions, given: Mapping[str, Any], ok: bool) -> None:
    """After a check comes training, or the same check once the file is mended."""
    if ok:
        _say_train(file, read, given)
        return
    say_next("dataset check {file!q}{more}", file=file, more=_read_words(read) + _model_words(given))


def after_preview(file: Path, read: ReadOptions, given: Mapping[str, Any]) -> None:
    """After a look at the tokens comes training with the same settings."""
    _say_train(file, read, given)


def after_convert(report: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """After a conversion comes the check of what was written, with the model that has counted its tokens."""
    length = f" --max-length {given['max_length']}" if given.get("max_length") else ""
    held_out = f" --eval-data {shell_word(report['eval_output'])}" if report["eval_output"] else ""
    say_next("dataset check {file!q}{more}", file=report["output"], more=_model_words(given) + length + held_out)


def after_train(job_dir: Path) -> None:
    """After training come questions, or the export where the data holds none, or a chat where there is no export.

    A folder that somebody took away in the meantime has no next command; the training has succeeded all the same.
    """
    _say_step(job_dir, next_step(job_dir))


def after_evaluate(job_dir: Path, base: Path | None = None) -> None:
    """After an evaluation comes the export; a chat where the model cannot be exported."""
    _say_step(job_dir, next_step(job_dir, is_evaluated=True), base)


def _say_step(job_dir: Path, step: NextStep | None, base: Path | None = None) -> None:
    if step is None:
        return
    if step.verb == "export":
        moved = f" --model {shell_word(base)}" if base else ""
        say_next("export {job!q} -o {out!q}{more}", job=job_dir, out=step.place, more=moved)
    else:
        say_next("{verb} {job!q}", verb=step.verb, job=job_dir)


def after_advice(job_dir: Path, base: Path | None, advice: Sequence[Mapping[str, Any]]) -> None:
    """After an evaluation that advises a command comes that one, and it stands there already."""
    if not any("command" in piece["params"] for piece in advice):
        after_evaluate(job_dir, base)


def after_reword(command: str) -> None:
    """After a file to fill in comes the command that takes it in; after that, training."""
    say_next("{command}", command=command)


def after_compare(result: Mapping[str, Any]) -> None:
    """After a comparison comes the evaluation that it lacks, else the export of the best job."""
    jobs = {Path(job["folder"]): job for job in result["jobs"] if job["status"] == "succeeded"}
    for folder, job in jobs.items():
        step = None if job["is_evaluated"] else next_step(folder)
        if step is not None and step.verb == "evaluate":
            _say_step(folder, step)
            return
    best = {metric["name"]: metric["best"] for metric in result["metrics"]}
    order = best["facts_remembered"] or best["eval_loss"] or best["final_loss"] or range(len(result["jobs"]))
    chosen = next((Path(result["jobs"][index]["folder"]) for index in order), None)
    if chosen in jobs:
        after_evaluate(chosen)


def after_merge(target: Path) -> None:
    """After a merge comes a chat with the model."""
    say_next("chat {place!q}", place=as_folder(target))


def after_export(target: Path, model_file: str) -> None:
    """After an export comes a chat with the file that kept the most in the least space."""
    say_next("chat {file!q}", file=target / model_file)
    say("export.ollama", folder=target, name=ollama_name(target))
    say("export.sharing", path=target / "README.md")


def after_verify(target: Path) -> None:
    """After a verification comes a chat with the file that the Modelfile names."""
    say_next("chat {place!q}", place=as_folder(target))


def after_models(model: str = BASE_MODEL) -> None:
    """After the list of models comes training of the bundled one on a bundled data set, or of one that was fetched."""
    _say_train(asset_path("datasets", DATASET), ReadOptions(), {"model": model})


def after_doctor() -> None:
    """On a machine that can train comes the demo."""
    say_next("demo")


def as_folder(place: Path) -> str:
    """Return a folder as a word that names no bundled model."""
    return str(place) if "/" in str(place) else f"./{place}"


def ollama_name(folder: Path) -> str:
    """Return a name for Ollama, which takes small ASCII letters, digits, dots and hyphens."""
    return re.sub(r"[^a-z0-9._-]+", "-", folder.absolute().name.lower()).strip("-._") or OLLAMA_NAME


def _say_train(file: Path, read: ReadOptions, given: Mapping[str, Any]) -> None:
    pairs = {"eval_data": "--eval-data", "chat_template": "--chat-template", "system": "--system"}
    words = [f" {option} {shell_word(given[name])}" for name, option in pairs.items() if given.get(name)]
    words += [" --drop-overlong"] if given.get("drop_overlong") else []
    words += [f" --set max_length={given['max_length']}"] if given.get("max_length") else []
    say_next(
        "train --model {model!q} --data {file!q}{more} --out {out!q}",
        model=given.get("model") or BASE_MODEL,
        file=file,
        more=_read_words(read) + "".join(words),
        out=free_place(Path(f"{file.stem}-job")),
    )


def _model_words(given: Mapping[str, Any]) -> str:
    return f" --model {shell_word(given['model'])}" if given.get("model") else ""


def _read_words(read: ReadOptions) -> str:
    return "".join(f" {word}" for word in read_words(read))
