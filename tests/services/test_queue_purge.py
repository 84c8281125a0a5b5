"""What nobody was promised goes: folders of work whose maker was killed before it was queued or run."""

import os

import pytest

from llmlora.core.layout import new_id, work_root
from llmlora.services.launch import SCRATCH_SECONDS
from llmlora.services.queue_purge import trim


def folder_with(root, name, *files):
    folder = root / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).mkdir() if file in ("rows", "runs") else (folder / file).touch()
    moment = folder.stat().st_mtime - 2 * SCRATCH_SECONDS
    os.utime(folder, (moment, moment))
    return folder


@pytest.mark.parametrize("kind", ["train", "evaluate", "export"])
def test_folders_of_work_that_was_never_promised_go(database, kind):
    root = work_root(database.home, kind)
    gone = [folder_with(root, new_id(), *files) for files in ((), ("config.json",), ("rows",), ("config.json", "rows"))]
    queued = folder_with(root, new_id(), "config.json", "queue.json")
    run = folder_with(root, new_id(), "config.json", "rows", "runs")
    of_a_person = folder_with(root, "店の問い合わせ", "config.json")
    young = root / new_id()
    young.mkdir()
    trim(database)
    assert not any(folder.exists() for folder in gone)
    assert {folder for folder in root.iterdir() if folder.is_dir()} == {queued, run, of_a_person, young}


def test_a_workspace_without_work_has_nothing_to_lose(database):
    trim(database)
    assert not work_root(database.home, "train").exists()
