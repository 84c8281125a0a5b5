"""Functions that test_child.py calls in a process of their own."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from llmlora.core.errors import ModelFileError
from llmlora.inference.llamacpp_chat import LlamaCppChat


def answer(*words: Any) -> dict[str, Any]:
    return {"words": words, "pid": os.getpid(), "has_torch": "torch" in sys.modules}


def refuse(path: Path) -> None:
    raise ModelFileError("gguf_load_failed", path=str(path), detail="no")


def abort(*ignored: Any) -> None:
    os.write(2, b"some line\nfile.cpp:7: GGML_ASSERT(x) failed\nmore\n")
    os.abort()


def end(signal_number: int) -> None:
    os.kill(os.getpid(), signal_number)


def crash() -> None:
    raise ZeroDivisionError("by zero")


def hang(path: Path, *ignored: Any) -> None:
    (path.parent / "hanging").write_text(str(os.getpid()), encoding="ascii")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)


def load(path: Path) -> int:
    return LlamaCppChat(path, context_length=64).vocab_size
