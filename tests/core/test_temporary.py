"""Temporary names and claims: nobody's living work is taken for rubbish, and what the dead leave is removed."""

import os
import signal
import subprocess
import sys

import pytest

from llmlora.core.errors import Conflict
from llmlora.core.temporary import claimed, own_temporary, remove_leftovers

HOLD = """
import sys, time
from pathlib import Path
from llmlora.core.temporary import claimed, own_temporary
path = Path(sys.argv[1])
with claimed(path), own_temporary(path) as file, own_temporary(path, is_folder=True) as folder:
    file.write_text("half")
    (folder / "part").write_text("half")
    print("holding", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that is writing `tmp_path/out`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "holding\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_two_temporaries_of_one_path_are_two_and_both_go_away(tmp_path):
    with own_temporary(tmp_path / "out") as first, own_temporary(tmp_path / "out") as second:
        first.write_text("1")
        second.write_text("2")
        assert (first.read_text(), second.read_text()) == ("1", "2")
    assert names(tmp_path) == []


def test_what_a_killed_writer_leaves_is_removed_and_nothing_of_a_living_one(tmp_path, holder):
    before = names(tmp_path)
    assert len(before) == 3
    with own_temporary(tmp_path / "out"):
        remove_leftovers(tmp_path)
    assert names(tmp_path) == before, "it lives"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with own_temporary(tmp_path / "other"):
        pass
    assert names(tmp_path) == before, "only the next writer of the same name tidies up"
    with own_temporary(tmp_path / "out") as own:
        assert set(names(tmp_path)) - {own.name} == {".tmp-out.lock"}
    with claimed(tmp_path / "out"):
        pass
    assert names(tmp_path) == []


def test_a_stopped_writer_is_a_living_one(tmp_path, holder):
    os.kill(holder.pid, signal.SIGSTOP)
    before = names(tmp_path)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == before


def test_files_of_others_that_only_look_alike_stay(tmp_path):
    (tmp_path / ".tmp-out-notes").write_text("mine")
    with own_temporary(tmp_path / "out"):
        pass
    assert names(tmp_path) == [".tmp-out-notes"]


def test_one_at_a_time_holds_a_path_over_processes_and_threads(tmp_path, holder):
    with pytest.raises(Conflict) as caught, claimed(tmp_path / "out"):
        pass
    assert (caught.value.code, caught.value.params["path"]) == ("output_busy", str(tmp_path / "out"))
    with claimed(tmp_path / "other"), pytest.raises(Conflict), claimed(tmp_path / "other"):
        pass
    with claimed(tmp_path / "other"):
        pass
    holder.kill()
    holder.wait()
    with claimed(tmp_path / "out"):
        pass


def test_the_longest_names_have_temporaries_of_their_own(tmp_path):
    """85 kana are 255 bytes, all that a file system allows."""
    first, second = tmp_path / ("あ" * 85), tmp_path / ("あ" * 84 + "い")
    with claimed(first), claimed(second), own_temporary(first) as file, own_temporary(second, is_folder=True) as folder:
        file.rename(first)
        folder.rename(second)
    assert first.is_file()
    assert second.is_dir()
