"""Draw the charts of the page about parameters from measured runs: `python docs/charts.py`; `--check` finds stale ones.

The runs are those of PARAMETERS, which `python benchmarks/presets.py` made with the command that stands in it. A chart
brings its own light ground, so that it can be read on light and dark pages; lines differ by dash as well as by colour.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
IMAGES = DOCS / "images"
PARAMETERS = DOCS.parent / "benchmarks" / "results" / "2026-12-01-parameters.json"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 60, 20, 46, 44
GROUND, INK, GRID = "#ffffff", "#1c2733", "#d5dce3"
LOOKS = (("#0b5c6b", ""), ("#a33b00", "8 4"), ("#5b3a8c", "2 4"))  # colour and dashes of a line
NUM_TICKS = 5
# The run that every chart has.
ONE = "preset=recommended learning_rate=0.002 num_train_epochs=25 per_device_train_batch_size=2"

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of a chart, named by what was set."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Chart:
    """Lines over the epochs; words are those of one language."""

    title: str
    x_label: str
    lines: Sequence[Line]
    has_dots: bool = False


WORDS = {
    "ja": {
        "learning_rate": "学習率（learning_rate）とエポックごとの損失",
        "rank": "ランク（r）とエポックごとの損失",
        "dropout": "ドロップアウト（lora_dropout）とエポックごとの損失",
        "epochs": "エポック数（num_train_epochs）と、聞いたとおりに答えた事実（{total} のうち）",
        "epoch": "エポック",
        "num_epochs": "学習したエポック数",
        "facts": "事実",
    },
    "en": {
        "learning_rate": "Learning rate (learning_rate): loss of each epoch",
        "rank": "Rank (r): loss of each epoch",
        "dropout": "Dropout (lora_dropout): loss of each epoch",
        "epochs": "Epochs (num_train_epochs): facts answered as asked, of {total}",
        "epoch": "epoch",
        "num_epochs": "epochs trained",
        "facts": "facts",
    },
}


def runs() -> dict[str, dict[str, Any]]:
    """Return the measured runs by their settings."""
    return {run["settings"]: run for run in json.loads(PARAMETERS.read_text(encoding="utf-8"))["runs"]}


def losses(settings: str, name: str) -> Line:
    """Return the loss of each epoch of a run."""
    return Line(name, [(int(epoch), loss) for epoch, loss in runs()[settings]["losses"].items()])


def with_setting(name: str, values: Sequence[str], also: Callable[[str], str] = lambda _value: "") -> list[Line]:
    """Return a line for each value of a setting that was set beside those of ONE."""
    return [losses(f"{ONE} {name}={value}{also(value)}", f"{name} {value}") for value in values]


def learning_rate(words: dict[str, str]) -> Chart:
    """Too low, right and too high."""
    lines = [losses(ONE.replace("=0.002", f"={rate}"), f"learning_rate {rate}") for rate in ("0.0001", "0.002", "0.03")]
    return Chart(words["learning_rate"], words["epoch"], lines)


def rank(words: dict[str, str]) -> Chart:
    """A narrow, the usual and a wide adapter at one rate."""
    narrow, wide = with_setting("r", ("1", "32"), lambda value: f" lora_alpha={2 * int(value)}")
    return Chart(words["rank"], words["epoch"], [narrow, losses(ONE, f"r {rank_of_one()}"), wide])


def rank_of_one() -> int:
    """Return the rank that ONE was recommended."""
    return int(runs()[ONE]["r"])


def dropout(words: dict[str, str]) -> Chart:
    """Without, and much of it."""
    lines = [losses(ONE, "lora_dropout 0"), *with_setting("lora_dropout", ("0.5",))]
    return Chart(words["dropout"], words["epoch"], lines)


def epochs(words: dict[str, str]) -> Chart:
    """The facts that runs of different lengths answer."""
    found = [runs()[ONE.replace("epochs=25", f"epochs={number}")] for number in (3, 8, 15, 25)]
    line = Line(words["facts"], [(run["epochs"], run["as_asked"]) for run in found])
    return Chart(words["epochs"].format(total=found[0]["facts"]), words["num_epochs"], [line], has_dots=True)


CHARTS = {"learning-rate": learning_rate, "rank": rank, "epochs": epochs, "dropout": dropout}


def drawn(chart: Chart) -> str:
    """Return a chart as SVG."""
    points = [point for line in chart.lines for point in line.points]
    right, top = max(x for x, _ in points), nice(max(y for _, y in points))

    def place(point: Point) -> Point:
        x = LEFT + (WIDTH - LEFT - RIGHT) * point[0] / right
        return round(x, 1), round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * point[1] / top, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="{INK}">',
        f"<title>{escape(chart.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{GROUND}"/>',
        text(LEFT, 18, chart.title, "start", weight="600"),
    ]
    for number in range(NUM_TICKS + 1):
        value = top * number / NUM_TICKS
        _, y = place((0, value))
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="{GRID}" fill="none"/>')
        parts.append(text(LEFT - 8, y + 4, f"{value:g}", "end"))
    for value in range(0, int(right) + 1, 5):
        x, _ = place((value, 0))
        parts.append(text(x, HEIGHT - BOTTOM + 18, str(value), "middle"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, chart.x_label, "middle"))
    for number, (line, (colour, dashes)) in enumerate(zip(chart.lines, LOOKS, strict=False)):
        parts += drawn_line(chart, line, [place(point) for point in line.points], colour, dashes)
        if not chart.has_dots:
            parts += legend(number, line.name, colour, dashes)
    return "\n".join([*parts, "</svg>", ""])


def nice(value: float) -> float:
    """Return the next number above that is 1, 1.5, 2, 3, 5 or 10 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 5, 10) if step * power >= value)


def drawn_line(chart: Chart, line: Line, places: Sequence[Point], colour: str, dashes: str) -> list[str]:
    """Return a line, and where there are few points a dot with its value for each."""
    path = " ".join(f"{x},{y}" for x, y in places)
    parts = [f'<polyline points="{path}" stroke="{colour}" stroke-width="2.5" fill="none"{dashed(dashes)}/>']
    if chart.has_dots:
        for (x, y), (_, value) in zip(places, line.points, strict=True):
            parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>')
            parts.append(text(x, y - 10, f"{value:g}", "middle"))
    return parts


def legend(number: int, name: str, colour: str, dashes: str) -> list[str]:
    """Return the name of a line beside a piece of it."""
    x, y = LEFT + 190 * number, 36
    sample = f'<path d="M{x} {y}h28" stroke="{colour}" stroke-width="2.5" fill="none"{dashed(dashes)}/>'
    return [sample, text(x + 34, y + 4, name, "start")]


def dashed(dashes: str) -> str:
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def text(x: float, y: float, words: str, anchor: str, weight: str = "400") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def main() -> int:
    """Write or check all charts; exit 1 when `--check` finds a stale one."""
    changed = []
    for language, words in WORDS.items():
        for name, chart in CHARTS.items():
            path, content = IMAGES / f"{name}.{language}.svg", drawn(chart(words))
            if path.is_file() and path.read_text(encoding="utf-8") == content:
                continue
            changed.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(content, encoding="utf-8")
    for name in changed:
        sys.stdout.write(f"{'stale' if '--check' in sys.argv else 'written'}: {name}\n")
    return 1 if "--check" in sys.argv and changed else 0


if __name__ == "__main__":
    sys.exit(main())
