"""The commands of the API pages, typed into a shell beside a real server in their order, answer as documented."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from docs.pages import read
from gates.test_server_gates import ask
from served import serving

WORKSPACE = ".local/share/llmlora"
ADDRESS = "127.0.0.1:8000"
STATUS = " -sS -w '\\n%{http_code}'"  # curl tells the status behind the answer
IDS = {"/api/datasets/upload": "DATASET", "/api/training/jobs": "JOB"}


def lines_of(page: str) -> list[str]:
    """Return the lines of the first block of a page."""
    [block] = re.findall(r"```sh\n(.*?)```", read("docs", "reference", page), flags=re.S)
    return str(block).splitlines()


def documented(line: str) -> int:
    """Return the status that the description of the API promises for what a command asks."""
    path = re.search(rf"http://{re.escape(ADDRESS)}(\S+)", line)[1]
    method = "post" if re.search(r" -[Fd] ", line) else "get"
    paths = json.loads(read("docs", "reference", "openapi.json"))["paths"]
    template = next(name for name in paths if re.fullmatch(re.sub(r"\{\w+\}", r"[A-Z]+", name), path))
    [status] = [int(status) for status in paths[template][method]["responses"] if status.startswith("2")]
    return status


def typed(line: str, token_line: str, port: int, folder: Path) -> tuple[int, dict[str, Any]]:
    """Type a command behind the one that takes the token, as the page says; only the port is this server's own."""
    asked = line.replace("curl ", f"curl{STATUS} ", 1).replace(ADDRESS, f"127.0.0.1:{port}")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    shell = ["bash", "-c", f"{token_line}\n{asked}"]
    finished = subprocess.run(shell, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, (asked, finished.stderr)
    body, _, status = finished.stdout.rpartition("\n")
    return int(status), json.loads(body)


@pytest.mark.parametrize("page", ["api.md", "api.ja.md"])
def test_every_command_answers_as_documented(page: str, tmp_path: Path) -> None:
    (tmp_path / "my-data.csv").write_text("質問,回答\n開店は？,9時です。\n閉店は？,19時です。\n", encoding="utf-8")
    token_line, *commands = lines_of(page)
    assert token_line.startswith("TOKEN=") and len(commands) == 4
    ids: dict[str, str] = {}
    with serving(tmp_path / WORKSPACE) as server:
        for line in commands:
            now = line
            for word, value in ids.items():
                now = re.sub(rf"\b{word}\b", value, now.partition("   #")[0])
            status, answer = typed(now, token_line, server.port, tmp_path)
            assert status == documented(line), (line, answer)
            word = next((word for path, word in IDS.items() if line.partition("   #")[0].endswith(path)), None)
            if word is not None:
                ids[word] = answer["id"]
        assert answer["status"] in ("queued", "preparing", "running")
        ask(server, "POST", f"/api/jobs/{ids['JOB']}/cancel")
        deadline = time.monotonic() + 120
        while ask(server, "GET", f"/api/jobs/{ids['JOB']}")[1]["status"] != "canceled":
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_both_pages_have_the_same_commands() -> None:
    english, japanese = ([line.partition("   #")[0] for line in lines_of(page)] for page in ("api.md", "api.ja.md"))
    assert english == japanese
