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


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (RuntimeError("size mismatch"), False),
    ],
)
def test_a_full_disk_is_recognised_in_any_librarys_words(tmp_path, error, is_full):
    """safetensors is written in Rust and raises no OSError."""
    with pytest.raises(Exception) as caught, publish.disk_errors(tmp_path / "not" / "there"):
        raise error
    assert isinstance(caught.value, DiskFull) == is_full
    if is_full:
        assert caught.value.params["free_bytes"] > 0
        assert caught.value.__cause__ is error


def test_the_nearest_parent_that_exists_is_asked(tmp_path):
    assert publish.existing_parent(tmp_path / "a" / "b") == tmp_path
    assert publish.existing_parent(tmp_path) == tmp_path
    assert publish.free_bytes(tmp_path / "a" / "b") == publish.free_bytes(tmp_path)


def test_numbers_that_no_reader_could_load_are_never_written(tmp_path):
    publish.write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError):
        publish.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert publish.read_json(tmp_path / "a.json") == {"x": 1}


def test_a_digest_depends_on_values_and_not_on_their_order():
    assert publish.sha256_json({"a": 1, "b": [1, 2]}) == publish.sha256_json({"b": [1, 2], "a": 1})
    assert publish.sha256_json({"a": 1}) != publish.sha256_json({"a": 1.5})
    assert publish.sha256_json([1, 2]) != publish.sha256_json([2, 1])
    assert publish.sha256_json("\ud83d")  # a lone surrogate has a digest too


def test_leftovers_of_a_killed_process_do_not_stop_the_next(tmp_path):
    (tmp_path / f".tmp-out-{os.getpid()}").mkdir()
    (tmp_path / f".tmp-out-{os.getpid()}" / "half").write_text("x")
    write_folder(tmp_path / "out")
    assert set(publish.read_manifest(tmp_path / "out")["files"]) == set(FILES)


def test_files_in_folders_are_part_of_the_manifest(tmp_path):
    with publish.publishing_dir(tmp_path / "out") as folder:
        (folder / "deep" / "er").mkdir(parents=True)
        (folder / "deep" / "er" / "a.bin").write_bytes(b"1")
    assert list(publish.read_manifest(tmp_path / "out")["files"]) == ["deep/er/a.bin"]
    (tmp_path / "out" / "deep" / "er" / "a.bin").write_bytes(b"2")
    assert publish.read_manifest(tmp_path / "out") is None


@pytest.mark.parametrize("content", ["[]", "{}", '{"files": 3}', '{"files": {"a": {}}}', '{"files": {"../x": 1}}'])
def test_a_manifest_of_another_shape_is_no_manifest(tmp_path, content):
    (tmp_path / "MANIFEST.json").write_text(content)
    assert publish.read_manifest(tmp_path) is None
