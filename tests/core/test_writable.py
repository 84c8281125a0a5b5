"""A place that takes no files is noticed before anything is spent, as what it is, with a place that does."""

import errno
import re
from pathlib import Path

import pytest

from llmlora.core import writable
from llmlora.core.errors import DiskFull, ResourceError
from llmlora.core.layout import jobs_dir
from llmlora.core.locale import error_texts
from llmlora.core.writable import require_job_folder, require_output, require_workspace, write_refusal
from unprivileged import open_folder, unprivileged


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("/proc/llmlora", errno.ENOENT),  # not even root makes files there
        ("/dev/null/x", errno.ENOTDIR),
        ("file", errno.ENOTDIR),
        ("circle/x", errno.ELOOP),
        ("x" * 300, errno.ENAMETOOLONG),
    ],
)
def test_what_takes_no_files_even_from_root(place: str, number: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "circle").symlink_to("circle")
    refusal = write_refusal(tmp_path / place)
    assert refusal is not None and refusal.errno == number


@pytest.mark.parametrize("place", ["closed", "closed/below", "locked", "locked/a/b"])
def test_what_its_permissions_close(place: str) -> None:
    with open_folder() as folder:
        (folder / "closed").mkdir(mode=0)
        (folder / "locked").mkdir(mode=0o555)
        with unprivileged():
            refusal = write_refusal(folder / place)
        assert refusal is not None and refusal.errno == errno.EACCES


def test_nothing_is_left_where_files_are_taken(tmp_path: Path) -> None:
    assert write_refusal(tmp_path) is None
    assert write_refusal(tmp_path / "not" / "yet") is None
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writable.tempfile, "TemporaryFile", lambda **_: open("/dev/full", "wb"))  # noqa: SIM115
    with pytest.raises(DiskFull) as caught:
        require_output(tmp_path / "out", "-o")
    assert caught.value.code == "disk_full"


def test_the_hint_names_a_place_that_takes_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMLORA_HOME", "/proc/llmlora")
    calls = {
        r"export LLMLORA_HOME=(\S+)$": lambda: require_workspace(jobs_dir()),
        r"-o (\S+)$": lambda: require_output(Path("/dev/null/out"), "-o"),
        r"cp -r /proc/job (\S+)$": lambda: require_job_folder(Path("/proc/job")),
    }
    for pattern, call in calls.items():
        with pytest.raises(ResourceError) as caught:
            call()
        found = re.search(pattern, error_texts(caught.value)["hint"])
        assert found is not None, error_texts(caught.value)
        assert write_refusal(Path(found[1])) is None
        assert not Path(found[1]).exists()
