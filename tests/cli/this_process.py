"""Run the command line in this process, where starting another one would only cost time."""

import json
import shlex

from llmlora.cli import main


def run(capsys, *words):
    """Return the exit code, what stands on stdout and what stands on stderr."""
    code = main.run([*map(str, words)])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def document(capsys, *words):
    code, out, err = run(capsys, *words, "--json")
    assert code == 0, err
    return json.loads(out)


def next_command(err):
    """Return the words of the next command that a screen names."""
    (line,) = [line for line in err.splitlines() if line.startswith("Next: ")]
    words = shlex.split(line.removeprefix("Next: "))
    assert words[0].endswith("llmlora")
    return words[1:]
