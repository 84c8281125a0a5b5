"""How quickly loaded models answer behind the server, and what chat and training take from each other.

    python benchmarks/warm_models.py FILE.gguf THREADS   # writes results/<date>-warm-models.json

`bare` is llama.cpp itself on the same file, in a process of its own. Both compute with THREADS; 0 leaves the number to
each of them, which needs a quiet machine: llmlora takes no cores on which others compute.
"""

from __future__ import annotations

import datetime
import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROMPT, NUM_TOKENS, SECONDS = "Once upon a time, there was a", 60, 10.0
BARE = """
import json, sys, time, urllib.request, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.n_parallel, params.verbosity = sys.argv[1], 8192, 1, 1
if int(sys.argv[4]):
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[4])
server = xllamacpp.Server(params)
body = {"prompt": sys.argv[2], "n_predict": int(sys.argv[3]), "temperature": 0, "ignore_eos": True}
def ask():
    began = time.monotonic()
    request = urllib.request.Request(server.listening_address + "/completion", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    answer = json.loads(urllib.request.urlopen(request).read())
    return answer["tokens_predicted"] / (time.monotonic() - began)
print(json.dumps([ask() for _ in range(8)]))
"""


class Server:
    """A running server."""

    def __init__(self, home: Path, roots: Path) -> None:
        environment = {**os.environ, "LLMLORA_HOME": str(home), "LLMLORA_MODEL_ROOTS": str(roots)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "llmlora", "serve", "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        found = re.search(r":(\d+)/\?token=([\w-]+)", self.process.stdout.readline())
        assert found
        self.port, self.token = int(found[1]), found[2]

    def open(self, method: str, path: str, body: Any = None) -> http.client.HTTPResponse:
        """Send a request and return its answer, not yet read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        return connection.getresponse()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer."""
        answer = json.loads(self.open(method, path, body).read())
        assert "status" not in answer or isinstance(answer["status"], str), answer
        return answer


@contextmanager
def serving(roots: Path) -> Iterator[tuple[Server, Path]]:
    """Yield a server in a workspace that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), roots)
        try:
            yield server, Path(folder)
        finally:
            server.process.terminate()
            server.process.wait()


def generated_per_second(server: Server, path: Path) -> float:
    """Return tokens per second of one answer, as its caller sees them."""
    began = time.monotonic()
    answer = server.ask("POST", "/api/generate", {
        "model_path": str(path), "prompt": PROMPT, "raw": True, "max_length": NUM_TOKENS, "temperature": 0,
        "repetition_penalty": 1, "top_p": 1,
    })  # fmt: skip
    return float(answer["num_tokens"]) / (time.monotonic() - began)


def first_token_seconds(server: Server) -> float:
    """Return the time until the first piece of a stream of the bundled model."""
    began = time.monotonic()
    stream = server.open(
        "POST", "/v1/completions", {"model": "nano", "prompt": "昔々", "max_tokens": 8, "stream": True}
    )
    while not stream.readline().startswith(b"data: "):
        pass
    seconds = time.monotonic() - began
    stream.read()
    return seconds


def start_training(server: Server) -> str:
    """Queue a long training job on the bundled model and return its id once it takes steps."""
    rows = [
        {"instruction": f"質問{number}は何ですか？", "output": f"答えは{number}です。" * 6} for number in range(200)
    ]
    data = server.ask("POST", "/api/datasets", {"name": "rows", "examples": rows})["id"]
    settings = {"max_steps": 100_000, "per_device_train_batch_size": 4}
    job = server.ask("POST", "/api/training/jobs", {"base_model": "nano", "dataset_id": data, "settings": settings})[
        "id"
    ]
    while (server.ask("GET", f"/api/training/jobs/{job}/progress")["step"] or 0) < 10:
        time.sleep(0.5)
    return str(job)


def steps_per_second(events: Path, since: int) -> float:
    """Return the speed of training over the events behind a byte of the file."""
    lines = events.read_bytes()[since:].splitlines()[:-1]
    found = [event for event in map(json.loads, lines) if event["type"] == "step"]
    return (found[-1]["step"] - found[0]["step"]) / (found[-1]["mono"] - found[0]["mono"])


def measure(path: Path, threads: int) -> dict[str, Any]:
    """Return all numbers."""
    words = [sys.executable, "-c", BARE, str(path), PROMPT, str(NUM_TOKENS), str(threads)]
    bare = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    with serving(path.parent) as (server, home):
        warm = [generated_per_second(server, path) for _ in range(9)][1:]
        firsts = [first_token_seconds(server) for _ in range(21)][1:]
        job = start_training(server)
        events = home / "jobs" / job / "runs" / "1" / "events.jsonl"
        mark = events.stat().st_size
        time.sleep(SECONDS)
        alone = steps_per_second(events, mark)
        generated_per_second(server, path)  # sees that the machine is busy by now
        mark, end, during = events.stat().st_size, time.monotonic() + SECONDS, []
        while time.monotonic() < end:
            during.append(generated_per_second(server, path))
        together = steps_per_second(events, mark)
        server.ask("POST", f"/api/training/jobs/{job}/cancel")
    free, busy = statistics.median(warm), statistics.median(during)
    return {
        "bare_tokens_per_second": round(statistics.median(bare[1:]), 1),
        "warm_tokens_per_second": round(free, 1),
        "warm_share_of_bare": round(free / statistics.median(bare[1:]), 3),
        "nano_first_token_ms": {
            "median": round(1e3 * statistics.median(firsts), 1),
            "max": round(1e3 * max(firsts), 1),
        },
        "chat_while_training_tokens_per_second": round(busy, 1),
        "chat_keeps_share": round(busy / free, 3),
        "training_steps_per_second": {"alone": round(alone, 2), "with_chat": round(together, 2)},
        "training_keeps_share": round(together / alone, 3),
    }


def main() -> None:
    """Measure and write one JSON document."""
    path, threads = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    os.environ.pop("OMP_NUM_THREADS", None)
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    about = {"date": today, "cores": os.cpu_count(), "machine": platform.machine(), "file": path.name}
    result = {**about, "threads": threads or "free cores", **measure(path, threads)}
    print(json.dumps(result, indent=2))
    target = ROOT / "benchmarks" / "results" / f"{today}-warm-models.json"
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
