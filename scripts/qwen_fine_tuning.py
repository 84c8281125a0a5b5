#!/usr/bin/env python3
"""Fine-tune Qwen2.5 3B on the bundled support rows: `scripts/qwen_fine_tuning.py [OPTIONS of llmlora train]`.

The same as `llmlora train`, which fetches the model where it is missing; `--model nano` does it on the bundled one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "src" / "llmlora" / "assets" / "datasets" / "customer_support.jsonl"
os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
LLMLORA = shutil.which("llmlora") or sys.exit("llmlora が入っていません (llmlora is not installed): make install")
TRAIN = ("train", "--model", "Qwen/Qwen2.5-3B-Instruct", "--data", ROWS, "--out", "finetuned_qwen2.5_model")

if __name__ == "__main__":
    sys.exit(subprocess.run([LLMLORA, *TRAIN, *sys.argv[1:]], check=False).returncode)
