#!/usr/bin/env python3
"""Check data files, by default all that are bundled: `./tutorial/scripts/validate_datasets.py [FILE …]`.

The same as `llmlora dataset check` for each; exits with 1 where one cannot be trained on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "src" / "llmlora" / "assets" / "datasets"
os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
LLMLORA = shutil.which("llmlora") or sys.exit("llmlora が入っていません (llmlora is not installed): make install")


def bundled() -> list[Path]:
    """Return the data files of the package; notes beside them are none."""
    files = (*BUNDLED.glob("*.json"), *BUNDLED.glob("*.jsonl"))
    return sorted(file for file in files if not file.name.endswith(".meta.json"))


def main() -> int:
    """Check every file and return 0 when all can be trained on."""
    failed = []
    for file in sys.argv[1:] or bundled():
        print(f"\n-- {file}", flush=True)
        if subprocess.run([LLMLORA, "dataset", "check", str(file)], check=False).returncode != 0:
            failed.append(file)
    for file in failed:
        print(f"Not passed: {file}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
