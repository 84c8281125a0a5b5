"""Git LFS pointers: the few lines that stand where a file should be when a repository was cloned without Git LFS."""

from __future__ import annotations

from pathlib import Path

from llmlora.core.locale import shell_word

LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def is_lfs_pointer(path: Path) -> bool:
    """Tell whether a file is a pointer to its content."""
    with path.open("rb") as stream:
        return stream.read(len(LFS_POINTER)) == LFS_POINTER


def lfs_params(path: Path) -> dict[str, str]:
    """Return what the error `lfs_pointer` says: the file, and its folder as a shell takes it."""
    return {"path": str(path), "folder": shell_word(path.parent)}
