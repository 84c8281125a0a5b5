"""`llmlora chat A B`: the same questions to several models, their answers side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.live import Live
from rich.markup import escape
from rich.table import Table

from llmlora.cli import output
from llmlora.core.errors import ConfigError, LlmloraError
from llmlora.core.locale import error_texts
from llmlora.services.chat import ChatSession

MOST_MODELS = 3
Turns = list[dict[str, str]]


@dataclass
class Column:
    """One model: its session, what was said to it and by it, and the answer that is being written."""

    model: str
    session: ChatSession
    turns: Turns = field(default_factory=list)
    shown: str = ""

    def ask(self, text: str, options: dict[str, Any]) -> dict[str, Any]:
        """Answer a question and remember both; a refusal is shown in the answer's place and forgotten."""
        self.shown = ""
        question = {"role": "user", "content": text}
        try:
            reply = self.session.ask([*self.turns, question], self._show, **options)
        except LlmloraError as error:
            self.shown = error_texts(error)["what"]
            return {"error": error.to_dict()}
        self.shown = reply["text"]
        self.turns += [question, {"role": "assistant", "content": reply["text"]}]
        return reply

    def _show(self, piece: str) -> None:
        self.shown += piece


@contextmanager
def opened_columns(models: Sequence[str], system: str | None) -> Iterator[list[Column]]:
    """Load several models and yield a column for each.

    Raises:
        ConfigError: `chat_too_many_models`. LlmloraError: one of them cannot be loaded.
    """
    if len(models) > MOST_MODELS:
        raise ConfigError("chat_too_many_models", limit=MOST_MODELS, count=len(models))
    columns = [Column(model, ChatSession(model)) for model in models]  # of a model that is not there nothing is loaded
    with ExitStack() as stack:
        for column in columns:
            output.say("inference.chat.loading", model=column.model)
            stack.enter_context(column.session)
            forget(column, system)
        if system and any(column.session.is_raw for column in columns):
            output.warn("inference.chat.system_unused")
        yield columns


def forget(column: Column, system: str | None) -> None:
    """Begin a new conversation."""
    column.turns = [{"role": "system", "content": system}] if system else []


def ask_all(
    columns: Sequence[Column], text: str, options: dict[str, Any], is_live: bool = True
) -> list[dict[str, Any]]:
    """Ask every model at once; the answers grow on a terminal while they are written, and stand on stdout at last."""
    with ThreadPoolExecutor(len(columns)) as pool:
        asked = [pool.submit(column.ask, text, options) for column in columns]
        if is_live and output.console.is_terminal and not output.options.quiet:
            _watch(columns, asked)
        replies = [one.result() for one in asked]
    return [{"model": column.model, **reply} for column, reply in zip(columns, replies, strict=True)]


def show(columns: Sequence[Column], answers: Sequence[dict[str, Any]]) -> None:
    """Print the answers side by side."""
    output.out.print(_table(columns), soft_wrap=False)
    cut = [answer["model"] for answer in answers if answer.get("finish_reason") == "length"]
    if cut:
        output.say("inference.chat.cut_in", models=", ".join(cut))


def _watch(columns: Sequence[Column], asked: Sequence[Future[Any]]) -> None:
    with Live(_table(columns), console=output.console, transient=True, refresh_per_second=8) as live:
        while wait(asked, timeout=0.1).not_done:
            live.update(_table(columns))


def _table(columns: Sequence[Column]) -> Table:
    table = output.folding_table(*(column.model for column in columns), expand=True)
    for part in table.columns:
        part.ratio = 1  # else the columns jump about while the answers grow
    table.add_row(*(escape(output.visible(column.shown)) for column in columns))
    return table


def tell_ready(columns: Sequence[Column]) -> None:
    """Say how the conversation ends, and which models see each question by itself."""
    output.say("inference.chat.ready")
    for column in columns:
        if column.session.is_raw:
            output.say("inference.chat.each_alone_in", model=column.model)
