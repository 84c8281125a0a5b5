"""Follow a worker's events on the terminal: one live line on a TTY, else a line per 10 % or 30 seconds."""

from __future__ import annotations

import time
from datetime import datetime
from types import TracebackType
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from llmlora.cli.output import console, options, say, warn
from llmlora.core.locale import has_text, remark_text, translate

PLAIN_INTERVAL_SECONDS = 30.0
PLAIN_SHARE = 0.1
TIME_UNITS = (("hours", 3600), ("minutes", 60), ("seconds", 1))


class EventPrinter:
    """Show events as they arrive; call it with each event, inside `with`."""

    def __init__(self) -> None:
        self._live: Progress | None = None
        self._task: Any = None
        self._last_line = (0.0, 0.0)
        self._has_failed = False
        self._said: set[str] = set()  # codes of findings while the run goes on

    def __enter__(self) -> EventPrinter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_bar()

    def __call__(self, event: dict[str, Any]) -> None:
        handler = {
            "phase": self._phase,
            "step": self._step,
            "evaluation": self._evaluation,
            "warning": self._remark,
            "finding": self._remark,
            "run_ended": self._ended,
        }.get(event["type"])
        if handler is None or self._has_failed:
            return
        try:
            handler(event)
        except Exception as error:  # the edge: what cannot be shown must not touch the work
            self._has_failed = True
            self._close_bar()
            warn("cli.warning.display_failed", detail=f"{type(error).__name__}: {error}"[:200])

    def _phase(self, event: dict[str, Any]) -> None:
        text, values = phase_text(event), {**event, **(event.get("params") or {})}
        if text is None:
            return
        if "done" in values and "total" in values:
            self._bar(text, values["done"], values["total"])
            return
        self._close_bar()
        say("cli.remark", text=text)

    def _step(self, event: dict[str, Any]) -> None:
        self._bar(step_text(event), event["step"], event["total_steps"])

    def _evaluation(self, event: dict[str, Any]) -> None:
        metrics = event["metrics"]
        if "eval_loss" in metrics and not self._live:
            eval_loss, perplexity = held_out_texts(metrics["eval_loss"], metrics.get("perplexity"))
            say("cli.evaluation", step=event["step"], eval_loss=eval_loss, perplexity=perplexity)

    def _remark(self, event: dict[str, Any]) -> None:
        """Say a remark; of a finding that was said while the run went on, only what its end adds."""
        if event.get("is_over") or (event["code"] in self._said and "advice" not in (event.get("params") or {})):
            return
        if event.get("so_far"):
            self._said.add(event["code"])
        text = remark_text(event) or str(event["code"])
        (warn if event["type"] == "warning" else say)("cli.remark", text=text)

    def _ended(self, event: dict[str, Any]) -> None:
        self._close_bar()

    def _bar(self, text: str, done: float, total: float) -> None:
        if options.quiet or not options.show_progress:
            return
        if not console.is_terminal:
            self._plain_line(text, done, total)
            return
        if self._live is None:
            self._live = Progress(
                BarColumn(24),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.description}"),
                console=console,
                transient=True,
            )
            self._live.start()
            self._task = self._live.add_task("", total=total)
        self._live.update(self._task, completed=done, total=total, description=escape(text))

    def _plain_line(self, text: str, done: float, total: float) -> None:
        share, now = done / max(1, total), time.monotonic()
        last_share, last_time = self._last_line
        if (
            share >= 1
            or share - last_share >= PLAIN_SHARE
            or share < last_share
            or now - last_time >= PLAIN_INTERVAL_SECONDS
        ):
            self._last_line = (share, now)
            console.print(escape(f"{share:4.0%} {text}"))

    def _close_bar(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def phase_text(event: dict[str, Any]) -> str | None:
    """Return the words of a `phase` event, None for one that has none."""
    key = f"cli.phase.{event['name']}"
    params = {**event, **(event.get("params") or {})}
    if "reason" in params:
        params["reason"] = translate(params["reason"], **(params.get("gflops") or {}))
    return translate(key, **params) if has_text(key) else None


def step_text(event: dict[str, Any]) -> str:
    """Return the words of a `step` event."""
    metrics = event["metrics"]
    loss = metrics.get("loss")
    return translate(
        "cli.step",
        step=event["step"],
        total=event["total_steps"],
        loss="NaN" if loss is None else f"{loss:.3f}",
        speed=f"{metrics.get('tokens_per_second') or 0:,.0f}",
        eta=duration(metrics.get("eta_seconds")),
    )


def held_out_texts(eval_loss: float | None, perplexity: float | None) -> tuple[str, str]:
    """Return both numbers as shown; null is a loss that is no number, or a perplexity too large for one."""
    if eval_loss is None:
        return "NaN", "NaN"
    return f"{eval_loss:.3f}", "∞" if perplexity is None else f"{perplexity:,.1f}"


def duration(seconds: float | None) -> str:
    """Return seconds as 0:42 or 1:02:03."""
    total = max(0, round(seconds or 0))
    hours, minutes = divmod(total // 60, 60)
    return f"{hours}:{minutes:02}:{total % 60:02}" if hours else f"{minutes}:{total % 60:02}"


def local_time(moment: str | None) -> str:
    """Return a stored time as this machine's clock shows it."""
    return "-" if moment is None else datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def time_range(low: float, high: float) -> str:
    """Return a range in the largest unit in which it has a lower end."""
    unit, size = next((item for item in TIME_UNITS if high >= 1.5 * item[1]), TIME_UNITS[-1])
    digits = 1 if low < size else 0
    return translate(f"cli.plan.{unit}", low=f"{low / size:.{digits}f}", high=f"{high / size:.{digits}f}")
