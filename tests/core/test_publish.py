"""Publishing: old state or new state, never a mixture; a broken folder is recognised."""

import errno
import os

import pytest

from llmlora.core import publish
from llmlora.core.errors import DiskFull

FILES = ("a.bin", "b.bin")


def write_folder(path, content=b"x" * 1000):
    with publish.publishing_dir(path, {"step": 3}) as folder:
        for name in FILES:
            (folder / name).write_bytes(content)


def test_a_published_folder_is_whole(tmp_path):
    write_folder(tmp_path / "out")
    manifest = publish.read_manifest(tmp_path / "out")
    assert manifest is not None
    assert manifest["step"] == 3
    assert set(manifest["files"]) == set(FILES)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize("name", [*FILES, "MANIFEST.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "flip"])
def test_every_damage_is_recognised(tmp_path, name, damage):
    write_folder(tmp_path / "out")
    path = tmp_path / "out" / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        flipped = bytes([data[0] ^ 1]) + data[1:]
        path.write_bytes({"empty": b"", "half": data[: len(data) // 2], "flip": flipped}[damage])
    assert publish.read_manifest(tmp_path / "out") is None


def test_a_failure_leaves_the_old_folder(tmp_path):
    write_folder(tmp_path / "out", b"old")
    with pytest.raises(RuntimeError), publish.publishing_dir(tmp_path / "out") as folder:
        (folder / "a.bin").write_bytes(b"new")
        raise RuntimeError("killed")
    assert (tmp_path / "out" / "a.bin").read_bytes() == b"old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out"]


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.mark.parametrize("point", range(1, 14))
def test_a_kill_at_every_system_call_leaves_old_or_new(tmp_path, monkeypatch, point):
    """Die at the n-th fsync or rename while a folder replaces another: what is left is whole, and never nothing."""
    write_folder(tmp_path / "out", b"old")
    calls = {"left": point}

    def dying(function):
        def wrapper(*arguments, **options):
            calls["left"] -= 1
            if calls["left"] == 0:
                monkeypatch.undo()
                monkeypatch.setattr(publish.shutil, "rmtree", lambda *_, **__: None)  # a dead process cleans nothing
                raise Killed
            return function(*arguments, **options)

        return wrapper

    monkeypatch.setattr(publish.os, "fsync", dying(os.fsync))
    monkeypatch.setattr(publish.Path, "rename", dying(publish.Path.rename))
    died = False
    try:
        write_folder(tmp_path / "out", b"new")
    except Killed:
        died = True
    monkeypatch.undo()
    whole = [entry for entry in tmp_path.iterdir() if publish.read_manifest(entry)]
    contents = {(entry / "a.bin").read_bytes() for entry in whole}
    assert contents <= {b"old", b"new"}
    assert contents, "neither the old nor the new folder survived"
    if (tmp_path / "out").exists():
        assert publish.read_manifest(tmp_path / "out") is not None
    assert died or (tmp_path / "out" / "a.bin").read_bytes() == b"new"


def test_no_space_left_is_a_typed_error_and_keeps_the_old_file(tmp_path, monkeypatch):
    publish.write_text(tmp_path / "x.txt", "old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publish.os, "fsync", full)
    with pytest.raises(DiskFull):
        publish.write_text(tmp_path / "x.txt", "new")
    monkeypatch.undo()
    assert (tmp_path / "x.txt").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.txt"]
