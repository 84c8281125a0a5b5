"""Check that the Modelfile of an export says what was meant: which file, template, system text and parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmlora.core.layout import GENERATION_FILE
from llmlora.core.publish import read_json
from llmlora.export.check import Check, failed, passed
from llmlora.export.modelfile import ModelfileContent, default_parameters, go_template, modelfile_text
from llmlora.gguf.architectures import architecture_of
from llmlora.inference.trained_job import TrainedJob

WITHOUT_EFFECT = ("LICENSE",)  # a text that is shown, and changes no answer
QUOTES = '"""'

Entry = tuple[str, str]


def planned_content(trained: TrainedJob, config: dict[str, Any], model_file: str, turn_end: str) -> ModelfileContent:
    """Return what the Modelfile of a trained model says; `turn_end` is the text that ends an answer."""
    path = trained.weights.tokenizer_dir / GENERATION_FILE
    generation = read_json(path) if path.is_file() else {}
    context, template = architecture_of(config).context_length(config), trained.template
    return ModelfileContent(
        model=model_file,
        template=go_template(
            lambda messages: template.render(messages, add_generation_prompt=True), template.tokenizer.bos_token
        ),
        system=None if template.is_raw else trained.job.train.system,
        parameters=default_parameters(generation, [turn_end], context),
    )


def check_modelfile(path: Path, content: ModelfileContent) -> Check:
    """Compare a Modelfile with what was meant, value by value; comments and their order do not matter."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return failed("modelfile", "missing_file", path.name, {})
    except ValueError as error:
        return failed("modelfile", "modelfile", str(error)[:200], {})
    found = sorted(entry for entry in read_modelfile(text) if entry[0] not in WITHOUT_EFFECT)
    expected = sorted(read_modelfile(modelfile_text(content)))
    measured = {"num_values": len(expected)}
    if found == expected:
        return passed("modelfile", measured)
    missing = [entry for entry in expected if entry not in found]
    others = [entry for entry in found if entry not in expected] or found[len(expected) :]
    return failed("modelfile", "modelfile", f"{_shown(missing)} != {_shown(others)}", measured)


def read_modelfile(text: str) -> list[Entry]:
    """Return the commands of a Modelfile with their values, as Ollama reads them; a parameter's name is in its command.

    Commands and names may be written in any case, numbers in any form; a value in quotes may be several lines long.
    """
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    return [entry for line in lines if (entry := _entry(line, lines)) is not None]


def _entry(line: str, lines: Iterator[str]) -> Entry | None:
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    command, value = _first_word(line)
    command = command.upper()
    if command == "PARAMETER":
        name, value = _first_word(value)
        command = f"{command} {name.lower()}"
    value = _quoted_value(value, lines)
    return command, _normal(command, value)


def _first_word(text: str) -> tuple[str, str]:
    words = text.strip().split(maxsplit=1) if not text.lstrip().startswith('"') else [text]
    if len(words) < 2:
        return (words or [""])[0], ""
    return words[0], text.lstrip()[len(words[0]) :].lstrip(" \t")


def _quoted_value(value: str, lines: Iterator[str]) -> str:
    if value.startswith(QUOTES):
        value = value[len(QUOTES) :]
        while not value.rstrip().endswith(QUOTES):
            following = next(lines, None)
            if following is None:
                return value
            value = f"{value}\n{following}"
        return value.rstrip()[: -len(QUOTES)]
    value = value.rstrip()
    return value[1:-1] if len(value) > 1 and value.startswith('"') and value.endswith('"') else value


def _normal(command: str, value: str) -> str:
    """Return one form for what means the same: numbers, and a file with or without its folder."""
    if command == "FROM":
        return value.removeprefix("./")
    if not command.startswith("PARAMETER") or command == "PARAMETER stop":
        return value
    try:
        return repr(float(value))
    except ValueError:
        return value


def _shown(entries: list[Entry]) -> str:
    return ", ".join(f"{command} {value!r}"[:100] for command, value in entries[:3]) or "-"
