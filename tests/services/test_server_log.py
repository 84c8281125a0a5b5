"""The server's log stands in nobody's way, whatever the disk does."""

import logging
from contextlib import suppress

from llmlora.services.server_log import LogFile


def test_on_a_full_disk_lines_are_lost_and_nothing_floods_the_terminal(capsys):
    handler = LogFile("/dev/full")
    try:
        for number in range(3):
            handler.handle(logging.LogRecord("llmlora", logging.ERROR, __file__, 1, f"line {number}", None, None))
    finally:
        with suppress(OSError):  # what was not written is tried once more
            handler.close()
    assert capsys.readouterr().err == ""
