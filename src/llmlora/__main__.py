"""The `llmlora` program and `python -m llmlora`: a stop while the command line is still loading leaves no traceback."""

from __future__ import annotations

import importlib
import os
import signal

NOTHING_TO_RESUME = 130


def main() -> None:
    """Load the command line and run it; Ctrl-C and SIGTERM end the process quietly until it can word them."""
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in previous.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(NOTHING_TO_RESUME))
    command_line = importlib.import_module("llmlora.cli.main")
    for number, handler in previous.items():
        signal.signal(number, handler)
    try:
        command_line.main()
    except KeyboardInterrupt:  # a second stop, while the first was being worded
        os._exit(NOTHING_TO_RESUME)


if __name__ == "__main__":
    main()
