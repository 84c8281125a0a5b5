"""`llmlora plan`: what a training run would do and need, and whether it fits this machine, before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape

from llmlora.cli import train_options as options_of
from llmlora.cli.next_command import say_next
from llmlora.cli.output import out, print_json
from llmlora.cli.progress import time_range
from llmlora.cli.words import columns_of, settings_of
from llmlora.core.errors import ResourceError
from llmlora.core.locale import shell_word, translate
from llmlora.core.next_run import settings_words
from llmlora.data.read import read_options
from llmlora.services.ask_training import ask_training
from llmlora.services.replay import MixingPlace, with_replay
from llmlora.services.training_plan import request_plan

Json = Annotated[bool, typer.Option("--json", help=translate("data.option.json"))]
Probe = Annotated[bool, typer.Option("--probe", help=translate("cli.plan.probe"))]


def plan(
    recipe: options_of.Recipe = None,
    model: options_of.Model = None,
    data: options_of.Data = None,
    preset: options_of.Preset = None,
    training_preset: options_of.TrainingPreset = None,
    settings: options_of.Settings = None,
    eval_data: options_of.EvalData = None,
    init_adapter: options_of.InitAdapter = None,
    chat_template: options_of.ChatTemplate = None,
    system: options_of.System = None,
    drop_overlong: options_of.DropOverlong = False,
    data_format: options_of.Format = None,
    columns: options_of.Columns = None,
    encoding: options_of.Encoding = None,
    probe: Probe = False,
    as_json: Json = False,
) -> int:
    """Tell what training would need; exit code 0 when it fits, 1 when it does not."""
    given = {
        "init_adapter": init_adapter,
        "chat_template": chat_template,
        "system": system,
        "drop_overlong": drop_overlong or None,
    }
    overrides = options_of.overrides(settings, given)
    read = read_options(data_format, columns_of(columns), encoding)
    choices = {"preset": preset, "training_preset": training_preset, "settings": overrides}
    asked = ask_training(recipe, model, data, eval_data, read, choices)
    with MixingPlace() as place:
        found = request_plan(with_replay(asked, None, place), probe)
    if as_json:
        print_json("plan", {"base_model": asked.base_model, "data": str(asked.data), **found})
        return 0 if found["fits"] else ResourceError.exit_code
    _print_plan(found)
    words = _words(
        {"": recipe, "--model": model, "--data": data, "--eval-data": eval_data, "--preset": preset}
        | {"--training-preset": training_preset, "--init-adapter": init_adapter, "--chat-template": chat_template}
        | {"--system": system, "--format": data_format, "--encoding": encoding}
    )
    words += [f"--map {shell_word(word)}" for word in columns or ()] + ["--drop-overlong"] * drop_overlong
    return _say_verdict(found, words, settings_of(settings))


def _print_plan(found: Mapping[str, Any]) -> None:
    """Show the amounts, what they are for, and what is known to go wrong."""
    share = 100 * found["learned_tokens"] / max(1, found["tokens"])
    counts = {name: found[name] for name in ("tokens", "learned_tokens", "rows", "rows_truncated")}
    _line("tokens", **counts, percent=f"{share:.0f}")
    _line("steps", steps=found["steps"], rows=found["train_rows"], batch=found["effective_batch"])
    if found["minutes"] is not None:
        _line(
            "time" if found["probe"] is None else "time_probed",
            time=time_range(60 * found["minutes"]["low"], 60 * found["minutes"]["high"]),
        )
    if found["memory"] is not None:
        _line("memory", **found["memory"])
    _line("disk", **found["disk"])
    _line("license", license=found["license"] or "?")
    for warning in found["warnings"]:
        out.print(f"[yellow]! {escape(warning['text'] or warning['code'])}[/yellow]")


def _line(name: str, **values: Any) -> None:
    out.print(escape(translate(f"plan.{name}", **values)))


def _say_verdict(found: Mapping[str, Any], words: list[str], settings: Mapping[str, Any]) -> int:
    """Say whether it fits, and the command that trains: as it was asked for, or with what makes it fit."""
    change = found["change"] or {}
    if found["fits"]:
        out.print(f"[green]{escape(translate('plan.fits'))}[/green]")
    else:
        for problem in found["problems"]:
            out.print(f"[red]{escape(problem['detail'])}[/red]")
        text = translate("plan.change", settings=settings_words(change)) if change else translate("plan.no_change")
        out.print(escape(text))
    if found["fits"] or change:
        changed = settings_words({**settings, **change})
        say_next("train {words}", words=" ".join([*words, changed]).strip())
    return 0 if found["fits"] else ResourceError.exit_code


def _words(given: Mapping[str, Any]) -> list[str]:
    """Return options and their values as words of a command."""
    pairs = [(option, shell_word(value)) for option, value in given.items() if value is not None]
    return [f"{option} {value}".strip() for option, value in pairs]
