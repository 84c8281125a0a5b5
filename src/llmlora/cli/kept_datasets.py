"""`llmlora dataset add | list | show | delete | undo-delete`: the datasets that the workspace keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from llmlora.cli.completion import dataset_words, deleted_dataset_words
from llmlora.cli.dataset_report import print_report
from llmlora.cli.next_command import say_next
from llmlora.cli.output import folding_table, out, print_json, say, visible
from llmlora.cli.progress import local_time
from llmlora.cli.words import columns_of
from llmlora.core.assets import BASE_MODEL
from llmlora.core.layout import home_dir
from llmlora.core.locale import translate
from llmlora.data.container import require_file
from llmlora.services import kept_datasets as kept
from llmlora.services.dataset_documents import dataset_details, dataset_summary
from llmlora.services.find import dataset_word, find_dataset, short_id
from llmlora.services.kept_datasets import NewDataset
from llmlora.services.workspace import open_workspace
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow

File = Annotated[Path, typer.Argument(metavar="FILE", help=translate("data.option.file"))]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help=translate("data.option.kept_name"))]
Description = Annotated[str, typer.Option("--description", metavar="TEXT", help=translate("data.option.description"))]
Format = Annotated[str | None, typer.Option("--format", help=translate("data.option.format"))]
Columns = Annotated[list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help=translate("data.option.map"))]
Encoding = Annotated[str | None, typer.Option("--encoding", help=translate("data.option.encoding"))]
Dataset = Annotated[
    str, typer.Argument(metavar="DATASET", help=translate("data.option.dataset"), autocompletion=dataset_words)
]
Deleted = Annotated[
    str, typer.Argument(metavar="DATASET", help=translate("data.option.dataset"), autocompletion=deleted_dataset_words)
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=500, help=translate("jobs.option.limit"))]
Json = Annotated[bool, typer.Option("--json", help=translate("data.option.json"))]

COLUMNS = ("id", "name", "format", "examples", "state", "created")


def add(
    file: File,
    name: Name = None,
    description: Description = "",
    data_format: Format = None,
    columns: Columns = None,
    encoding: Encoding = None,
    as_json: Json = False,
) -> None:
    """Keep a copy of a data file in the workspace, checked; one with bad rows is kept, too."""
    require_file(file)
    new = NewDataset(name or file.stem, description, data_format, file.name, encoding, columns_of(columns))
    with open_workspace() as queue, file.open("rb") as stream:
        found = dataset_details(queue, kept.keep_file(queue.database, new, stream))
        word = dataset_word(queue, found["id"], found["name"])
    if as_json:
        print_json("dataset", found)
        return
    say("data.added", name=found["name"], id=short_id(found["id"]))
    _show(file, found, word)


def list_datasets(limit: Limit = 20, as_json: Json = False) -> None:
    """List the newest datasets of the workspace."""
    with open_workspace() as queue:
        page = kept.page_of_datasets(queue.database, None, limit)
        found = [dataset_summary(queue, row) for row in page.items]
    if as_json:
        print_json("datasets", {"datasets": found, "has_more": page.next_cursor is not None})
        return
    if not found:
        say("data.none_kept", path=home_dir())
        return
    table = folding_table(*(translate(f"data.column.{name}") for name in COLUMNS), box=None, pad_edge=False)
    for row in found:
        cells = (short_id(row["id"]), row["name"], _type(row), str(row["num_examples"]), _state(row))
        table.add_row(*(escape(visible(cell)) for cell in (*cells, local_time(row["created_at"])[5:])))
    out.print(table, soft_wrap=False)
    if page.next_cursor is not None:
        say("jobs.more", count=len(found))


def show(word: Dataset, as_json: Json = False) -> None:
    """Show one dataset with the problems of its rows."""
    with open_workspace() as queue:
        found = dataset_details(queue, kept.get_dataset(queue.database, find_dataset(queue, word)))
        word = dataset_word(queue, found["id"], found["name"])
    if as_json:
        print_json("dataset", found)
        return
    out.print(f"[bold]{escape(visible(found['name']))}[/bold]  {escape(found['id'])}")
    if found["description"]:
        out.print(f"  {escape(visible(found['description']))}")
    _show(Path(found["path"]), found, word)


def delete(word: Dataset, as_json: Json = False) -> None:
    """Delete a dataset with its file; it can be had back for ten seconds."""
    row = _changed(word, kept.delete_dataset, as_json)
    if row is not None:
        say("data.deleted", name=row.name, id=short_id(row.id))
        say_next("dataset undo-delete {dataset!q}", dataset=short_id(row.id))


def undo_delete(word: Deleted, as_json: Json = False) -> None:
    """Have a dataset back that was deleted a moment ago."""
    row = _changed(word, kept.undo_delete_dataset, as_json, deleted=True)
    if row is not None:
        say("data.undone", name=row.name, id=short_id(row.id))


VERBS: Final[dict[str, Callable[..., Any]]] = {
    "add": add,
    "list": list_datasets,
    "show": show,
    "delete": delete,
    "undo_delete": undo_delete,
}


def _changed(
    word: str, change: Callable[[Database, str], DatasetRow], as_json: bool, *, deleted: bool = False
) -> DatasetRow | None:
    """Change a dataset and return it, or print its document and return None."""
    with open_workspace() as queue:
        row = change(queue.database, find_dataset(queue, word, deleted=deleted))
        if not as_json:
            return row
        print_json("dataset_changed", dataset_summary(queue, row))
        return None


def _show(path: Path, found: dict[str, Any], word: str) -> None:
    """Show what the check found, and what comes next; `word` means this dataset."""
    counts = Counter(problem["code"] for problem in found["problems"])
    print_report(path, {**found, "counts": counts, "columns": {}})
    if found["ok"]:
        say_next("train --model {model!q} --data {data!q}", model=BASE_MODEL, data=word)


def _type(row: dict[str, Any]) -> str:
    return translate(f"api.dataset_type.{row['format']}") if row["format"] else "-"


def _state(row: dict[str, Any]) -> str:
    return translate("data.state.ok" if row["ok"] else "data.state.errors")
