"""Publish files and folders so that a kill or a power cut at any moment leaves either the old state or the new one.

Everything is written under a temporary name, flushed to the disk, and renamed; a folder gets a `MANIFEST.json` with
the size and SHA-256 of each file as its last member, so that a reader can tell a whole folder from a broken one.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from llmlora.core.errors import DiskFull, InputError, ResourceError
from llmlora.core.layout import MANIFEST_FILE, REPORT_FILE
from llmlora.core.temporary import own_temporary

Existing = Literal["replace", "keep", "refuse"]
MANIFEST_DIGEST = "manifest_sha256"
TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux


def sha256_file(path: Path) -> str:
    """Return the hex SHA-256 of a file, read in 1 MiB pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def sha256_json(value: Any) -> str:
    """Return the hex SHA-256 of a JSON value in canonical form."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def fsync_path(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn "no space left" of any library into `DiskFull` naming the folder."""
    try:
        yield
    except Exception as error:
        if is_disk_full(error):
            raise DiskFull("disk_full", path=str(path), free_bytes=free_bytes(path)) from error
        raise


def is_disk_full(error: Exception) -> bool:
    """Tell whether an exception means that the disk is full; libraries written in Rust say it in words only."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return any(f"os error {number}" in str(error) for number in (errno.ENOSPC, errno.EDQUOT))


def not_permitted(error: PermissionError) -> ResourceError:
    """Return the typed error for a file or folder that the system does not let us use."""
    return ResourceError("not_permitted", path=str(error.filename or "?"), detail=error.strerror or str(error))


def free_bytes(path: Path) -> int:
    """Return the free bytes of the disk that holds `path` (or its nearest existing parent)."""
    return shutil.disk_usage(existing_parent(path)).free


def existing_parent(path: Path) -> Path:
    """Return `path` itself when it exists, else its nearest parent that does."""
    existing = path.absolute()
    while not existing.exists():
        existing = existing.parent
    return existing


def write_text(path: Path, text: str) -> None:
    """Replace a text file atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file atomically; non-finite numbers are refused because no reader could load them."""
    write_bytes(path, _json_bytes(value))


def create_json(path: Path, value: Any) -> None:
    """Write a new JSON file; raise FileExistsError when another writer was first."""
    with replacing(path, exclusive=True) as temporary:
        temporary.write_bytes(_json_bytes(value))


def _json_bytes(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")  # a file's name that is no UTF-8: as JSON spells it, too


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_document(path: Path) -> dict[str, Any]:
    """Read a report, result or another document that a worker wrote.

    Raises:
        InputError: `damaged_report` or `damaged_record`, somebody damaged it.
    """
    try:
        return dict(read_json(path))
    except (ValueError, TypeError) as error:
        code = "damaged_report" if path.name == REPORT_FILE else "damaged_record"
        detail = str(error).splitlines()[0]
        raise InputError(code, path=str(path), folder=str(path.parent), detail=detail) from error


@contextmanager
def replacing(path: Path, *, exclusive: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success flush it and rename it to `path`, on failure delete it.

    Of several writers the last to end wins with its whole file. With `exclusive` the first wins.

    Raises:
        FileExistsError: `exclusive`, and there is a file of that name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(path.parent), own_temporary(path) as temporary:
        yield temporary
        fsync_path(temporary)
        if exclusive:
            _rename_to_free(temporary, path)
        else:
            temporary.replace(path)
        fsync_path(path.parent)


def link_or_copy(source: Path, path: Path) -> None:
    """Give a file that nobody changes any more a second place; where the disk can, both share its bytes.

    Raises:
        FileExistsError: there is a file of that name.
    """
    try:
        os.link(source, path)
    except FileExistsError:
        raise
    except OSError:  # another disk, or one without links
        with replacing(path, exclusive=True) as temporary:
            shutil.copyfile(source, temporary)


@contextmanager
def replacing_together(paths: Sequence[Path], *, exclusive: bool = False) -> Iterator[list[Path]]:
    """Yield temporary paths for files of one folder that belong together; on success all of them are replaced.

    A kill at any moment leaves all old, all new, or the first one missing: it never stands beside others that were
    not written with it. On failure the old ones are put back.

    Raises:
        FileExistsError: `exclusive`, and there is a file of one of these names.
    """
    if len(paths) == 1:
        with replacing(paths[0], exclusive=exclusive) as temporary:
            yield [temporary]
        return
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(paths[0].parent), ExitStack() as stack:
        temporaries = [stack.enter_context(own_temporary(path)) for path in paths]
        yield temporaries
        for temporary in temporaries:
            fsync_path(temporary)
        asides = [] if exclusive else [stack.enter_context(own_temporary(path)) for path in paths]
        _replace_together(temporaries, paths, asides)


def _replace_together(temporaries: Sequence[Path], paths: Sequence[Path], asides: Sequence[Path]) -> None:
    """Move old files aside, the first one first, and new ones in their places, the first one last."""
    folder = paths[0].parent
    moved: list[tuple[Path, Path]] = []
    placed: list[Path] = []
    try:
        for path, aside in zip(paths, asides, strict=False):
            if path.exists():
                path.replace(aside)
                moved.append((path, aside))
                fsync_path(folder)
        for temporary, path in reversed(list(zip(temporaries, paths, strict=True))):
            if asides:
                temporary.replace(path)
            else:
                _rename_to_free(temporary, path)
            placed.append(path)
            fsync_path(folder)
    except BaseException:
        for path in reversed(placed):
            path.unlink(missing_ok=True)
        for path, aside in reversed(moved):
            aside.replace(path)
        raise


def _rename_to_free(temporary: Path, path: Path) -> None:
    """Give a file its name unless it is taken; a link does that in one step."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: take the name, then fill it
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        temporary.replace(path)


