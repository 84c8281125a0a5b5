"""`llmlora dataset`: look at data files before anything is spent on them; what is kept is in `kept_datasets`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from llmlora.cli import kept_datasets
from llmlora.cli.dataset_report import print_line, print_more, print_report
from llmlora.cli.help_page import HelpfulCommand, HelpfulGroup
from llmlora.cli.next_command import after_check, after_convert, after_reword
from llmlora.cli.output import options, out, print_json, warn
from llmlora.cli.preview import preview
from llmlora.cli.words import columns_of
from llmlora.core.errors import DatasetError
from llmlora.core.locale import translate
from llmlora.data.read import read_options
from llmlora.services.dataset import check_dataset, convert_dataset
from llmlora.services.reword import PER_QUESTION, reword_dataset

SHOWN_DROPPED = 20

File = Annotated[Path, typer.Argument(metavar="FILE", help=translate("data.option.file"))]
Format = Annotated[str | None, typer.Option("--format", help=translate("data.option.format"))]
Columns = Annotated[list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help=translate("data.option.map"))]
Encoding = Annotated[str | None, typer.Option("--encoding", help=translate("data.option.encoding"))]
Model = Annotated[str | None, typer.Option("--model", help=translate("data.option.model"))]
CountedBy = Annotated[str | None, typer.Option("--model", help=translate("data.option.counted_by"))]
Longest = Annotated[int | None, typer.Option("--max-length", min=8, help=translate("prepare.option.max_length"))]
MaxLength = Annotated[int | None, typer.Option("--max-length", min=8, help=translate("data.option.max_length"))]
EvalData = Annotated[Path | None, typer.Option("--eval-data", help=translate("data.option.eval_data"))]
Json = Annotated[bool, typer.Option("--json", help=translate("data.option.json"))]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="OUT.jsonl", help=translate("data.option.output"))]
DropInvalid = Annotated[bool, typer.Option("--drop-invalid", help=translate("data.option.drop_invalid"))]
DropOverlong = Annotated[bool, typer.Option("--drop-overlong", help=translate("data.option.drop_overlong"))]
Deduplicate = Annotated[bool, typer.Option("--deduplicate", help=translate("data.option.deduplicate"))]
Sample = Annotated[int | None, typer.Option("--sample", metavar="N", help=translate("data.option.sample"))]
Split = Annotated[float | None, typer.Option("--split", metavar="SHARE", help=translate("data.option.split"))]
Seed = Annotated[int, typer.Option("--seed", help=translate("data.option.seed"))]
Keep = Annotated[str | None, typer.Option("--keep", metavar="chosen", help=translate("data.option.keep"))]
Raw = Annotated[bool, typer.Option("--raw", help=translate("data.option.raw"))]

RewordOutput = Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv", help=translate("data.option.reword"))]
Filled = Annotated[Path | None, typer.Option("--filled", metavar="CSV", help=translate("data.option.filled"))]
PerQuestion = Annotated[int, typer.Option("--per-question", metavar="N", help=translate("data.option.per_question"))]
NextModel = Annotated[str | None, typer.Option("--model", help=translate("data.option.next_model"))]
NextJob = Annotated[Path | None, typer.Option("--job", metavar="DIR", help=translate("data.option.next_job"))]


def check(
    file: File,
    format_name: Format = None,
    columns: Columns = None,
    encoding: Encoding = None,
    model: Model = None,
    max_length: MaxLength = None,
    eval_data: EvalData = None,
    drop_overlong: DropOverlong = False,
    as_json: Json = False,
) -> int:
    """Check a data file; exit code 0 when it can be trained on, 4 when not."""
    report = check_dataset(
        file,
        format=format_name,
        columns=columns_of(columns),
        encoding=encoding,
        model=model,
        max_length=max_length,
        eval_data=eval_data,
        drop_overlong=drop_overlong,
    )
    if as_json:
        print_json("dataset_check", report)
    else:
        print_report(file, report)
        given = {"model": model, "max_length": max_length, "eval_data": eval_data, "drop_overlong": drop_overlong}
        after_check(file, read_options(format_name, columns_of(columns), encoding), given, report["ok"])
    return 0 if report["ok"] else DatasetError.exit_code


def convert(
    file: File,
    output: Output,
    format_name: Format = None,
    columns: Columns = None,
    encoding: Encoding = None,
    drop_invalid: DropInvalid = False,
    deduplicate: Deduplicate = False,
    sample: Sample = None,
    split: Split = None,
    seed: Seed = 0,
    keep: Keep = None,
    raw: Raw = False,
    model: CountedBy = None,
    max_length: Longest = None,
    drop_overlong: DropOverlong = False,
    as_json: Json = False,
) -> int:
    """Convert a data file to canonical JSON Lines; the original is not changed."""
    report = convert_dataset(
        file,
        output,
        format=format_name,
        columns=columns_of(columns),
        encoding=encoding,
        drop_invalid=drop_invalid,
        deduplicate=deduplicate,
        sample=sample,
        split=split,
        seed=seed,
        keep=keep,
        raw=raw,
        overwrite=options.assume_yes,
        model=model,
        max_length=max_length,
        drop_overlong=drop_overlong,
    )
    if as_json:
        print_json("dataset_convert", report)
    else:
        print_converted(report)
        after_convert(report, {"model": model, "max_length": max_length})
    return 0


def reword(
    file: File,
    output: RewordOutput,
    filled: Filled = None,
    per_question: PerQuestion = PER_QUESTION,
    job: NextJob = None,
    model: NextModel = None,
    format_name: Format = None,
    columns: Columns = None,
    encoding: Encoding = None,
    as_json: Json = False,
) -> int:
    """Write a file in which other wordings are filled in, or the data with those that were."""
    report = reword_dataset(
        file,
        output,
        filled=filled,
        per_question=per_question,
        job=job,
        model=model,
        format=format_name,
        columns=columns_of(columns),
        encoding=encoding,
        overwrite=options.assume_yes,
    )
    if as_json:
        print_json("dataset_reword", report)
    else:
        print_reworded(report, is_filled=filled is not None)
        if report.get("eval_data_left_out"):
            warn("data.reworded.eval_left_out", path=report["eval_data_left_out"])
        if report.get("returned"):
            print_line(translate("data.reworded.returned", changes=report["returned"]))
        after_reword(report["command"])
    return 0


def print_reworded(report: dict[str, Any], is_filled: bool) -> None:
    """Show what was written and skipped."""
    out.print(escape(translate(f"data.reworded.{'merged' if is_filled else 'written'}", **report)))
    skipped = ("empty", "repeated") if is_filled else ("without_question",)
    for name in skipped:
        if report[f"num_{name}"]:
            print_line(translate(f"data.reworded.{name}", count=report[f"num_{name}"]))
    if not is_filled:
        out.print(escape(translate("data.reworded.fill")))


def print_converted(report: dict[str, Any]) -> None:
    """Show what was written, and every kind of row that was left out."""
    out.print(escape(translate("data.converted", num_written=report["num_written"], path=report["output"])))
    if report["encoding"] not in ("utf-8", "utf-8-sig"):
        print_line(translate("data.read_as", encoding=report["encoding"]))
    if report["ignored_columns"]:
        print_line(translate("data.ignored", names=", ".join(report["ignored_columns"])))
    if report["eval_output"]:
        out.print(escape(translate("data.converted_eval", num_eval=report["num_eval"], path=report["eval_output"])))
    if report["other_eval"]:
        warn("data.other_eval", path=report["other_eval"], output=report["output"])
    if not report["dropped"] and not report["num_sampled_out"]:
        return
    counts = {
        "invalid": report["num_invalid"],
        "duplicate": report["num_duplicates"],
        "sampled_out": report["num_sampled_out"],
        "kept_out": report["num_kept_out"],
        "overlong": report["num_overlong"],
    }
    out.print(escape(translate("data.dropped", **counts)))
    for row in report["dropped"][:SHOWN_DROPPED]:
        message = row["message"] or row["code"]
        out.print(f"  {escape(translate('data.dropped_row', line=row['line'], row=row['row'], message=message))}")
    print_more(len(report["dropped"]) - SHOWN_DROPPED)


app = typer.Typer(cls=HelpfulGroup, no_args_is_help=True, rich_markup_mode=None)
app.command("check", cls=HelpfulCommand, help=translate("data.check.help"))(check)
app.command("convert", cls=HelpfulCommand, help=translate("data.convert.help"))(convert)
app.command("preview", cls=HelpfulCommand, help=translate("data.preview.help"))(preview)
app.command("reword", cls=HelpfulCommand, help=translate("data.reword.help"))(reword)
for name, verb in kept_datasets.VERBS.items():
    app.command(name.replace("_", "-"), cls=HelpfulCommand, help=translate(f"data.{name}.help"))(verb)
