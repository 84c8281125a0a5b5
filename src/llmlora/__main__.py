"""The `llmlora` program and `python -m llmlora`: a stop while the command line is still loading leaves no traceback."""

from __future__ import annotations

import importlib
import os
import signal

STOPPED = 130


def main() -> None:
    """Load the command line and run it; a stop meanwhile is worded once it is loaded, a second one ends at once."""
    stops: list[int] = []

    def note(number: int, _: object) -> None:
        if stops:
            os._exit(STOPPED)
        stops.append(number)

    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in previous.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, note)
    command_line = importlib.import_module("llmlora.cli.main")
    for number, handler in previous.items():
        signal.signal(number, handler)
    try:
        command_line.main(is_stopped=bool(stops))
    except KeyboardInterrupt:  # a second stop, while the first was being worded
        os._exit(STOPPED)


if __name__ == "__main__":
    main()
