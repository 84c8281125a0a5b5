"""Run the command line as a user does, in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warm_workers

DATA = [
    ("青川書店の営業時間は？", "午前9時から午後7時までです。"),
    ("青川書店の定休日は？", "定休日は水曜日です。"),
    ("しおりの値段は？", "しおりは120円です。"),
    ("店長の名前は？", "店長は山田さんです。"),
    ("席はいくつ？", "席は24席あります。"),
]


@dataclass
class Finished:
    """What a command left."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.stderr.strip().splitlines()[-1])


def command(*words: object, **environment: str) -> list[str]:
    return [sys.executable, warm_workers.__file__, "-m", "llmlora", *map(str, words)]


def start(*words: object, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        command(*words), env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(*words: object, **environment: str) -> Finished:
    process = start(*words, **environment)
    stdout, stderr = process.communicate(timeout=240)
    assert "Traceback" not in stderr, stderr
    return Finished(process.returncode, stdout, stderr)


def write_data(folder: Path) -> Path:
    path = folder / "data.jsonl"
    rows = [json.dumps({"instruction": q, "output": a}, ensure_ascii=False) for q, a in DATA]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
