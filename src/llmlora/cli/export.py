"""`llmlora merge`, `export` and `verify`: what was trained, in files that others can run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from llmlora.cli import output
from llmlora.cli.next_command import after_export, after_merge, after_verify
from llmlora.cli.passport import show_passport
from llmlora.cli.progress import EventPrinter
from llmlora.core.errors import VerificationFailed
from llmlora.core.job import SCHEMA as JOB_SCHEMA
from llmlora.core.job import folder_schema
from llmlora.core.layout import MODELFILE, PASSPORT_FILE
from llmlora.core.locale import translate
from llmlora.core.publish import read_json
from llmlora.core.sizes import size_words
from llmlora.services.export import OWN_TYPE, STITCH_TYPE, export_model
from llmlora.services.merge import merge as merge_job
from llmlora.services.verify import verify as verify_folder

JobDir = Annotated[Path, typer.Argument(metavar="DIR", help=translate("export.cli.job_dir"))]
MergeOutput = Annotated[Path, typer.Option("--output", "-o", help=translate("export.cli.merge_output"))]
ExportOutput = Annotated[Path, typer.Option("--output", "-o", help=translate("export.cli.output"))]
VerifyOutput = Annotated[Path, typer.Argument(metavar="OUT", help=translate("export.cli.verify_output"))]
Dtype = Annotated[str | None, typer.Option("--dtype", help=translate("export.cli.dtype"))]
Base = Annotated[Path | None, typer.Option("--model", help=translate("export.cli.model"))]
Quant = Annotated[str | None, typer.Option("--quant", help=translate("export.cli.quant"))]
Adapter = Annotated[bool, typer.Option("--adapter", help=translate("export.cli.adapter"))]
Stitch = Annotated[bool, typer.Option("--stitch", help=translate("export.cli.stitch"))]
StitchBase = Annotated[Path | None, typer.Option("--stitch-base", help=translate("export.cli.stitch_base"))]
StitchType = Annotated[str, typer.Option("--stitch-type", help=translate("export.cli.stitch_type"))]
Compare = Annotated[bool, typer.Option("--compare", help=translate("export.cli.compare"))]
KeepMerged = Annotated[bool, typer.Option("--keep-merged", help=translate("export.cli.keep_merged"))]
Json = Annotated[bool, typer.Option("--json", help=translate("export.cli.json"))]


def merge(job_dir: JobDir, target: MergeOutput, dtype: Dtype = None, base: Base = None, as_json: Json = False) -> None:
    """Write base + adapter as one model folder."""
    with EventPrinter() as on_event:
        report = merge_job(job_dir, target, dtype=dtype, base_dir=base, on_event=on_event)
    if as_json:
        output.print_json("merge", report)
        return
    output.say("export.merged", num_tensors=report["num_tensors"], dtype=report["dtype"])
    output.say("export.merge_error", max_abs_error=f"{report['max_abs_error']:.2g}")
    output.out.print(escape(report["output"]))
    after_merge(target)


def export(
    job_dir: JobDir,
    target: ExportOutput,
    quant: Quant = None,
    stitch: Stitch = False,
    stitch_type: StitchType = STITCH_TYPE,
    stitch_base: StitchBase = None,
    adapter: Adapter = False,
    compare: Compare = False,
    keep_merged: KeepMerged = False,
    base: Base = None,
    as_json: Json = False,
) -> None:
    """Write verified GGUF files with a Modelfile."""
    names = None if quant is None else [name.strip().upper() for name in quant.split(",") if name.strip()]
    with _showing_failed_checks(as_json), EventPrinter() as printer:
        report = export_model(
            job_dir,
            target,
            names,
            adapter=adapter,
            keep_merged=keep_merged,
            base_dir=base,
            stitch=stitch,
            stitch_base=stitch_base,
            stitch_type=stitch_type if stitch_type == OWN_TYPE else stitch_type.upper(),
            compare=compare,
            on_event=showing_plan(printer),
        )
    if as_json:
        output.print_json("export", report)
        return
    print_export(report)
    after_export(target, report["model_file"])


def verify(target: VerifyOutput, base: Base = None, as_json: Json = False) -> None:
    """Check the files of an export against the trained model again, and the passport of an export or a job."""
    if os.path.isfile(target / PASSPORT_FILE):  # a path may be too long to be one
        show_passport(target)
        if folder_schema(target) == JOB_SCHEMA:
            return
    with _showing_failed_checks(as_json), EventPrinter() as on_event:
        report = verify_folder(target, base_dir=base, on_event=on_event)
    if as_json:
        output.print_json("verify", report)
        return
    print_verification(report)
    if Path(report["saved_to"]).parent != target.absolute():
        output.say("export.saved_elsewhere", path=report["saved_to"])
    after_verify(target)


def print_export(report: dict[str, Any]) -> None:
    """Print sizes and verification of an export, and how to run it."""
    table = output.folding_table(*(translate(f"export.table.{name}") for name in ("file", "size", "seconds", "note")))
    for entry in report["files"]:
        note = translate("export.table.reused") if entry["reused"] else ""
        seconds = f"{entry['seconds']:.1f}" if "seconds" in entry else "-"  # files of an older version do not say
        table.add_row(escape(entry["file"]), size_words(entry["size_bytes"]), seconds, note)
    output.out.print(table, soft_wrap=False)
    if report["stitch"]:
        _print_stitch(report["stitch"])
    print_verification(report["verify"])
    output.out.print(escape(report["output"]))


def _print_stitch(stitch: dict[str, Any]) -> None:
    """Say what of a stitched file is the base's, and which tensors an asked type would have swallowed."""
    types = ", ".join(f"{kind} {number}" for kind, number in stitch["types"].items())
    numbers = {name: stitch[name] for name in ("num_rewritten", "num_copied")}
    output.say("export.stitched", base=stitch["base"], types=types, **numbers)
    if stitch["num_refused"]:
        refused = {name: stitch[name] for name in ("num_refused", "num_measured")}
        output.say("export.stitch_refused", wanted=stitch["wanted"], share=f"{stitch['refused_share']:.0%}", **refused)


