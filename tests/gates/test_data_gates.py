"""Large data: 2 GB checked in less than 300 MB of memory, 50,000 rows in less than 10 s of processor time."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_MIB = 300
ROWS_SECONDS = 10.0
WORDS = (
    "営業時間は", "配送料は", "返品の場合", "お問い合わせは", "ご注文番号の", "30日以内に", "980円です。", "できます。",
    "ください。", "サイズ交換は", "確認メールを", "マイページから", "無料で", "全国どこでも", "お送りします。",
)  # fmt: skip
CHECK = """
import json, resource, sys, time
from pathlib import Path
from llmlora.data.validate import check_dataset
report = check_dataset(Path(sys.argv[1]))
status = Path("/proc/self/status")  # ru_maxrss would count the parent that this process was forked from
if status.is_file():
    peak = int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
found = {"ok": report.ok, "rows": report.num_examples, "counts": report.counts, "mib": peak}
print(json.dumps({**found, "seconds": time.process_time()}))
"""


def rows_file(path: Path, num_bytes: int, num_rows: int | None = None) -> int:
    """Write rows until a size or a number of them is reached; every thousandth repeats the first."""
    chance = random.Random(0)
    number = 0
    with path.open("w", encoding="utf-8") as stream:
        while stream.tell() < num_bytes if num_rows is None else number < num_rows:
            block = []
            for _ in range(1000):
                number += 1
                label = 0 if number % 1000 == 0 else number
                words = random.Random(label).choices(WORDS, k=16) if label == 0 else chance.choices(WORDS, k=16)
                row = {"instruction": f"質問{label}: {''.join(words[:4])}？", "output": "".join(words[4:])}
                block.append(json.dumps(row, ensure_ascii=False) + "\n")
            stream.write("".join(block))
    return number


def checked(path: Path) -> dict[str, object]:
    child = [sys.executable, "-c", CHECK, str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return dict(json.loads(subprocess.run(child, capture_output=True, text=True, check=True, env=environment).stdout))


def assert_small(path: Path, num_bytes: int, limit_mib: float) -> None:
    rows = rows_file(path, num_bytes)
    found = checked(path)
    print(f"{num_bytes / 1e9:.2f} GB, {rows} rows: {found['mib']:.0f} MiB, {found['seconds']:.0f} s of processor time")
    assert (found["ok"], found["rows"]) == (True, rows)
    assert found["counts"]["duplicate"] == rows // 1000 - 1  # type: ignore[index]
    assert float(str(found["mib"])) < limit_mib


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    assert_small(tmp_path / "rows.jsonl", 8_000_000, limit_mib=100)


@pytest.mark.gate
@pytest.mark.timeout(3600)
def test_2_gb_in_less_than_300_mb(tmp_path: Path) -> None:
    assert_small(tmp_path / "rows.jsonl", 2_000_000_000, LIMIT_MIB)


@pytest.mark.gate
def test_50_000_rows_in_less_than_10_seconds(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows_file(path, 0, 50_000)
    found = checked(path)
    print(f"50,000 rows: {found['seconds']:.1f} s of processor time")
    assert float(str(found["seconds"])) < ROWS_SECONDS


@pytest.mark.gate
@pytest.mark.parametrize("kind", ["one line of 1 GB", "one string of 1 GB in an array", "five million empty rows"])
def test_hostile_sizes_stay_small(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("rows.json" if "array" in kind else "rows.jsonl")
    with path.open("wb") as stream:
        if kind.startswith("five"):
            for _ in range(50):
                stream.write(b"{}\n" * 100_000)
        else:
            stream.write(b'[{"text":"' if "array" in kind else b'{"text":"')
            for _ in range(1000):
                stream.write(b"x" * 1_000_000)
            stream.write(b'"}]' if "array" in kind else b'"}\n')
    found = checked(path)
    print(f"{kind}: {found['mib']:.0f} MiB, {found['seconds']:.0f} s of processor time")
    assert found["ok"] is False
    assert float(str(found["mib"])) < LIMIT_MIB