@contextmanager
def publishing_dir(
    path: Path, manifest: dict[str, Any] | None = None, *, existing: Existing = "replace"
) -> Iterator[Path]:
    """Yield a temporary folder; on success write its manifest, flush everything and rename it to `path`.

    What happens to a folder of that name: `replace` puts the new one in its place at once, `keep` leaves a whole one
    (its name says its content, so both are the same), `refuse` raises.

    Raises:
        FileExistsError: `refuse`, and there is something of that name other than an empty folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(path.parent), own_temporary(path, is_folder=True) as temporary:
        yield temporary
        _write_manifest(temporary, manifest or {})
        _put_in_place(temporary, path, existing)
        fsync_path(path.parent)


def _put_in_place(temporary: Path, path: Path, existing: Existing) -> None:
    while True:
        try:
            temporary.rename(path)  # over nothing or an empty folder; never over another writer's
        except OSError as error:
            if error.errno not in TAKEN:
                raise
            if existing == "refuse":
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        else:
            return
        if existing == "keep" and read_manifest(path) is not None:
            return
        if _exchange(temporary, path) or _rename_in_two_steps(temporary, path):
            return


def _exchange(temporary: Path, path: Path) -> bool:
    """Swap two names in one step, so that there is a whole folder at `path` at every moment; False where unknown."""
    with suppress(AttributeError):  # a C library without it
        rename: Any = ctypes.CDLL(None).renameat2
        return bool(rename(AT_FDCWD, os.fsencode(temporary), AT_FDCWD, os.fsencode(path), RENAME_EXCHANGE) == 0)
    return False


def _rename_in_two_steps(temporary: Path, path: Path) -> bool:
    """Move what is at `path` aside until the new folder stands there; False when another writer came in between."""
    with own_temporary(path, is_folder=True) as old:
        with suppress(FileNotFoundError):
            path.rename(old)
        try:
            temporary.rename(path)
        except OSError as error:
            if error.errno not in TAKEN:
                raise
            return False
    return True


def _write_manifest(folder: Path, extra: dict[str, Any]) -> None:
    files = {}
    for entry in sorted(folder.rglob("*")):
        if entry.is_file():
            fsync_path(entry)
            name = entry.relative_to(folder).as_posix()
            files[name] = {"size": entry.stat().st_size, "sha256": sha256_file(entry)}
    manifest = folder / MANIFEST_FILE
    content = {**extra, "files": files}
    signed = {**content, MANIFEST_DIGEST: sha256_json(content)}
    manifest.write_text(json.dumps(signed, ensure_ascii=False, indent=2), encoding="utf-8")
    fsync_path(manifest)
    fsync_path(folder)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a published folder when it and every file it names are whole, else None."""
    try:
        manifest = read_json(folder / MANIFEST_FILE)
        digest = manifest.pop(MANIFEST_DIGEST, None)  # folders of before it existed have none
        if digest is not None and digest != sha256_json(manifest):
            return None
        files = manifest["files"]
        for name, expected in files.items():
            entry = folder / name
            if entry.stat().st_size != expected["size"] or sha256_file(entry) != expected["sha256"]:
                return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(manifest)
