"""Write the slides of the 45-minute talk from `slides.txt` and the measured results: `python docs/talk/generate.py`.

Tables come from `benchmarks/results`. With `--check` nothing is written, and slides that are not those of the results
fail.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from markdown import markdown

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[1] / "benchmarks" / "results"
SLIDES, DECK = HERE / "slides.txt", HERE / "deck.ja.html"
NAMES = {"nano": "nano（同梱）", "smollm2": "SmolLM2 135M", "gemma3": "Gemma 3 270M"}
RUNS = {
    "none": "なし",
    "mild": "弱く",
    "recommended": "推奨値",
    "mild, other seed": "弱く（別のシード）",
    "recommended, level 1": "推奨、レベル1",
    "recommended, level 2": "推奨、レベル2",
    "recommended, level 2, other seed": "推奨、レベル2（別のシード）",
    "recommended, support": "推奨、問い合わせ対応",
    "general rows": "推奨と一般の例",
    "general rows, level 2": "推奨と一般の例、レベル2",
    "half the rate, twice as long, level 2": "学習率を半分、長さを2倍、レベル2",
    "weight decay, level 2": "推奨と重み減衰、レベル2",
    "over-trained": "やりすぎ",
    "wrecked": "壊れるまで",
}
LIGHTS = {"green": "緑", "yellow": "黄", "red": "赤"}
PAGE = """<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ファインチューニング実践</title>
<style>
html { scroll-snap-type: y mandatory; font: 2vw/1.5 system-ui, sans-serif; color: #1c2733; background: #fff; }
body { margin: 0; }
section {
  min-height: 100vh; box-sizing: border-box; padding: 3vw 7vw; scroll-snap-align: start;
  border-bottom: 1px solid #d5dce3; display: flex; flex-direction: column; justify-content: center;
}
h1 { font-size: 1.8em; line-height: 1.2; margin: 0 0 .4em; color: #0b5c6b; }
h2 { font-size: 1.2em; margin: 0 0 .5em; }
table { border-collapse: collapse; font-size: .8em; }
section:has(tr:nth-child(8)) table { font-size: .62em; }
th, td { border-bottom: 1px solid #c3ccd4; padding: .2em .8em; text-align: left; }
pre { background: #f0f4f6; padding: .7em 1em; border-radius: .4em; font-size: .85em; overflow: auto; }
small { color: #5a6874; font-size: .6em; }
aside { display: none; }
@media print {
  section { page-break-after: always; height: 100vh; border: 0; }
  aside { display: block; font-size: .5em; color: #5a6874; }
}
@media (max-width: 700px) {
  html { font-size: 15px; scroll-snap-type: none; }
  section { min-height: auto; padding: 24px; }
}
</style>
</head>
<body>
%s
</body>
</html>
"""

Tables = dict[str, tuple[str, Callable[[Any], list[list[str]]]]]


def preset_rows(found: Any) -> list[list[str]]:
    """Return facts as asked and in other words, steps and data of each run of a preset."""
    rows = [["プリセット", "データ", "ステップ", "教えたとおり", "別の聞き方"]]
    for run in found["runs"]:
        asked = f"{run['as_asked']} / {run['facts']}"
        other = f"{run['in_other_words']} / {run['asked_in_other_words']}"
        rows.append([run["settings"].partition("=")[2], run["data"], str(run["steps"]), asked, other])
    return rows


def export_rows(found: Any) -> list[list[str]]:
    """Return how many facts each file kept of those that the trained model knows."""
    rows = [["モデル", "ファイル", "残った事実", "KL"]]
    for model, files in found["models"].items():
        for file in files:
            kept = f"{file['facts_kept']} / {file['facts_known']}"
            rows.append([NAMES[model], file["file"], kept, f"{file['kl']:.2g}"])
    return rows


def model_rows(found: Any) -> list[list[str]]:
    """Return time, memory and facts of each run of a pretrained model."""
    rows = [["モデル", "データ", "ステップ", "時間", "メモリー", "教えたとおり", "別の聞き方"]]
    for run in found["runs"]:
        other = f"{run['in_other_words']} / {run['asked_in_other_words']}" if run["asked_in_other_words"] else "-"
        rows.append(
            [
                NAMES[run["model"]],
                run["data"],
                str(run["steps"]),
                f"{run['minutes']:.0f} 分",
                f"{run['peak_memory_bytes'] / 1e9:.1f} GB",
                f"{run['as_asked']} / {run['facts']}",
                other,
            ]
        )
    return rows


def forgetting_rows(found: Any) -> list[list[str]]:
    """Return the light of each run, and what made it."""
    rows = [["モデル", "学習", "信号", "最も悪くなった種類（ナット）", "誤りに変わった答え"]]
    for model, runs in found["models"].items():
        for name, run in runs.items():
            changed = f"{run['changed'][0]} / {run['changed'][1]}"
            rows.append([NAMES[model], RUNS[name], LIGHTS[run["light"]], f"{run['worst_rise']:+.2f}", changed])
    return rows


TABLES: Tables = {
    "presets": ("presets", preset_rows),
    "exports": ("export-verdicts", export_rows),
    "models": ("real-model-steps", model_rows),
    "forgetting": ("forgetting", forgetting_rows),
}


def newest(name: str) -> Path:
    """Return the newest results of a table: their names begin with the date."""
    return max(RESULTS.glob(f"*-{TABLES[name][0]}.json"))


def table(name: str) -> str:
    """Return a table of results in Markdown."""
    head, *rows = TABLES[name][1](json.loads(newest(name).read_text(encoding="utf-8")))
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def deck() -> str:
    """Return the whole page."""
    text = SLIDES.read_text(encoding="utf-8")
    text = re.sub(r"\{\{(\w+)\.file\}\}", lambda found: newest(found[1]).name, text)
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: table(found[1]), text)
    sections = []
    for slide in text.split("\n---\n"):
        words, _, note = slide.partition("\nNote: ")
        shown = markdown(words.strip(), extensions=["tables", "fenced_code"])
        aside = f"\n<aside>{escape(note.strip())}</aside>" if note else ""
        sections.append(f"<section>\n{shown}{aside}\n</section>")
    return PAGE.replace("%s", "\n".join(sections))


def main() -> int:
    """Write the deck, or tell whether it is that of the results."""
    found = deck()
    if sys.argv[1:] == ["--check"]:
        is_fresh = DECK.is_file() and DECK.read_text(encoding="utf-8") == found
        sys.stdout.write("" if is_fresh else f"stale: {DECK.name}\n")
        return 0 if is_fresh else 1
    DECK.write_text(found, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
