"""`llmlora train`: start, repeat from a recipe, or resume."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from llmlora.cli import train_options as options_of
from llmlora.cli.job_changes import tell_detached
from llmlora.cli.next_command import after_train
from llmlora.cli.output import console, folding_table, options, print_json, say, warn
from llmlora.cli.progress import EventPrinter, duration, held_out_texts, time_range
from llmlora.cli.train_queued import follow_training, queue_planned
from llmlora.cli.words import columns_of
from llmlora.core.config import Stage, TrainConfig
from llmlora.core.errors import ConfigError, Conflict, InputError, LlmloraError, NotFound, Stopped
from llmlora.core.locale import error_texts, translate
from llmlora.core.next_run import settings_words
from llmlora.data.read import read_options
from llmlora.services.ask_training import ask_training
from llmlora.services.inspect import export_refusal
from llmlora.services.plan_training import PlannedJob, plan_training
from llmlora.services.replay import MixingPlace, with_replay
from llmlora.services.resume import refuse_with_resume
from llmlora.services.resume_places import NewPlaces
from llmlora.services.train import resume_training, start_training
from llmlora.services.train_request import TrainRequest
from llmlora.services.workspace import is_looked_after

SHOWN_FIELDS = (
    "method",
    "r",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "learning_rate",
    "num_train_epochs",
    "max_steps",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "max_length",
    "lr_scheduler_type",
    "stages",
    "warmup_steps",
    "general_share",
    "validation_split",
    "eval_steps",
    "early_stopping_patience",
    "load_best_model_at_end",
    "init_adapter",
)
ADAPTER_FIELDS = {"r", "lora_alpha", "lora_dropout", "target_modules"}
Out = Annotated[Path | None, typer.Option("--out", help=translate("cli.train.out"))]
Resume = Annotated[Path | None, typer.Option("--resume", help=translate("cli.train.resume"))]
Detach = Annotated[bool, typer.Option("--detach", help=translate("cli.train.detach"))]
RESULT_FIELDS = (
    "final_loss",
    "eval_loss",
    "perplexity",
    "num_tokens",
    "tokens_per_second",
    "peak_memory_bytes",
    "seconds",
    "adapter_dir",
    "plan",
)


def train(
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
    replay: options_of.Replay = None,
    replay_share: options_of.ReplayShare = None,
    out: Out = None,
    resume: Resume = None,
    detach: Detach = False,
    as_json: options_of.Json = False,
) -> int:
    """Fine-tune a model on a data file."""
    files = {"init_adapter": init_adapter, "chat_template": chat_template}
    given = {"system": system, "drop_overlong": drop_overlong or None, **({} if resume else files)}
    overrides = options_of.overrides(settings, given)
    read = read_options(data_format, columns_of(columns), encoding)
    if detach and (out or resume):
        raise ConfigError("detach_alone", option="--out" if out else "--resume")
    replayed = options_of.replay_of(replay, replay_share)
    if resume is not None:
        refuse_with_resume(recipe, overrides, out, preset, training_preset, read.given, replayed)
        places = NewPlaces.of(model, data, eval_data, **files)
        return _end(_followed(lambda printer: resume_training(resume, printer, places), as_json), resume, as_json)
    choices = {"preset": preset, "training_preset": training_preset, "settings": overrides, "out": out}
    asked = ask_training(recipe, model, data, eval_data, read, choices)
    with MixingPlace() as place:
        return _train(with_replay(asked, replayed, place), out, detach, as_json)


def _train(request: TrainRequest, out: Path | None, detach: bool, as_json: bool) -> int:
    """Plan, show the plan, and train: in the queue where a server looks after it, else at once."""
    with EventPrinter() as printer:
        planned = plan_training(request, on_event=printer)
    show_plan(planned)
    ask_about_export(planned)
    if detach or (out is None and is_looked_after()):
        job = queue_planned(planned)
        if detach:
            tell_detached(job, as_json)
            return 0
        return _end(_followed(lambda printer: follow_training(job.id, planned, printer), as_json), None, as_json)
    return _end(_followed(lambda printer: start_training(planned, out, printer), as_json), out, as_json)


def _end(result: dict[str, Any], folder: Path | None, as_json: bool) -> int:
    """Show the outcome of a run, and what comes next."""
    if as_json:
        print_json("train", {**result, "plan": result.get("plan")})
    show_summary(result)
    if not as_json:
        after_train(folder or Path(result["adapter_dir"]).parent)
    return 0


def show_plan(planned: PlannedJob) -> None:
    """Show model, data, warnings and every settled value with its reason, before anything is spent."""
    if options.quiet:
        return
    base, report = planned.base, planned.report
    say("cli.plan.model", name=base.name, parameters=base.num_parameters, license=base.license or "?")
    say(
        "cli.plan.data",
        rows=report.num_examples,
        format=report.format,
        warnings=sum(1 for problem in report.problems if problem.level == "warning"),
    )
    if planned.job.replay is not None:
        replay = planned.job.replay
        say("cli.plan.replay", rows=replay.num_rows, name=replay.name)
    for problem in report.problems:
        console.print(f"  [yellow]![/yellow] {escape(str(problem.to_dict()['message']))}")
    table = folding_table("", "", "", show_header=False, box=None, padding=(0, 2, 0, 2))
    table.columns[0].no_wrap = True  # a setting's name in two lines is none that can be written after --set
    for name in SHOWN_FIELDS:
        value = getattr(planned.job.train, name)
        if value not in (None, (), 0) and name not in _idle_fields(planned.job.train):
            table.add_row(name, _value_text(value), escape(_reason(name, planned)))
    console.print(table, soft_wrap=False)
    _show_amount(planned)


def _show_amount(planned: PlannedJob) -> None:
    """Show how much will be done, what it will cost, and what it will not reach."""
    plan = planned.plan_dict()
    say("cli.plan.steps", steps=plan["num_steps"], rows=plan["rows_per_step"])
    if plan["estimate"] is not None:
        low, high = plan["estimate"]["seconds"]
        say("cli.plan.estimate", time=time_range(low, high), memory_bytes=plan["estimate"]["memory_bytes"])
    for warning in plan["warnings"]:
        settings = settings_words(warning["params"]["settings"])
        warn(f"cli.warning.{warning['code']}", **{**warning["params"], "settings": settings})


def ask_about_export(planned: PlannedJob) -> None:
    """Ask on a terminal whether to train a model that cannot be exported; elsewhere, and with -y, the run warns.

    Raises:
        Stopped: the answer was no; nothing was written.
    """
    if options.assume_yes or options.quiet or not (sys.stdin.isatty() and console.is_terminal):
        return
    refusal = export_refusal(Path(planned.job.base_dir))
    if refusal is None:
        return
    warn("cli.warning.not_exportable", reason=error_texts(refusal)["why"])
    if not typer.confirm(translate("cli.train.ask_export"), err=True):
        raise Stopped("not_begun")


def _idle_fields(config: TrainConfig) -> set[str]:
    """Return the settings that others replace in this run; showing them would mislead."""
    idle = set(ADAPTER_FIELDS) if config.method == "full" else set()
    if config.max_steps or config.stages:
        idle.add("num_train_epochs")
    if config.stages:
        idle.add("learning_rate")
    return idle


def _value_text(value: Any) -> str:
    if isinstance(value, tuple):
        return escape(", ".join(_value_text(item) for item in value))
    if isinstance(value, Stage):
        return f"{value.learning_rate:g} x {value.epochs:g}"
    return f"{value:g}" if isinstance(value, float) else escape(str(value))


def _reason(name: str, planned: PlannedJob) -> str:
    if name in planned.resolved.reasons:
        reason = planned.resolved.reasons[name]
        return translate(f"recommend.{reason.get('sentence', name)}", **reason)
    return translate(f"cli.origin.{planned.resolved.origins.get(name, 'default')}")


def show_summary(result: dict[str, Any]) -> None:
    """Show the outcome of a run in a few lines on stderr."""
    loss, eval_loss = result.get("final_loss"), result.get("eval_loss")
    say(
        "cli.train.done",
        seconds=duration(result.get("seconds")),
        loss="-" if loss is None else f"{loss:.3f}",
        speed=f"{result.get('tokens_per_second') or 0:,.0f}",
        memory_bytes=result.get("peak_memory_bytes") or 0,
    )
    if eval_loss is not None:
        eval_text, perplexity = held_out_texts(eval_loss, result.get("perplexity"))
        say("cli.train.done_eval", eval_loss=eval_text, perplexity=perplexity)
        say("cli.train.done_step", step=result.get("published_step"), total=result.get("num_steps"))
    say("cli.train.adapter", path=result["adapter_dir"])


def _followed(run: Callable[[EventPrinter], dict[str, Any]], as_json: bool) -> dict[str, Any]:
    """Run and follow a job; one that failed or was stopped still prints its document, the edge words the error."""
    try:
        with EventPrinter() as printer:
            return run(printer)
    except LlmloraError as error:
        if as_json and not isinstance(error, InputError | NotFound | Conflict):
            print_json(
                "train",
                {"status": "interrupted" if isinstance(error, Stopped) else "failed", **dict.fromkeys(RESULT_FIELDS)},
            )
        raise
