"""`llmlora jobs`: the work of this workspace, whoever started it; the same that the server shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from llmlora.cli import job_changes
from llmlora.cli.completion import job_words
from llmlora.cli.groups import ListingGroup
from llmlora.cli.help_page import HelpfulCommand
from llmlora.cli.job_events import print_events, reason_text, status_word, watching
from llmlora.cli.next_command import say_next
from llmlora.cli.output import folding_table, out, print_json, say, visible
from llmlora.cli.progress import EventPrinter, duration, local_time
from llmlora.core.errors import ConfigError
from llmlora.core.events import read_events
from llmlora.core.layout import EVENTS_FILE, home_dir, run_dir
from llmlora.core.locale import translate
from llmlora.services.find import find_job, short_id
from llmlora.services.follow_job import follow_job
from llmlora.services.job_documents import job_details, job_summary
from llmlora.services.work_queue import work_queue
from llmlora.services.workspace import is_looked_after, open_workspace
from llmlora.store.jobs import JobRow
from llmlora.store.statuses import ACTIVE, STATUSES, WAITING

Job = Annotated[str, typer.Argument(metavar="JOB", help=translate("jobs.option.job"), autocompletion=job_words)]
Json = Annotated[bool, typer.Option("--json", help=translate("data.option.json"))]
Statuses = Annotated[
    list[str] | None,
    typer.Option("--status", metavar="STATUS", help=translate("jobs.option.status", known=", ".join(STATUSES))),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=500, help=translate("jobs.option.limit"))]
Follow = Annotated[bool, typer.Option("--follow", "-f", help=translate("jobs.option.follow"))]
JsonLines = Annotated[bool, typer.Option("--jsonl", help=translate("jobs.option.jsonl"))]

SHOWN_FIELDS = ("base_model", "created_at", "started_at", "ended_at", "folder")


def list_jobs(status: Statuses = None, limit: Limit = 20, as_json: Json = False) -> None:
    """List the newest jobs."""
    wrong = next((word for word in status or () if word not in STATUSES), None)
    if wrong is not None:
        raise ConfigError("unknown_status", word=wrong, known=", ".join(STATUSES))
    with open_workspace() as queue:
        page = queue.page(statuses=status or (), limit=limit)
        found = [job_summary(queue, job) for job in page.items]
    if as_json:
        print_json("jobs", {"jobs": found, "has_more": page.next_cursor is not None})
        return
    if not found:
        say("jobs.none", path=home_dir())
        return
    _print_table(found)
    if page.next_cursor is not None:
        say("jobs.more", count=len(found))
    job_changes.warn_if_alone(found)


def show(word: Job, as_json: Json = False) -> None:
    """Show one job."""
    with open_workspace() as queue:
        found = job_details(queue, queue.get(find_job(queue, word)))
    if as_json:
        print_json("job", found)
        return
    _print_details(found)
    _say_next(found)


def logs(word: Job, follow: Follow = False, as_json_lines: JsonLines = False, as_json: Json = False) -> None:
    """Print the events of the newest run; go on with those that come."""
    if as_json and (follow or as_json_lines):
        raise ConfigError("json_or_jsonl")
    with open_workspace() as queue:
        job = queue.get(find_job(queue, word))
        if follow:
            with watching(job.id):
                print_events(follow_job(queue, job.id, max(0, job.run - 1)), as_lines_of_json=as_json_lines)
            return
        events = list(read_events(run_dir(queue.folder_of(job), job.run) / EVENTS_FILE))
    if as_json:
        print_json("job_logs", {"id": job.id, "run": job.run, "events": events})
        return
    print_events(events, as_lines_of_json=as_json_lines)
    if not events:
        say("jobs.no_events", status=status_word(job.status, job.kind))


def run_queue() -> None:
    """Work on the queue here until it is empty."""
    with open_workspace() as queue, EventPrinter() as printer:
        number = work_queue(queue, _tell_turn, printer)
    say("jobs.worked", count=number)


def _tell_turn(job: JobRow) -> None:
    say("jobs.turn", name=job.name, id=short_id(job.id), status=status_word(job.status, job.kind))


def _print_table(found: list[dict[str, Any]]) -> None:
    has_kinds = any(job["kind"] != "train" for job in found)
    names = ("id", "status", *(("kind",) if has_kinds else ()), "name", "progress", "created")
    table = folding_table(*(translate(f"jobs.column.{name}") for name in names), box=None, pad_edge=False)
    for job in found:
        kind = (translate(f"jobs.kind.{job['kind']}"),) if has_kinds else ()
        status = status_word(job["status"], job["kind"])
        row = (short_id(job["id"]), status, *kind, job["name"], _progress(job), local_time(job["created_at"])[5:])
        table.add_row(*(escape(visible(cell)) for cell in row))
    out.print(table, soft_wrap=False)


def _progress(job: dict[str, Any]) -> str:
    """Return in a few words how far a job is, or what came of it."""
    if job["status"] == "succeeded":
        return "" if job["final_loss"] is None else translate("jobs.loss", loss=f"{job['final_loss']:.3f}")
    percent = "" if job["percent"] is None else f"{job['percent']:.0f} %"
    if job["eta_seconds"] is None:
        return percent
    return f"{percent}  {translate('jobs.eta', eta=duration(job['eta_seconds']))}"


def _print_details(job: dict[str, Any]) -> None:
    status = status_word(job["status"], job["kind"])
    message = job["progress"]["message"] if job["status"] in ACTIVE else reason_text(job["reason"])
    details = [status, _progress(job), message]
    out.print(f"[bold]{escape(visible(job['name']))}[/bold]  {escape(job['id'])}")
    _field("status", "  ".join(text for text in details if text))
    _field("kind", translate(f"jobs.kind.{job['kind']}"))
    for name in SHOWN_FIELDS:
        if job[name] is not None:
            _field(name, local_time(job[name]) if name.endswith("_at") else str(job[name]))
    if len(job["runs"]) > 1:
        _field("runs", str(len(job["runs"])))
    for problem in _problems(job["error"], job["obstacle"]):
        out.print(f"  [red]{escape(problem['detail'])}[/red]")
        out.print(f"  [cyan]{escape(translate('cli.hint'))}:[/cyan] {escape(problem['hint'])}")


def _problems(error: dict[str, Any] | None, obstacle: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return what a job ended with, and what else keeps it from going on."""
    return [problem for problem in (error, None if obstacle == error else obstacle) if problem is not None]


