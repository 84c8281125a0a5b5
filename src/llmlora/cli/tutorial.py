"""`llmlora tutorial`: the course in the terminal, with what is done already."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.markup import escape

from llmlora.cli.groups import ListingGroup
from llmlora.cli.help_page import HelpfulCommand
from llmlora.cli.next_command import say_next
from llmlora.cli.output import folding_table, out, print_json, say, visible
from llmlora.cli.progress import EventPrinter
from llmlora.core.errors import ConfigError
from llmlora.core.locale import current_language, translate
from llmlora.core.writable import require_output
from llmlora.services.tutorial_documents import lesson_summary, lesson_view, state_document
from llmlora.services.tutorial_steps import READ_STEPS, StepState, keep_folder, mark_read, steps_of
from llmlora.services.tutorial_trial import try_lesson
from llmlora.services.tutorials import Lesson, LessonJob, find_lesson, find_step, lessons
from llmlora.services.workspace import open_workspace

Level = Annotated[int, typer.Argument(metavar="LEVEL", help=translate("tutorial.option.level"))]
AnyLevel = Annotated[int | None, typer.Argument(metavar="LEVEL", help=translate("tutorial.option.level"))]
Out = Annotated[Path | None, typer.Option("--out", help=translate("tutorial.option.out"))]
Whole = Annotated[bool, typer.Option("--whole", help=translate("tutorial.option.whole"))]
All = Annotated[bool, typer.Option("--all", help=translate("tutorial.option.all"))]
Json = Annotated[bool, typer.Option("--json", help=translate("data.option.json"))]
RULE = re.compile(r"\|[-| ]+\|$")  # between the head of a table and its rows
MARKS = {"done": "[green]✓[/green]", "open": "·", "running": "…", "differs": "[yellow]![/yellow]"}


def list_lessons(as_json: Json = False) -> None:
    """List the levels and how far each is."""
    with open_workspace() as queue:
        found = [lesson_summary(queue, lesson) for lesson in lessons()]
    if as_json:
        print_json("tutorials", {"tutorials": found})
        return
    heads = ("level", "title", "minutes", "progress")
    table = folding_table(*(translate(f"tutorial.column.{name}") for name in heads), box=box.SIMPLE_HEAD)
    for lesson in found:
        progress = f"{lesson['num_done']} / {lesson['num_steps']}"
        table.add_row(str(lesson["level"]), escape(lesson["title"]), str(lesson["minutes"]), progress)
    out.print(table, soft_wrap=False)
    current = next((lesson for lesson in found if lesson["num_done"] < lesson["num_steps"]), found[-1])
    say_next("tutorial start {level}", level=current["level"])


def start(level: Level, folder: Out = None, whole: Whole = False, as_json: Json = False) -> None:
    """Show what is done of a lesson and the steps that come next."""
    lesson = find_lesson(level)
    if folder is not None:
        _make_folder(lesson, folder)
    with open_workspace() as queue:
        if folder is not None:
            keep_folder(queue.database.home, lesson, folder)
        shown = lesson_view(queue, lesson)
        if as_json:
            print_json("tutorial", shown)
            return
        _print_lesson(shown, whole)
        for step in _next_steps(shown["steps"]):
            if step["kind"] in READ_STEPS:
                mark_read(queue.database.home, lesson, find_step(lesson, step["id"]))
    is_done = all(step["state"] == "done" for step in shown["steps"])
    say_next("tutorial check {level}" if is_done else "tutorial start {level}", level=level)


def _make_folder(lesson: Lesson, folder: Path) -> None:
    """Make the folder in which a lesson is practised, and put its data there; what is there already stays."""
    require_output(folder, "--out")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / lesson.dataset).exists():
        shutil.copyfile(lesson.data_path, folder / lesson.dataset)
    say("tutorial.folder", path=folder, file=lesson.dataset)


def _print_lesson(shown: dict[str, Any], whole: bool) -> None:
    out.print(f"[bold]{escape(shown['title'])}[/bold]")
    for number, step in enumerate(shown["steps"], 1):
        out.print(f"  {MARKS[step['state']]} {number}. {escape(step['title'])}")
        _print_findings(step)
    if whole or all(step["state"] == "open" for step in shown["steps"]):
        _print_text(shown["intro"])
    for step in shown["steps"] if whole else _next_steps(shown["steps"]):
        out.print(f"\n[bold]{escape(step['title'])}[/bold]")
        _print_text(step["text"])


def _print_text(text: str) -> None:
    """Print the text of a lesson line by line, so that a long command stays one line that can be pasted."""
    is_command = False
    for line in text.split("\n"):
        if line.startswith("```"):
            is_command = not is_command
        elif is_command:
            out.print(f"    {escape(line)}", style="cyan")
        elif not RULE.match(line):
            out.print(escape(line.replace("**", "")), style="dim" if line.startswith(">") else None)


def _next_steps(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the steps up to the first that asks for work and is not done: reading needs no command of its own."""
    found = []
    for step in steps:
        if step["state"] == "done":
            continue
        found.append(step)
        if step["kind"] not in READ_STEPS:
            break
    return found


