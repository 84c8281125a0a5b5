"""Publishing: old state or new state, never a mixture; a broken folder is recognised."""

import errno
import json
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

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


def test_the_nearest_parent_that_exists_is_asked(tmp_path, monkeypatch):
    assert publish.existing_parent(tmp_path / "a" / "b") == tmp_path
    assert publish.existing_parent(tmp_path) == tmp_path
    monkeypatch.setattr(publish.shutil, "disk_usage", lambda path: SimpleNamespace(free=len(str(path))))
    assert publish.free_bytes(tmp_path / "a" / "b") == len(str(tmp_path))


def test_numbers_that_no_reader_could_load_are_never_written(tmp_path):
    publish.write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError):
        publish.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert publish.read_json(tmp_path / "a.json") == {"x": 1}


def test_the_name_of_a_file_that_is_no_utf8_comes_back_as_it_was(tmp_path):
    name = os.fsdecode("日本".encode() + b"\xff")
    for write in (publish.write_json, publish.create_json):
        path = tmp_path / f"{write.__name__}.json"
        write(path, {"path": name})
        assert publish.read_json(path) == {"path": name} and "日本" in path.read_text(encoding="utf-8")


def test_a_digest_depends_on_values_and_not_on_their_order():
    assert publish.sha256_json({"a": 1, "b": [1, 2]}) == publish.sha256_json({"b": [1, 2], "a": 1})
    assert publish.sha256_json({"a": 1}) != publish.sha256_json({"a": 1.5})
    assert publish.sha256_json([1, 2]) != publish.sha256_json([2, 1])
    assert publish.sha256_json("\ud83d")  # a lone surrogate has a digest too


def together(work, count=4):
    """Run `work(number)` in threads at once and return what they raised."""
    failures, barrier = [], threading.Barrier(count)

    def one(number):
        barrier.wait()
        try:
            work(number)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_threads_that_write_one_file_all_succeed_and_a_reader_always_finds_a_whole_one(tmp_path):
    path = tmp_path / "a.json"
    publish.write_json(path, {"writer": -1, "text": "x" * 5000})

    def write(number):
        for _ in range(60):
            publish.write_json(path, {"writer": number, "text": "x" * 5000})
            assert len(publish.read_json(path)["text"]) == 5000

    assert together(write) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


REPLACE = """
import sys
from pathlib import Path
from llmlora.core import publish
for turn in range(25):
    with publish.publishing_dir(Path(sys.argv[1])) as folder:
        for name in ("a", "b"):
            (folder / name).write_text(f"{sys.argv[2]} {turn}")
"""


def test_processes_that_replace_one_folder_all_succeed_and_it_is_whole_at_every_moment(tmp_path):
    path = tmp_path / "out"
    write_folder(path)
    processes = [subprocess.Popen([sys.executable, "-c", REPLACE, str(path), str(n)]) for n in range(3)]
    gaps = 0
    while any(process.poll() is None for process in processes):
        gaps += not path.is_dir()
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert gaps == 0 or not sys.platform.startswith("linux"), "a moment without a folder"
    assert publish.read_manifest(path) is not None
    assert (path / "a").read_text() == (path / "b").read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_folder_is_replaced_where_the_system_cannot_swap_two_names(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "_exchange", lambda *_: False)
    write_folder(tmp_path / "out", b"old")
    assert together(lambda number: [write_folder(tmp_path / "out", b"new") for _ in range(10)]) == []
    assert publish.read_manifest(tmp_path / "out") is not None
    assert (tmp_path / "out" / "a.bin").read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_folder_named_by_its_content_is_published_once_and_repaired_when_damaged(tmp_path):
    path = tmp_path / "hash"

    def save(_):
        with publish.publishing_dir(path, existing="keep") as folder:
            (folder / "a.bin").write_bytes(b"same")

    assert together(save) == []
    first = path.stat().st_ino
    save(0)
    assert path.stat().st_ino == first, "readers keep the folder that they have"
    (path / "a.bin").write_bytes(b"damaged")
    save(0)
    assert (path / "a.bin").read_bytes() == b"same"
    assert [entry.name for entry in tmp_path.iterdir()] == ["hash"]


def test_of_writers_of_a_new_folder_one_wins_and_the_others_are_told(tmp_path):
    def create(number):
        with publish.publishing_dir(tmp_path / "out", existing="refuse") as folder:
            (folder / "a").write_text(str(number))

    assert [type(error) for error in together(create)] == [FileExistsError] * 3
    assert publish.read_manifest(tmp_path / "out") is not None
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("has_links", [True, False])
def test_of_writers_of_a_new_file_one_wins_and_the_others_are_told(tmp_path, monkeypatch, has_links):
    def no_links(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if not has_links:
        monkeypatch.setattr(publish.os, "link", no_links)
    path = tmp_path / "a.json"
    failures = together(lambda number: publish.create_json(path, {"writer": number}))
    assert [type(error) for error in failures] == [FileExistsError] * 3
    assert set(publish.read_json(path)) == {"writer"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_new_files_have_the_rights_that_the_user_wants(tmp_path):
    old = os.umask(0o027)
    try:
        publish.write_text(tmp_path / "a", "x")
        write_folder(tmp_path / "out")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750


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


def test_a_manifest_that_was_changed_is_none(tmp_path):
    with publish.publishing_dir(tmp_path / "out", {"train": {"seed": 1}}) as folder:
        (folder / "a").write_text("x")
    manifest = tmp_path / "out" / "MANIFEST.json"
    manifest.write_text(manifest.read_text().replace('"seed": 1', '"seed": 3'))
    assert publish.read_manifest(tmp_path / "out") is None


def test_a_manifest_of_before_it_had_a_digest_of_its_own_counts(tmp_path):
    with publish.publishing_dir(tmp_path / "out", {"step": 3}) as folder:
        (folder / "a").write_text("x")
    manifest = tmp_path / "out" / "MANIFEST.json"
    content = json.loads(manifest.read_text())
    del content["manifest_sha256"]
    manifest.write_text(json.dumps(content))
    assert publish.read_manifest(tmp_path / "out")["step"] == 3
