"""Build the manual from `docs/` into the package, once in Japanese and once in English, where its pages are newer.

Zensical does it, offline; it is installed where it is missing. With `check`, a page or link that does not exist fails;
without the network the manual is left out and everything else works.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SITE = ROOT / "src" / "llmlora" / "web" / "manual"
WORK = ROOT / "build" / "manual"
ZENSICAL = "zensical==0.0.73"
LANGUAGES = {"en": ".md", "ja": ".ja.md"}
# Pages outside of `docs/` that its pages lead to, and where they go in the manual.
PROJECT = ("README.md", "README.ja.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]\((?P<path>[^)#\s]*)(?P<mark>#[^)\s]*)?\)"
)
LIST_ITEM = re.compile(r"(?:[-*]|\d+\.) ")
INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def sources() -> Iterator[Path]:
    """Yield every file that the manual is made of."""
    yield from (file for file in DOCS.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    yield from (ROOT / name for name in (*PROJECT, "mkdocs.yml"))
    yield Path(__file__)


def is_fresh() -> bool:
    """Tell whether the built manual is newer than all its sources."""
    built = [SITE / language / "index.html" for language in LANGUAGES]
    return all(page.is_file() for page in built) and min(page.stat().st_mtime for page in built) > max(
        file.stat().st_mtime for file in sources()
    )


def is_of(page: Path, language: str) -> bool:
    """Tell whether a page or picture belongs into a language: it is in it, or exists in no other."""
    if page.suffix in (".png", ".svg"):
        return page.stem.endswith(f".{language}")
    if page.suffix != ".md":
        return True
    if page.name.endswith(".ja.md"):
        return language == "ja"
    return language == "en" or not page.with_name(page.name.replace(".md", ".ja.md")).exists()


def place_of(page: Path) -> Path | None:
    """Return where a page or picture goes in the manual of its language; None for what is not in it."""
    if page.is_relative_to(DOCS):
        place = page.relative_to(DOCS)
    elif page.parent == ROOT and page.name in PROJECT:
        place = Path("project") / page.name
    else:
        return None
    return place.with_name(place.name.replace(".ja.md", ".md").replace("README.md", "index.md"))


def turned(text: str, page: Path, language: str) -> str:
    """Return a page with links that hold in the manual and to the manual of the other language."""
    here = place_of(page)
    assert here is not None

    def link(found: re.Match[str]) -> str:
        path, mark = found["path"], found["mark"] or ""
        if "://" in path or not path:
            return found[0]
        target = (page.parent / path).resolve()
        place = place_of(target)
        if place is None or not target.is_file():
            return found["text"]
        if target.suffix == ".md" and not is_of(target, language):
            other = "ja" if language == "en" else "en"
            up = "../" * len(here.parts)
            return f'<a href="{up}{other}/{place.with_suffix(".html").as_posix()}">{found["text"]}</a>'
        return f"{found['image']}[{found['text']}]({os.path.relpath(place, here.parent)}{mark})"

    return with_lists(LINK.sub(link, text))


def with_lists(text: str) -> str:
    """Return a page with an empty line before each list, which GitHub does without and Markdown's first rules need."""
    lines: list[str] = []
    is_code = False
    for line in text.split("\n"):
        is_code ^= line.startswith("```")
        before = lines[-1] if lines else ""
        if not is_code and LIST_ITEM.match(line) and before and not LIST_ITEM.match(before) and before[0] != " ":
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def navigation(language: str) -> list[dict[str, object]]:
    """Return the sections and pages that the index of the documentation lists, in its order."""
    index = DOCS / f"README{LANGUAGES[language]}"
    found: list[dict[str, object]] = [{index.read_text(encoding="utf-8").splitlines()[0].lstrip("# "): "index.md"}]
    pages: list[dict[str, str]] = []
    for line in index.read_text(encoding="utf-8").splitlines():
        section = re.match(r"\*\*(.+?)\*\*", line)
        if section:
            pages = []
            found.append({section[1]: pages})
        elif line.startswith("- "):
            for link in LINK.finditer(line):
                place = place_of((DOCS / link["path"]).resolve())
                if place is not None:
                    pages.append({link["text"]: place.as_posix()})
    return found


def lay_out(language: str) -> Path:
    """Write the pages and the configuration of one language, and return the latter."""
    folder = WORK / language
    shutil.rmtree(folder, ignore_errors=True)
    for file in sources():
        place = place_of(file)
        if place is None or file.suffix not in (".md", ".png", ".svg", ".json", ".html") or not is_of(file, language):
            continue
        target = folder / "docs" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".md":
            target.write_text(turned(file.read_text(encoding="utf-8"), file, language), encoding="utf-8")
        else:
            shutil.copyfile(file, target)
    base = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    base = base.replace("  name: material\n", f"  name: material\n  language: {language}\n")
    pages = json.dumps(navigation(language), ensure_ascii=False)  # which is YAML too
    config = folder / "mkdocs.yml"
    config.write_text(f"{base}docs_dir: docs\nsite_dir: site\nnav: {pages}\n", encoding="utf-8")
    return config


def without_inline_parts(site: Path) -> None:
    """Move scripts and styles out of the pages into files: the server's pages may have no others."""
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parts) - 1)

        def moved(found: re.Match[str], up: str = up) -> str:
            kind, text = found[1], found[2]
            name = f"inline-{hashlib.sha256(text.encode()).hexdigest()[:12]}.{'js' if kind == 'script' else 'css'}"
            (site / "assets" / name).write_text(text, encoding="utf-8")
            if kind == "style":
                return f'<link rel="stylesheet" href="{up}assets/{name}">'
            return f'<script src="{up}assets/{name}"></script>'

        page.write_text(INLINE.sub(moved, page.read_text(encoding="utf-8")), encoding="utf-8")


def build(site: Path, *, is_strict: bool) -> int:
    """Build both languages into a folder and return the exit code of the first that fails."""
    for language in LANGUAGES:
        config = lay_out(language)
        command = [sys.executable, "-m", "zensical", "build", "-f", str(config), *(["--strict"] if is_strict else [])]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode != 0:
            sys.stderr.write(finished.stdout + finished.stderr)
            return finished.returncode
        without_inline_parts(config.parent / "site")
        shutil.rmtree(site / language, ignore_errors=True)
        site.mkdir(parents=True, exist_ok=True)
        shutil.move(config.parent / "site", site / language)
    return 0


def has_zensical() -> bool:
    """Tell whether the builder is there, installing it where it is not."""
    if importlib.util.find_spec("zensical") is None:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
            "install",
            "-c",
            "constraints.txt",
            ZENSICAL,
        ]
        subprocess.run(pip, check=False)
        importlib.invalidate_caches()
    return importlib.util.find_spec("zensical") is not None


def main() -> int:
    """Build where the sources are newer; `check` builds in any case and fails for what does not exist."""
    is_check = sys.argv[1:] == ["check"]
    if is_fresh() and not is_check:
        return 0
    sys.stdout.write("Building the manual ...\n")
    sys.stdout.flush()
    if not has_zensical():
        sys.stderr.write(f"Without the manual: {ZENSICAL} could not be installed.\n")
        return int(is_check)
    return build(SITE, is_strict=is_check)


if __name__ == "__main__":
    sys.exit(main())