def showing_plan(on_event: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """Return `on_event` with the sizes of the planned files shown before the first one is written."""

    def show(event: dict[str, Any]) -> None:
        on_event(event)
        if event["type"] == "phase" and event["name"] == "planned":
            files, free = event["params"]["files"], event["params"]["free_bytes"]
            listed = ", ".join(f"{name} {size_words(size)}" for name, size in files.items())
            key = "export.planned" if files else "export.nothing_to_write"
            output.say(key, total=size_words(sum(files.values())), free=size_words(free), files=listed)

    return show


def print_verification(report: dict[str, Any]) -> None:
    """Print one line per file, then every failed check with its cause."""
    columns = ("file", "checks", "facts", "max_diff", "kl", "top1")
    heads = (translate(f"export.table.{name}") for name in columns)
    table = output.folding_table(*heads, title=translate("export.table.verification"))
    table.columns[0].no_wrap = True
    for entry in report["files"]:
        found = [check["measured"] for check in entry["checks"] if check["check"] == "logprobs"]
        logprobs: dict[str, Any] = found[0] if found else {}
        table.add_row(
            escape(entry["file"]),
            _count_passed(entry["checks"]),
            _count_facts(entry.get("facts")),
            f"{logprobs['max_diff']:.1e}" if "max_diff" in logprobs else "-",
            f"{logprobs['kl']:.1e}" if "kl" in logprobs else "-",
            f"{logprobs['top1_agreement']:.0%}" if "top1_agreement" in logprobs else "-",
        )
        if entry.get("served"):
            table.add_row(*_served_row(entry["served"]))
    output.out.print(table, soft_wrap=False)
    if any("kl" in check["measured"] for entry in report["files"] for check in entry["checks"]):
        output.say("export.kl_hint")
        output.say("export.columns_hint")
    modelfile = [{"file": MODELFILE, "checks": [report["modelfile"]]}] if "modelfile" in report else []
    for entry in [*report["files"], *modelfile]:
        for check in entry["checks"]:
            if not check["ok"]:
                output.out.print(f"[red]✗[/red] {escape(entry['file'])}: {_failure(check)}")
    for entry in report["files"]:
        for check in entry["checks"]:
            if "rounding" in check["measured"]:
                output.out.print(escape(_rounding(entry["file"], check)))
            if check["measured"].get("is_lost"):
                share = f"{check['measured']['share']:.0%}"
                output.say("export.update_lost", file=entry["file"], share=share)
    for entry in report["files"]:
        facts = entry.get("facts")
        if entry.get("verdict") == "lossy" and facts and facts["num_kept"] < facts["num_known"]:
            output.say("export.lossy", file=entry["file"], **_kept(facts))
    _print_asked(report["reference"])
    verdicts = {entry.get("verdict") for entry in report["files"]}
    word = "verified" if report["ok"] else "not_verified" if "failed" in verdicts else "partly_verified"
    output.say(f"export.{word}", num_files=len(report["files"]))


def _served_row(served: dict[str, Any]) -> list[str]:
    """Return the line of the adapter on the base's very file, as a server runs it."""
    facts = _count_facts(served["facts"])
    return [translate("export.table.served"), "-", facts, "-", f"{served['kl']:.1e}", f"{served['top1_agreement']:.0%}"]


def _print_asked(reference: dict[str, Any]) -> None:
    """Say on how much of the training data the files were compared, or why on nothing of it."""
    if reference.get("data_problem"):
        output.say(f"export.{reference['data_problem']}")
    elif "num_taught" in reference:
        output.say("export.asked", num_taught=reference["num_taught"], num_samples=reference["num_samples"])


def _kept(facts: dict[str, Any]) -> dict[str, int]:
    return {name: int(facts[name]) for name in ("num_kept", "num_known")}


def _count_facts(facts: dict[str, Any] | None) -> str:
    if not facts or not facts["num_known"]:
        return "-"
    color = "green" if facts["num_kept"] == facts["num_known"] else "red"
    return f"[{color}]{facts['num_kept']}/{facts['num_known']}[/{color}]"


def _count_passed(checks: list[dict[str, Any]]) -> str:
    num_passed = sum(check["ok"] for check in checks)
    color = "green" if num_passed == len(checks) else "red"
    word = "OK" if num_passed == len(checks) else translate("export.check_failed")
    return f"[{color}]{word}[/{color}] {num_passed}/{len(checks)}"


def _failure(check: dict[str, Any]) -> str:
    name, cause = translate(f"export.check.{check['check']}"), translate(f"export.cause.{check['cause']}")
    return escape(f"{name} — {cause} ({check['detail']})")


def _rounding(file: str, check: dict[str, Any]) -> str:
    """Say what only rounding explains: the largest difference, of 8-bit weights the KL."""
    measured, limits = check["measured"], check["limits"]
    if "max_diff" not in limits:
        return translate(
            "export.rounding_kl",
            file=file,
            rounding=measured["rounding"],
            kl=f"{measured['kl']:.2g}",
            limit=f"{limits['kl']:g}",
            float32_kl=f"{measured['float32_kl']:.1e}",
        )
    return translate(
        "export.rounding",
        file=file,
        rounding=measured["rounding"],
        max_diff=f"{measured['max_diff']:.2g}",
        limit=f"{limits['max_diff']:g}",
        float32_max_diff=f"{measured['float32_max_diff']:.1e}",
    )


@contextmanager
def _showing_failed_checks(as_json: bool) -> Iterator[None]:
    """Show the table of all checks before the error names the one that failed."""
    try:
        yield
    except VerificationFailed as error:
        if not as_json:
            print_verification(read_json(Path(str(error.params["path"]))))
        raise
