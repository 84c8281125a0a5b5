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
from llmlora.core.events import read_events


class Served:
    """A running server: its process, address and token."""

    def __init__(self, process: subprocess.Popen, line: str, home: Path) -> None:
        self.process, self.home = process, home
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

    def longest_answer(self) -> int:
        """Return the tokens of the longest answer that a model which is still loaded has brought to its end."""
        places = self.home.glob("scratch/*/runs/1/events.jsonl")
        replies = [event["reply"] for place in places for event in read_events(place) if "reply" in event]
        return max((reply["num_tokens"] for reply in replies), default=0)

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
        yield Served(process, process.stdout.readline(), home)
    finally:
        process.kill()
        process.communicate(timeout=30)
