#!/usr/bin/env python3
"""Make training rows of a file: `python scripts/prepare_training_data.py --input a.md --output rows.jsonl --validate`.

The same as `llmlora dataset convert`, and with --validate `llmlora dataset check` afterwards. Raw text (.txt .md)
becomes questions and answers by rule; what fits no rule is listed with its line and left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RAW_TEXT = {".txt", ".text", ".md"}
os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", "--input_file", dest="source", type=Path, required=True, help="file to read")
    parser.add_argument("--output", "--output_file", dest="output", type=Path, required=True, help=".jsonl or .csv")
    parser.add_argument("--format", choices=["instruction", "chat", "completion", "text"], help="default: by the file")
    parser.add_argument("--validate", action="store_true", help="check the result")
    return parser.parse_args()


def main() -> int:
    """Convert, check if asked for, and return the exit code of the first command that fails."""
    given = arguments()
    llmlora = shutil.which("llmlora") or sys.exit("llmlora が入っていません (llmlora is not installed): make install")
    is_raw = given.source.suffix.lower() in RAW_TEXT
    form = given.format or ("instruction" if is_raw else None)
    options = [*(["--format", form] if form else []), *(["--drop-invalid"] if is_raw else [])]
    convert = [llmlora, "dataset", "convert", str(given.source), "-o", str(given.output), *options]
    code = subprocess.run(convert, check=False).returncode
    if code == 0 and given.validate:
        code = subprocess.run([llmlora, "dataset", "check", str(given.output)], check=False).returncode
    return code


if __name__ == "__main__":
    sys.exit(main())
