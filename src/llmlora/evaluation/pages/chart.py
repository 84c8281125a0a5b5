"""Line charts as data: where lines, ticks and marks lie; the template `parts.html` draws them as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 92, 46, 52, 54  # a rate of 0.0015 and step 100,000 fit at the size of a phone, too
MAX_POINTS = 400
MAX_MARKS = 8
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


@dataclass(frozen=True, slots=True)
class Tick:
    """One number of an axis and where on that axis it stands, in units of the drawing."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is drawn: its places in units of the drawing, and those of its dots."""

    label: str
    style: str
    places: tuple[Point, ...]
    dots: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in units of the drawing, WIDTH by HEIGHT, with y downwards; the plot lies within the margins."""

    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def line_chart(
    series: Sequence[Series], x_label: str, y_label: str, marks: Sequence[tuple[float, str]] = ()
) -> Chart | None:
    """Return a chart of several lines over a common x axis; None when there is nothing to draw.

    `marks` are places on the x axis with a word each, of which at most MAX_MARKS are drawn, evenly chosen.
    """
    drawn = [line for line in series if line.points]
    points = [point for line in drawn for point in line.points]
    if not points:
        return None
    frame = _Frame.around(points)
    every = math.ceil(len(marks) / MAX_MARKS)
    return Chart(
        x_label,
        y_label,
        x_ticks=_x_ticks(frame),
        y_ticks=tuple(
            Tick(frame.place((frame.low_x, value))[1], f"{value:.4g}") for value in _ticks(frame.low_y, frame.high_y)
        ),
        marks=tuple(
            Tick(frame.place((x, frame.low_y))[0], text)
            for index, (x, text) in enumerate(marks, 1)
            if index % every == 0 and frame.low_x <= x <= frame.high_x
        ),
        lines=tuple(_line(line, frame) for line in drawn),
    )


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


def _x_ticks(frame: _Frame) -> tuple[Tick, ...]:
    return tuple(
        Tick(frame.place((value, frame.low_y))[0], f"{value:,.0f}")
        for value in _ticks(frame.low_x, frame.high_x, 6)
        if frame.low_x <= value <= frame.high_x and value == int(value)
    )


def _line(line: Series, frame: _Frame) -> Line:
    places = tuple(frame.place(point) for point in _thinned(line.points))
    return Line(line.label, line.style, places, places if line.has_markers or len(places) == 1 else ())


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
