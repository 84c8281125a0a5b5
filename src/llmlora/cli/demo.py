"""`llmlora demo`: the whole main job on the screen, in about a minute."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.markup import escape

from llmlora.cli.evaluation_screen import print_forgetting
from llmlora.cli.output import console, folding_table, options, out, print_json, program_name, say, visible
from llmlora.cli.progress import EventPrinter, duration
from llmlora.cli.train import show_plan, show_summary
from llmlora.core.assets import BASE_MODEL
from llmlora.core.evaluation_words import headline_text
from llmlora.core.layout import REPORT_PAGE, newest_evaluation_dir
from llmlora.core.locale import shell_word, translate
from llmlora.services.demo import LESSONS, DemoResult, free_folder, plan_demo, run_demo

DEFAULT_OUT = Path("demo-output")
STATES = {"trained": "underline", "masked": "dim", "truncated": "strike"}


def demo(
    folder: Annotated[Path, typer.Option("--out", help=translate("cli.demo.out"))] = DEFAULT_OUT,
    model: Annotated[
        str, typer.Option("--model", help=translate("cli.demo.model", known=", ".join(LESSONS)))
    ] = BASE_MODEL,
    as_json: Annotated[bool, typer.Option("--json", help=translate("cli.train.json"))] = False,
) -> int:
    """Run everything on the bundled model, or on one that comes as a package."""
    started = time.monotonic()
    _heading("plan")
    with EventPrinter() as printer:
        planned = plan_demo(folder, model, printer)
        show_plan(planned)
        target = free_folder(folder)

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
    """Show the one-screen report: answers before and after, files, checks, chat, paths, next commands."""
    out.print(f"\n[bold]{escape(translate('cli.demo.report'))}[/bold]")
    facts = result.evaluation["facts"]
    out.print(f"[bold]{escape(headline_text(facts))}[/bold]")
    total, before = facts["questions_with_facts"], facts["questions_carried_before"]
    _tell("facts", carried=facts["questions_carried"], before=before, total=total)
    if facts["rewordings_asked"]:
        _tell("rewordings", carried=facts["rewordings_carried"], total=facts["rewordings_asked"])
    print_forgetting(result.evaluation["forgetting"])
    heads = [translate(f"cli.demo.{column}") for column in ("question", "before", "after")]
    table = folding_table(*heads, box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for item in result.evaluation["items"]:
        cells = (item["question"], item["base"]["text"], item["tuned"]["text"])
        table.add_row(*(escape(" ".join(visible(str(text)).split())) for text in cells))
    out.print(table, soft_wrap=False)
    files = result.export["verify"]["files"]
    for entry in files:
        out.print(escape(_file_line(entry)))
    if any(entry.get("verdict") != "lossy" for entry in files):
        out.print(escape(translate("export.kl_hint")))
    _tell("chat", question=result.question, answer=visible(result.answer))
    _tell("page", path=_report_page(result))
    _tell("next", folder=result.folder, seconds=duration(seconds))
    llmlora = program_name()
    gguf = shell_word(result.folder / "export" / result.export["verify"]["files"][-1]["file"])
    _tell("next_chat", command=f"{llmlora} chat {gguf}")
    _tell("next_train", command=f"{llmlora} train --model {result.base_model} --data {translate('cli.demo.data_file')}")


def _tell(name: str, **params: Any) -> None:
    out.print(escape(translate(f"cli.demo.{name}", **params)))


def _file_line(entry: dict[str, Any]) -> str:
    """Say of an exported file how far its answers are from the trained model's, or what it lost."""
    measured = {check["check"]: check.get("measured", {}) for check in entry["checks"]}
    if entry.get("verdict") == "lossy":
        facts = entry["facts"]
        if facts and facts["num_kept"] < facts["num_known"]:
            kept = {name: facts[name] for name in ("num_kept", "num_known")}
            return translate("export.lossy", file=entry["file"], **kept)
        return translate("export.update_lost", file=entry["file"], share=f"{measured['update']['share']:.0%}")
    logprobs = measured["logprobs"]
    return translate(
        "cli.demo.file",
        name=entry["file"],
        size_bytes=entry["size_bytes"],
        checks=len(entry["checks"]),
        kl=f"{logprobs['max_kl']:.1e}",
        agreement=f"{100 * logprobs['top1_agreement']:.0f}",
    )


def _report_page(result: DemoResult) -> str:
    folder = newest_evaluation_dir(result.folder / "job")
    return "-" if folder is None else str(folder / REPORT_PAGE)
