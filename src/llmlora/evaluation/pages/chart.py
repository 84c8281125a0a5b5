"""Line charts as inline SVG, drawn here so that a report needs neither script nor network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llmlora.evaluation.pages.markup import Markup, element

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 76, 30, 36, 54
MAX_POINTS = 400
SMOOTHING = 0.9
MIN_POINTS_TO_SMOOTH = 20

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: `style` is a class of the page's style sheet; series differ by dash and marker as well as by colour."""

    label: str
    points: tuple[Point, ...]
    style: str
    has_markers: bool = False


def line_chart(series: Sequence[Series], x_label: str, y_label: str) -> Markup | None:
    """Return a chart of several lines over a common x axis; None when there is nothing to draw."""
    drawn = [line for line in series if line.points]
    points = [point for line in drawn for point in line.points]
    if not points:
        return None
    frame = _Frame.around(points)
    lines = [mark for line in drawn for mark in _line(line, frame)]
    labels = [
        element("text", x_label, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, class_="axis-label"),
        element("text", y_label, x=4, y=20, class_="axis-label y"),
    ]
    svg = element(
        "svg", *_grid(frame), *lines, *labels, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img",
        aria_label=f"{y_label}: {', '.join(line.label for line in drawn)}",
    )  # fmt: skip
    legend = [
        element("span", element("i", class_=f"swatch {line.style}"), line.label, class_="legend-entry")
        for line in drawn
    ]
    return element("figure", svg, element("figcaption", *legend, class_="legend"), class_="chart")


def smoothed(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the exponential moving average, corrected for its start; nothing for short series."""
    if len(points) < MIN_POINTS_TO_SMOOTH:
        return ()
    average, weight, result = 0.0, 0.0, []
    for x, y in points:
        average = SMOOTHING * average + (1 - SMOOTHING) * y
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        result.append((x, average / weight))
    return tuple(result)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The data range that the drawing area shows."""

    low_x: float
    high_x: float
    low_y: float
    high_y: float

    @classmethod
    def around(cls, points: Sequence[Point]) -> _Frame:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        ticks = _ticks(min(0.0, *ys) if min(ys) < max(ys) / 3 else min(ys), max(ys))
        return cls(min(xs), max(max(xs), min(xs) + 1), ticks[0], ticks[-1])

    def place(self, point: Point) -> Point:
        x = LEFT + (point[0] - self.low_x) / (self.high_x - self.low_x) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (point[1] - self.low_y) / (self.high_y - self.low_y) * (HEIGHT - TOP - BOTTOM)
        return round(x, 1), round(y, 1)


def _ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return round numbers that span low to high."""
    span = max(high - low, abs(high) * 1e-3, 1e-9)
    step = 10 ** math.floor(math.log10(span / wanted))
    step = next(step * factor for factor in (1, 2, 5, 10) if span / (step * factor) <= wanted)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [index * step for index in range(first, last + 1)]


def _grid(frame: _Frame) -> list[Markup]:
    marks = []
    for value in _ticks(frame.low_y, frame.high_y):
        _, y = frame.place((frame.low_x, value))
        marks.append(element("line", x1=LEFT, y1=y, x2=WIDTH - RIGHT, y2=y, class_="grid"))
        marks.append(element("text", f"{value:.4g}", x=LEFT - 8, y=y + 4, class_="tick y"))
    for value in _ticks(frame.low_x, frame.high_x, 8):
        if frame.low_x <= value <= frame.high_x and value == int(value):
            x, _ = frame.place((value, frame.low_y))
            marks.append(element("text", f"{value:,.0f}", x=x, y=HEIGHT - BOTTOM + 20, class_="tick"))
    return marks


def _line(line: Series, frame: _Frame) -> list[Markup]:
    places = [frame.place(point) for point in _thinned(line.points)]
    path = " ".join(f"{x},{y}" for x, y in places)
    marks = [element("polyline", points=path, class_=f"line {line.style}")]
    if line.has_markers or len(places) == 1:
        marks += [element("circle", cx=x, cy=y, r=3.5, class_=f"dot {line.style}") for x, y in places]
    return marks


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Keep the lowest and the highest point of each stretch, so that no spike disappears."""
    if len(points) <= MAX_POINTS:
        return list(points)
    size = math.ceil(2 * len(points) / MAX_POINTS)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept.extend(sorted(ends))
    return kept
