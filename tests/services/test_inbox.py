"""Files in the inbox become datasets, once each; what is none is told and put aside."""

import json
import os

import pytest

from llmlora.core.errors import DiskFull
from llmlora.services import inbox as inboxes
from llmlora.services.inbox import Inbox
from llmlora.services.kept_datasets import page_of_datasets
from llmlora.store import events
from llmlora.store.opening import open_store

GOOD = "".join(
    json.dumps({"instruction": f"質問{n}", "output": f"答え{n}"}, ensure_ascii=False) + "\n" for n in range(3)
)


@pytest.fixture
def inbox(home):
    database = open_store(home)
    made = Inbox(database)
    made.folder.mkdir(parents=True)
    made.database = database
    yield made
    database.close()


def kept(inbox):
    return [(row.name, row.num_examples) for row in page_of_datasets(inbox.database, None, 50).items]


def told(inbox):
    with inbox.database.read() as connection:
        return [(event.type, event.data) for event in events.after(connection, 0)]


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_becomes_a_dataset_when_it_has_stopped_growing(inbox):
    path = inbox.folder / "店の質問.jsonl"
    path.write_text(GOOD[:20], encoding="utf-8")
    assert inbox.look() == []
    path.write_text(GOOD, encoding="utf-8")
    assert inbox.look() == []
    assert inbox.look() == ["店の質問.jsonl"]
    assert kept(inbox) == [("店の質問", 3)]
    assert names(inbox.folder) == ["done/店の質問.jsonl"]
    [(event_type, data)] = told(inbox)
    assert (event_type, data["file"], data["ok"]) == ("dataset_made", "店の質問.jsonl", True)
    assert inbox.look() == []


def test_what_is_no_dataset_is_told_and_put_aside(inbox):
    for _ in range(2):
        (inbox.folder / "page.json").write_text("<html>", encoding="utf-8")
        inbox.look()
        inbox.look()
    assert kept(inbox) == []
    assert names(inbox.folder) == ["failed/page-2.json", "failed/page.json"]
    event_type, data = told(inbox)[0]
    assert (event_type, data["error"]["code"]) == ("inbox_failed", "html_file")


def test_what_was_taken_by_a_server_that_died_is_not_taken_again(inbox, monkeypatch):
    (inbox.folder / "a.jsonl").write_text(GOOD, encoding="utf-8")
    monkeypatch.setattr(inbox, "_move", lambda *_: None)
    inbox.look()
    inbox.look()
    following = Inbox(inbox.database)
    following.look()
    assert following.look() == ["a.jsonl"]
    assert kept(inbox) == [("a", 3)]
    assert names(inbox.folder) == ["done/a.jsonl"]


def test_links_folders_and_downloads_are_passed_over(inbox, tmp_path):
    (tmp_path / "secret.jsonl").write_text(GOOD, encoding="utf-8")
    (inbox.folder / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (inbox.folder / "folder").mkdir()
    os.mkfifo(inbox.folder / "pipe")
    for name in (".hidden", "a.jsonl.part", "b.crdownload"):
        (inbox.folder / name).write_text(GOOD, encoding="utf-8")
    inbox.look()
    assert inbox.look() == []


def test_a_full_disk_leaves_the_file_for_later(inbox, monkeypatch):
    (inbox.folder / "a.jsonl").write_text(GOOD, encoding="utf-8")

    def full(*_):
        raise DiskFull("no_room_for_data", needed_bytes=1, reserve_bytes=1, free_bytes=1)

    monkeypatch.setattr(inboxes, "require_room", full)
    inbox.look()
    assert inbox.look() == ["a.jsonl"]
    assert inbox.look() == []  # not at once
    assert (names(inbox.folder), told(inbox)[0][0]) == (["a.jsonl"], "inbox_failed")
    monkeypatch.undo()
    inbox._later.clear()
    assert inbox.look() == ["a.jsonl"]
    assert kept(inbox) == [("a", 3)]


def test_it_looks_by_itself(inbox):
    quick = Inbox(inbox.database, seconds=0.01)
    quick.folder.rmdir()
    quick.start()
    (quick.folder / "a.jsonl").write_text(GOOD, encoding="utf-8")
    seen = 0
    while not told(inbox):
        seen = inbox.database.wait_for_write(seen, 5.0)
    quick.stop()
    assert kept(inbox) == [("a", 3)]