def _field(name: str, value: str) -> None:
    out.print(f"  {escape(translate(f'jobs.field.{name}'))}: {escape(visible(value))}")


def _say_next(job: dict[str, Any]) -> None:
    """Say what most users do next with a job of this status."""
    word = short_id(job["id"])
    if job["status"] == "succeeded" and job["kind"] == "train" and Path(job["folder"]).is_dir():
        say_next("evaluate {job!q}", job=job["folder"])
        return
    verbs = {"paused": "resume", "failed": "retry", "canceled": "retry", "preparing": "logs -f", "running": "logs -f"}
    if job["status"] in verbs and job["obstacle"] is None:
        say_next(f"jobs {verbs[job['status']]} {{job!q}}", job=word)
    elif job["status"] in WAITING and not is_looked_after():
        say_next("serve")


app = typer.Typer(cls=ListingGroup, rich_markup_mode=None)
app.command("list", cls=HelpfulCommand, help=translate("jobs.list.help"))(list_jobs)
app.command("show", cls=HelpfulCommand, help=translate("jobs.show.help"))(show)
app.command("logs", cls=HelpfulCommand, help=translate("jobs.logs.help"))(logs)
for name, change in job_changes.CHANGES.items():
    app.command(name.replace("_", "-"), cls=HelpfulCommand, help=translate(f"jobs.{name}.help"))(change)
app.command("run", cls=HelpfulCommand, help=translate("jobs.run.help"))(run_queue)
