#!/usr/bin/env python3
"""Ask before and after what was taught: `scripts/verify_tinyllama_finetuning.py [OPTIONS of llmlora evaluate]`.

The same as `llmlora evaluate` of what `tinyllama_fine_tuning.py` left in this folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
LLMLORA = shutil.which("llmlora") or sys.exit("llmlora が入っていません (llmlora is not installed): make install")
EVALUATE = ("evaluate", "finetuned_tinyllama_model")

if __name__ == "__main__":
    sys.exit(subprocess.run([LLMLORA, *EVALUATE, *sys.argv[1:]], check=False).returncode)
