"""`llmlora serve` in a process of its own, on a free port, with the token that its line prints."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.command_line import command


class Served:
    """A running server: its process, address and token."""

    def __init__(self, process: subprocess.Popen, line: str) -> None:
        self.process = process
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/(?:\?token=([\w-]+))?\n", line)
        assert found, line
        self.port, self.token = int(found[1]), found[2]

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8")
        finally:
            connection.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def serving(home: Path, *words: object, **environment: str) -> Iterator[Served]:
    process = subprocess.Popen(
        command("serve", "--port", 0, *words),
        env={**os.environ, "LLMLORA_HOME": str(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Served(process, process.stdout.readline())
    finally:
        process.kill()
        process.communicate(timeout=30)
