"""`llmlora demo`: the whole main job on the screen, in about a minute."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from llmlora.cli.output import console, options, out, print_json, say
from llmlora.cli.progress import EventPrinter, duration
from llmlora.cli.train import show_plan, show_summary
from llmlora.core.layout import REPORT_PAGE
from llmlora.core.locale import translate
from llmlora.services.demo import DemoResult, free_folder, plan_demo, run_demo

DEFAULT_OUT = Path("demo-output")
STATES = {"trained": "underline", "masked": "dim", "truncated": "strike"}


def demo(
    folder: Annotated[Path, typer.Option("--out", help=translate("cli.demo.out"))] = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help=translate("cli.train.json"))] = False,
) -> int:
    """Run everything on the bundled model."""
    started = time.monotonic()
    target = free_folder(folder)
    _heading("plan")
    planned = plan_demo()
    show_plan(planned)
    with EventPrinter() as printer:

        def on_event(event: dict[str, Any]) -> None:
            if "preview" in event:
                _show_preview(event["preview"])
            printer(event)
            if "adapter_dir" in (event.get("result") or {}):
                show_summary(event["result"])

        result = run_demo(planned, target, on_event, _heading)
    if as_json:
        print_json("demo", {**result.to_dict(), "seconds": round(time.monotonic() - started, 1)})
    else:
        _show_report(result, time.monotonic() - started)
    return 0


def _heading(stage: str) -> None:
    if not options.quiet:
        console.print(f"\n[bold]{escape(translate(f'cli.demo.stage.{stage}'))}[/bold]")


def _show_preview(row: dict[str, Any]) -> None:
    """Show one training row: learned tokens underlined, the rest dim."""
    if options.quiet:
        return
    say("cli.demo.preview")
    pieces = []
    for token in row["tokens"]:
        text = escape(str(token["text"]))
        style = STATES.get(str(token["state"]))
        pieces.append(f"[{style}]{text}[/{style}]" if style else text)
    console.print("".join(pieces).rstrip())


def _show_report(result: DemoResult, seconds: float) -> None:
    """Show the one-screen report: answers before and after, files, checks, chat, paths."""
    out.print(f"\n[bold]{escape(translate('cli.demo.report'))}[/bold]")
    facts = result.evaluation["facts"]
    out.print(
        escape(
            translate(
                "cli.demo.facts",
                carried=facts["questions_carried"],
                before=facts["questions_carried_before"],
                total=facts["questions_with_facts"],
            )
        )
    )
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in ("question", "before", "after"):
        table.add_column(translate(f"cli.demo.{column}"), overflow="ellipsis", no_wrap=True, max_width=36)
    for item in result.evaluation["items"]:
        table.add_row(
            *(
                escape(str(text).replace("\n", " "))
                for text in (item["question"], item["base"]["text"], item["tuned"]["text"])
            )
        )
    out.print(table, soft_wrap=False)
    for entry in result.export["verify"]["files"]:
        out.print(escape(_file_line(entry)))
    out.print(escape(translate("cli.demo.chat", question=result.question, answer=result.answer)))
    out.print(escape(translate("cli.demo.page", path=_report_page(result))))
    out.print(escape(translate("cli.demo.next", folder=result.folder, seconds=duration(seconds))))


def _file_line(entry: dict[str, Any]) -> str:
    """Say of an exported file how far its answers are from the trained model's, as measured."""
    logprobs = next(check["measured"] for check in entry["checks"] if check["check"] == "logprobs")
    return translate(
        "cli.demo.file",
        name=entry["file"],
        megabytes=f"{entry['size_bytes'] / 1e6:.1f}",
        checks=len(entry["checks"]),
        kl=f"{logprobs['max_kl']:.1e}",
        agreement=f"{100 * logprobs['top1_agreement']:.0f}",
    )


def _report_page(result: DemoResult) -> str:
    pages = sorted((result.folder / "job").glob(f"evaluation-*/{REPORT_PAGE}"))
    return str(pages[-1]) if pages else "-"