def _print_findings(step: dict[str, Any]) -> None:
    for text in step["texts"]:
        out.print(f"      {escape(visible(text))}", style="dim" if step["state"] == "done" else None)


def check(level: AnyLevel = None, check_all: All = False, as_json: Json = False) -> int:
    """Check what was done of a lesson; what was not is tried here, in a folder of its own."""
    if check_all == (level is not None):
        raise ConfigError("tutorial_level_or_all", known=", ".join(str(lesson.level) for lesson in lessons()))
    chosen = lessons() if level is None else (find_lesson(level),)
    reports = [_checked(lesson, is_tried=check_all, as_json=as_json) for lesson in chosen]
    is_good = all(report["ok"] for report in reports)
    if as_json:
        print_json("tutorial_check", {"ok": is_good, "levels": reports})
    return 0 if is_good else 1


def _checked(lesson: Lesson, is_tried: bool, as_json: bool) -> dict[str, Any]:
    """Check one lesson; it is tried where it was not done whole, or always."""
    with open_workspace() as queue:
        own = steps_of(queue, lesson)
    work = [state for state in own if state.step.kind not in READ_STEPS]
    if not as_json:
        _print_states("tutorial.own", lesson, own)
    tried, seconds = None, None
    if is_tried or any(state.state in ("open", "running") for state in work):
        say("tutorial.trying_all" if is_tried else "tutorial.trying", level=lesson.level)
        with EventPrinter() as printer:
            found = try_lesson(lesson, printer, _tell_job)
        tried, seconds = found["steps"], found["seconds"]
        if not as_json:
            _print_states("tutorial.tried", lesson, tried)
    states = [*own, *(tried or [])]
    is_good = not any(state.state == "differs" for state in states)
    if not as_json:
        key = "tutorial.good" if is_good else "tutorial.differs"
        out.print(escape(translate(key, level=lesson.level)))
    return {
        "level": lesson.level,
        "ok": is_good,
        "own": [state_document(state, lesson) for state in own],
        "tried": None if tried is None else [state_document(state, lesson) for state in tried],
        "seconds": seconds,
    }


def _tell_job(job: LessonJob) -> None:
    say("tutorial.job", name=job.names[current_language()])


def _print_states(key: str, lesson: Lesson, states: Sequence[StepState]) -> None:
    out.print(f"[bold]{escape(translate(key, level=lesson.level))}[/bold]")
    for state in states:
        shown = state_document(state, lesson)
        out.print(f"  {MARKS[state.state]} {escape(shown['title'])}")
        _print_findings(shown)


app = typer.Typer(cls=ListingGroup, rich_markup_mode=None)
app.command("list", cls=HelpfulCommand, help=translate("tutorial.list.help"))(list_lessons)
app.command("start", cls=HelpfulCommand, help=translate("tutorial.start.help"))(start)
app.command("check", cls=HelpfulCommand, help=translate("tutorial.check.help"))(check)
