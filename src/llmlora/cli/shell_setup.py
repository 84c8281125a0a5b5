"""Completion in the user's own shell: its script, and a place where the shell finds it."""

from __future__ import annotations

import shutil
import sys
from typing import Final

from typer._completion_shared import Shells, _get_shell_name, get_completion_script, install

from llmlora.cli import output
from llmlora.core.errors import ConfigError

PROGRAM: Final = "llmlora"
COMPLETION_OPTIONS: Final = ("--install-completion", "--show-completion")
VARIABLE: Final = f"_{PROGRAM.upper()}_COMPLETE"  # however the program was called, or the script could not ask it


# zsh loads the script when Tab is pressed for the first time; it has to complete then, and not only from then on.
ZSH_FIRST_TAB: Final = """
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _llmlora_completion "$@"
fi"""


def set_up_completion(option: str) -> None:
    """Install the completion of the shell that called, or print it; raises ConfigError: `unknown_shell`."""
    shell = _get_shell_name()
    if shell not in list(Shells):
        raise ConfigError("unknown_shell", shell=shell or "?", known=", ".join(Shells))
    script = get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell)
    if shell == Shells.zsh:
        script += ZSH_FIRST_TAB
    if option == COMPLETION_OPTIONS[1]:
        sys.stdout.write(f"{script}\n")
        return
    _, path = install(shell=shell, prog_name=PROGRAM, complete_var=VARIABLE)
    if shell == Shells.zsh:
        path.write_text(f"{script}\n", encoding="utf-8")
    output.say("cli.completion.installed", shell=shell, path=path)
    if shutil.which(PROGRAM) is None:
        output.say("cli.completion.off_path")
