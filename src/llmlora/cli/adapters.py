"""`llmlora adapters combine | ensemble`: several adapters as one, and the set of jobs that this is for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from llmlora.cli import output
from llmlora.cli import train_options as options_of
from llmlora.cli.help_page import HelpfulCommand, HelpfulGroup
from llmlora.cli.next_command import after_train, say_next
from llmlora.cli.progress import EventPrinter
from llmlora.cli.train import show_plan, show_summary
from llmlora.core.errors import ConfigError
from llmlora.core.locale import shell_word, translate
from llmlora.services.combine import combine as combine_jobs
from llmlora.services.ensemble import plan_ensemble
from llmlora.services.train import start_training

Jobs = Annotated[list[Path], typer.Argument(metavar="DIR", help=translate("adapters.cli.jobs"))]
Output = Annotated[Path, typer.Option("--output", "-o", help=translate("adapters.cli.output"))]
EnsembleOutput = Annotated[Path, typer.Option("--output", "-o", help=translate("adapters.cli.ensemble_output"))]
Weights = Annotated[str | None, typer.Option("--weights", help=translate("adapters.cli.weights"))]
Method = Annotated[str, typer.Option("--method", help=translate("adapters.cli.method"))]
Density = Annotated[float | None, typer.Option("--density", help=translate("adapters.cli.density"))]
Json = Annotated[bool, typer.Option("--json", help=translate("adapters.cli.json"))]

app = typer.Typer(cls=HelpfulGroup, no_args_is_help=True, rich_markup_mode=None)


@app.command(cls=HelpfulCommand, help=translate("adapters.cli.combine"))
def combine(
    job_dirs: Jobs,
    target: Output,
    weights: Weights = None,
    method: Method = "svd",
    density: Density = None,
    as_json: Json = False,
) -> None:
    """Combine the adapters of finished jobs into a new job."""
    numbers = None if weights is None else _numbers(weights, len(job_dirs))
    with EventPrinter() as printer:
        result = combine_jobs(job_dirs, target, weights=numbers, method=method, density=density, on_event=printer)
    if as_json:
        output.print_json("combine", result)
        return
    percent = f"{100 * result['distance_from_sum']:.3g}"
    output.say("adapters.combined", count=len(job_dirs), method=method, rank=result["r"], percent=percent)
    output.say("cli.train.adapter", path=result["adapter_dir"])
    after_train(target)


def _numbers(words: str, count: int) -> list[float]:
    given = words.split(",")
    try:
        return [float(word) for word in given]
    except ValueError as error:
        raise ConfigError("combine_weights", count=count, given=len(given)) from error


@app.command(cls=HelpfulCommand, help=translate("adapters.cli.ensemble"))
def ensemble(
    target: EnsembleOutput,
    model: options_of.Model = None,
    data: options_of.Data = None,
    settings: options_of.Settings = None,
    as_json: Json = False,
) -> None:
    """Train three jobs that differ in rank, learning rate and dropout."""
    results: list[dict[str, Any]] = []
    with EventPrinter() as printer:
        planned = plan_ensemble(model, data, target, options_of.overrides(settings, {}), printer)
    for number, (folder, job) in enumerate(planned, 1):
        train = job.job.train
        shown = {"rank": train.r, "rate": f"{train.learning_rate:g}", "dropout": train.lora_dropout}
        output.say("adapters.member", number=number, total=len(planned), **shown)
        if number == 1:
            show_plan(job)
        with EventPrinter() as printer:
            results.append(start_training(job, folder, printer))
        show_summary(results[-1])
    folders = [folder for folder, _ in planned]
    if as_json:
        made = zip(folders, results, strict=True)
        output.print_json("ensemble", {"jobs": [{"folder": str(folder), **result} for folder, result in made]})
        return
    members = " ".join(map(shell_word, folders))
    say_next("adapters combine {members} -o {target!q}", members=members, target=target / "combined")
