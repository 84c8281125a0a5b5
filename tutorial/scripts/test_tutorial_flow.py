#!/usr/bin/env python3
"""Walk the course from its first step to its last, offline: `./tutorial/scripts/test_tutorial_flow.py [LEVEL]`.

The same as `llmlora tutorial check LEVEL`, or `--all` where no level is given.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
LLMLORA = shutil.which("llmlora") or sys.exit("llmlora が入っていません (llmlora is not installed): make install")

if __name__ == "__main__":
    sys.exit(subprocess.run([LLMLORA, "tutorial", "check", *(sys.argv[1:] or ["--all"])], check=False).returncode)
