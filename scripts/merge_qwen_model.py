#!/usr/bin/env python3
"""Merge an adapter into its base: `scripts/merge_qwen_model.py [OPTIONS of llmlora merge]`.

The same as `llmlora merge` of what `qwen_fine_tuning.py` left in this folder, into `merged_qwen2.5_model`.
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
MERGE = ("merge", "finetuned_qwen2.5_model", "-o", "merged_qwen2.5_model")

if __name__ == "__main__":
    sys.exit(subprocess.run([LLMLORA, *MERGE, *sys.argv[1:]], check=False).returncode)
