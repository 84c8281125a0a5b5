"""Memory that a process can still get: what the system says, within the container's limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmlora.core.machine import available_memory_bytes, container_limit, reclaimable_bytes

GIB = 1 << 30
INFO = f"MemTotal:       {16 * GIB // 1024} kB\nMemAvailable:    {8 * GIB // 1024} kB\nSwapFree:  4 kB\n"


@pytest.fixture
def memory_info(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text(INFO, encoding="ascii")
    return path


def cgroup(folder: Path, limit: str, used: int = 0, cached: int | None = None) -> Path:
    folder.mkdir()
    (folder / "memory.max").write_text(f"{limit}\n", encoding="ascii")
    (folder / "memory.current").write_text(f"{used}\n", encoding="ascii")
    if cached is not None:
        (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cached}\nslab 7\n", encoding="ascii")
    return folder


def test_without_a_container_the_system_is_believed(memory_info: Path, tmp_path: Path):
    assert available_memory_bytes(memory_info, tmp_path / "absent") == 8 * GIB
    assert available_memory_bytes(memory_info, cgroup(tmp_path / "free", "max")) == 8 * GIB


def test_a_containers_limit_counts_but_its_file_cache_does_not(memory_info: Path, tmp_path: Path):
    small = cgroup(tmp_path / "small", str(4 * GIB), used=3 * GIB, cached=2 * GIB)
    assert available_memory_bytes(memory_info, small) == 3 * GIB
    full = cgroup(tmp_path / "full", str(4 * GIB), used=5 * GIB)
    assert available_memory_bytes(memory_info, full) == 0
    large = cgroup(tmp_path / "large", str(64 * GIB), used=GIB)
    assert available_memory_bytes(memory_info, large) == 8 * GIB


@pytest.mark.parametrize("text", ["", "MemTotal: 5 kB\n", "MemAvailable:\n", "MemAvailable: many kB\n"])
def test_a_system_that_does_not_say_gets_a_guess(text: str, tmp_path: Path):
    path = tmp_path / "meminfo"
    path.write_text(text, encoding="ascii")
    guess = available_memory_bytes(path, tmp_path / "absent")
    assert guess == available_memory_bytes(tmp_path / "absent", tmp_path / "absent") > 0


def test_unreadable_numbers_are_no_limit(tmp_path: Path):
    folder = cgroup(tmp_path / "odd", "lots", cached=3)
    assert container_limit(folder) is None
    assert reclaimable_bytes(folder) == 3
    (folder / "memory.stat").write_text("inactive_file\n", encoding="ascii")
    assert reclaimable_bytes(folder) == 0


def test_this_machine_answers():
    assert 1 << 20 < available_memory_bytes() < 1 << 50
