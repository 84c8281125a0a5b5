"""Start workers by forking a process that has loaded their libraries already: a test run starts hundreds of them.

A worker's own code runs as in production, from `python -m llmlora.worker`'s `main` on; only the imports, four seconds
of the heavy ones, are not repeated. Gates, and tests that change what the interpreter or the threads read at their
start, get cold ones.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ADDRESS = "LLMLORA_TEST_WORKERS"  # the folder of the warm processes' sockets; without it every worker starts cold
READ_AT_START = ("OMP_NUM_THREADS", "LD_PRELOAD")
KINDS = {
    "heavy": (
        "train",
        "evaluate",
        "export",
        "verify",
        "merge",
        "chat",
        "chat_gguf",
        "chat_served",
        "prepare",
        "inspect_export",
        "open_base",
        "check_method",
        "register",
    ),
    "light": ("inspect", "inspect_headers"),  # its limit on memory leaves no room for the libraries of the others
}
ALSO = {"heavy": ("transformers.models.llama.modeling_llama", "transformers.models.auto.modeling_auto"), "light": ()}
PopenOfPython = subprocess.Popen


class Popen(PopenOfPython):
    """`subprocess.Popen` that forks workers where it can."""

    def __new__(cls, arguments: Any = (), *others: Any, **options: Any) -> Any:
        is_worker = isinstance(arguments, list) and arguments[1:3] == ["-m", "llmlora.worker"]
        is_launched = {"stdin", "stdout", "stderr", "env"} <= set(options)  # as `launch.Worker` does it
        group = next((name for name, kinds in KINDS.items() if is_worker and arguments[3] in kinds), None)
        environment = options.get("env") or os.environ
        is_same = all(environment.get(name) == os.environ.get(f"{ADDRESS}_{name}") for name in READ_AT_START)
        if group and ADDRESS in os.environ and is_same and is_launched:
            return WarmWorker(group, arguments[3:], **options)
        return super().__new__(cls)


class WarmWorker:
    """What `launch.Worker` needs of a Popen, of a process that the warm process has forked."""

    def __init__(
        self, group: str, arguments: list[str], *, stdin: int, stdout: int, stderr: int, env: dict[str, str], **_: Any
    ):
        self.args = arguments
        self.returncode: int | None = None
        self.stdin, reader = _pipe_in() if stdin == subprocess.PIPE else (None, os.open(os.devnull, os.O_RDWR))
        self.stdout, writer = _pipe_out() if stdout == subprocess.PIPE else (None, os.open(os.devnull, os.O_RDWR))
        errors = os.open(os.devnull, os.O_RDWR)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"{os.environ[ADDRESS]}/{group}")
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False, encoding="utf-8") as stream:
            json.dump({"arguments": arguments, "env": dict(env), "cwd": os.getcwd(), "parent": os.getpid()}, stream)
        socket.send_fds(self._socket, [stream.name.encode()], [reader, writer, errors])
        for descriptor in (reader, writer, errors):
            os.close(descriptor)
        self._answers = self._socket.makefile("r")
        self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self.returncode is None and select.select([self._socket], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code, negative for a signal."""
        if self.returncode is None:
            if not select.select([self._socket], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._socket.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal while it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _pipe_in() -> tuple[Any, int]:
    reader, writer = os.pipe()
    return os.fdopen(writer, "wb"), reader


def _pipe_out() -> tuple[Any, int]:
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb"), writer


def start() -> list[PopenOfPython[bytes]]:
    """Start the warm processes, and let this process and those that it starts use them; they end with this process."""
    os.environ[ADDRESS] = tempfile.mkdtemp(prefix="warm-")
    os.environ.update({f"{ADDRESS}_{name}": os.environ[name] for name in READ_AT_START if name in os.environ})
    processes = [_start(group) for group in KINDS]
    subprocess.Popen = Popen  # type: ignore[misc]
    return processes


def _start(group: str) -> PopenOfPython[bytes]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{os.environ[ADDRESS]}/{group}")
    listener.listen(16)
    process = PopenOfPython(
        [sys.executable, __file__, group, str(listener.fileno())],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        pass_fds=[listener.fileno()],
    )
    listener.close()
    return process


def end(processes: list[PopenOfPython[bytes]]) -> None:
    """End the warm processes; workers that they have forked go on."""
    for process in processes:
        process.kill()
        process.communicate()
    shutil.rmtree(os.environ.pop(ADDRESS), ignore_errors=True)


def serve(group: str, listener: socket.socket) -> None:
    """Fork a worker for every request until the starting process is gone; the first one waits for the libraries."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    workers: dict[int, socket.socket] = {}
    while True:
        readable, _, _ = select.select([0, listener, ended], [], [])
        if 0 in readable:
            os._exit(0)
        if ended in readable:
            os.read(ended, 512)
        if listener in readable:
            _fork(group, listener, workers)
        _tell_of_ends(workers)


def _fork(group: str, listener: socket.socket, workers: dict[int, socket.socket]) -> None:
    connection, _ = listener.accept()
    for name in (*(f"llmlora.worker.{kind}" for kind in KINDS[group]), *ALSO[group]):
        importlib.import_module(name)
    message, descriptors, _, _ = socket.recv_fds(connection, 4096, 3)
    request = json.loads(Path(message.decode()).read_text(encoding="utf-8"))
    os.unlink(message.decode())
    pid = os.fork()
    if pid == 0:
        for other in (*workers.values(), connection, listener):
            other.close()
        _become_worker(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    workers[pid] = connection
    connection.sendall(f"{pid}\n".encode())


def _tell_of_ends(workers: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with workers.pop(pid) as connection, contextlib.suppress(OSError):  # nobody may wait for it any more
                connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become_worker(request: dict[str, Any], descriptors: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    starter = request["parent"]
    os.getppid = lambda: starter if _is_alive(starter) else 1
    sys.argv = ["llmlora.worker", *request["arguments"]]
    code = importlib.import_module("llmlora.worker.__main__").main(request["arguments"])
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not waited for does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


if __name__ == "__main__":
    if sys.argv[1] in KINDS:
        serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
    else:  # `python warm_workers.py -m llmlora …`: the command line, whose workers are forked
        subprocess.Popen = Popen  # type: ignore[misc]
        sys.path.pop(0)
        sys.argv = sys.argv[2:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
