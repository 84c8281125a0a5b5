"""`llmlora dataset preview`: the tokens of training rows, marked trained, masked or truncated."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from llmlora.cli.next_command import after_preview
from llmlora.cli.output import out, print_json, say, warn
from llmlora.cli.words import columns_of
from llmlora.core.locale import translate
from llmlora.data.read import read_options
from llmlora.services.preview import preview_dataset

File = Annotated[Path, typer.Argument(metavar="FILE", help=translate("prepare.option.file"))]
Model = Annotated[str, typer.Option("--model", help=translate("prepare.option.model"))]
NumRows = Annotated[int, typer.Option("-n", "--rows", min=1, max=1000, help=translate("prepare.option.rows"))]
Format = Annotated[str | None, typer.Option("--format", help=translate("prepare.option.format"))]
Columns = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help=translate("prepare.option.map"))
]
Encoding = Annotated[str | None, typer.Option("--encoding", help=translate("prepare.option.encoding"))]
MaxLength = Annotated[int | None, typer.Option("--max-length", min=8, help=translate("prepare.option.max_length"))]
Template = Annotated[str | None, typer.Option("--chat-template", help=translate("prepare.option.chat_template"))]
System = Annotated[str | None, typer.Option("--system", help=translate("prepare.option.system"))]
DropOverlong = Annotated[bool, typer.Option("--drop-overlong", help=translate("prepare.option.drop_overlong"))]
Json = Annotated[bool, typer.Option("--json", help=translate("prepare.option.json"))]

# Colour is never the only sign: trained text also stands in brackets and is underlined, cut text is struck through.
STYLES = {"trained": "underline green", "masked": "dim", "truncated": "strike red"}
BRACKETS = {"trained": ("⟦", "⟧"), "masked": ("", ""), "truncated": ("⟨✂", "⟩")}


def preview(
    file: File,
    model: Model,
    num_rows: NumRows = 3,
    format_name: Format = None,
    columns: Columns = None,
    encoding: Encoding = None,
    max_length: MaxLength = None,
    chat_template: Template = None,
    system: System = None,
    drop_overlong: DropOverlong = False,
    as_json: Json = False,
) -> None:
    """Show the rendered template of the first rows, with every token marked trained, masked or truncated."""
    settings: dict[str, Any] = {"max_length": max_length, "chat_template": chat_template, "system": system}
    settings["drop_overlong"] = drop_overlong
    result = preview_dataset(
        file,
        model,
        num_rows,
        format=format_name,
        columns=columns_of(columns),
        encoding=encoding,
        settings=settings,
    )
    if as_json:
        print_json("dataset_preview", result)
        return
    for row in result["rows"]:
        _print_row(row)
    _print_summary(result)
    read = read_options(format_name, columns_of(columns), encoding)
    after_preview(file, read, {"model": model, **settings})


def _print_row(row: dict[str, Any]) -> None:
    percent = round(100 * row["share_trained"])
    out.print(
        translate(
            "prepare.preview.row",
            row=row["row"],
            tokens=row["num_tokens"],
            trained=row["num_label_tokens"],
            percent=percent,
        ),
        style="bold",
        markup=False,
    )
    out.print(marked_text(row["tokens"]))
    if row["num_cut"]:
        warn("prepare.preview.cut", count=row["num_cut"])
    if not row["end_token_trained"]:
        warn("prepare.preview.no_end")
    out.print()


def marked_text(tokens: list[dict[str, Any]]) -> Text:
    """Return the text of a row with its states marked by brackets and by style."""
    text = Text()
    for state, group in groupby(tokens, key=lambda token: token["state"]):
        opening, closing = BRACKETS[state]
        shown = "".join(_visible(token) for token in group)
        text.append(f"{opening}{shown}{closing}", style=STYLES[state])
    return text


def _visible(token: dict[str, Any]) -> str:
    """Return a token's text without characters that could steer the terminal or reverse its text."""
    text = translate("prepare.preview.unknown") if token["unknown"] else token["text"]
    return "".join(
        character if character.isprintable() or character in "\n\t" else f"\\u{ord(character):04x}"
        for character in text
    )


def _print_summary(result: dict[str, Any]) -> None:
    say("prepare.preview.legend")
    say(f"prepare.preview.template_{result['template_source']}", name=result["template"])
    say(
        "prepare.preview.summary",
        rows=result["num_rows"],
        tokens=result["num_tokens"],
        trained=result["num_label_tokens"],
        truncated=result["num_truncated"],
        tokens_cut=result["num_tokens_cut"],
        max_length=result["max_length"],
    )
    if result["num_kept_out"]:
        say("cli.finding.rows_kept_out", count=result["num_kept_out"])
    if result["num_overlong_left_out"]:
        warn("cli.warning.overlong_left_out", count=result["num_overlong_left_out"], limit=result["max_length"])
    if result["num_reasoning_hidden"]:
        warn("cli.warning.reasoning_hidden", count=result["num_reasoning_hidden"])
    if result["num_system_folded"]:
        warn("prepare.preview.system_folded", count=result["num_system_folded"])
    if result["num_control_tokens"]:
        warn("prepare.preview.control_tokens", count=result["num_control_tokens"])
