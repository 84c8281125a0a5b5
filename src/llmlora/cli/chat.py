"""`llmlora chat`: ask a model one question, or talk with it; or with several, side by side."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated, Any

import typer
from rich.markup import escape

from llmlora.cli import output
from llmlora.cli.chat_columns import Column, ask_all, forget, opened_columns, show, tell_ready
from llmlora.core.errors import ConfigError
from llmlora.core.locale import translate
from llmlora.services.chat import ChatSession
from llmlora.services.chat import chat as ask_once
from llmlora.services.follow import OnEvent

Models = Annotated[list[str], typer.Argument(metavar="DIR|MODEL|FILE.gguf", help=translate("inference.cli.model"))]
Prompt = Annotated[str | None, typer.Option("--prompt", "-p", help=translate("inference.cli.prompt"))]
System = Annotated[str | None, typer.Option("--system", help=translate("inference.cli.system"))]
Temperature = Annotated[float, typer.Option("--temperature", help=translate("inference.cli.temperature"))]
TopP = Annotated[float, typer.Option("--top-p", help=translate("inference.cli.top_p"))]
Penalty = Annotated[float, typer.Option("--repetition-penalty", help=translate("inference.cli.repetition_penalty"))]
MaxNewTokens = Annotated[int, typer.Option("--max-new-tokens", help=translate("inference.cli.max_new_tokens"))]
Seed = Annotated[int, typer.Option("--seed", help=translate("inference.cli.seed"))]
Json = Annotated[bool, typer.Option("--json", help=translate("inference.cli.json"))]

FAREWELLS = ("/bye", "/exit", "/quit")


def chat(
    models: Models,
    prompt: Prompt = None,
    system: System = None,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    repetition_penalty: Penalty = 1.0,
    max_new_tokens: MaxNewTokens = 256,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Answer `--prompt` and end, or hold a conversation until /bye, Ctrl-D or Ctrl-C; with up to three models."""
    options: dict[str, Any] = {
        "temperature": temperature,
        "top_p": top_p,
        "repetition_penalty": repetition_penalty,
        "max_new_tokens": max_new_tokens,
        "seed": seed,
    }
    if prompt is None and as_json:
        raise ConfigError("chat_json_needs_prompt")
    if len(models) > 1:
        _side_by_side(models, prompt, system, options, as_json)
        return
    if prompt is None:
        _converse(models[0], system, options)
        return
    reply = ask_once(models[0], prompt, system=system, on_event=_warning_of(system), **options)
    if as_json:
        output.print_json("chat", reply)
    else:
        sys.stdout.write(output.visible(reply["text"]) + "\n")


def _warning_of(system: str | None) -> OnEvent:
    def on_event(event: dict[str, Any]) -> None:
        if event["type"] == "phase" and event.get("is_raw"):
            _warn_of_system(system)

    return on_event


def _warn_of_system(system: str | None) -> None:
    if system:
        output.warn("inference.chat.system_unused")


def _converse(model: str, system: str | None, options: dict[str, Any]) -> None:
    opened = ChatSession(model)  # first: of a model that is not there nothing is loaded
    output.say("inference.chat.loading", model=model)
    with suppress(KeyboardInterrupt), opened as session:  # who leaves a talk has stopped no work
        output.say("inference.chat.ready")
        if session.is_raw:
            output.say("inference.chat.each_alone")
            _warn_of_system(system)
        messages = _fresh(system)
        while (text := _read_line()) is not None and text not in FAREWELLS:
            if text == "/clear":
                messages = _fresh(system)
                output.say("inference.chat.cleared")
            elif text:
                _turn(session, messages, text, options)


def _side_by_side(
    models: list[str], prompt: str | None, system: str | None, options: dict[str, Any], as_json: bool
) -> None:
    with suppress(KeyboardInterrupt), opened_columns(models, system) as columns:
        if prompt is not None:
            answers = ask_all(columns, prompt, options, is_live=not as_json)
            if as_json:
                output.print_json("answers", {"answers": answers})
            else:
                show(columns, answers)
            return
        _converse_side_by_side(columns, system, options)


def _converse_side_by_side(columns: list[Column], system: str | None, options: dict[str, Any]) -> None:
    tell_ready(columns)
    while (text := _read_line()) is not None and text not in FAREWELLS:
        if text == "/clear":
            for column in columns:
                forget(column, system)
            output.say("inference.chat.cleared")
        elif text:
            show(columns, ask_all(columns, text, options))


def _fresh(system: str | None) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}] if system else []


def _read_line() -> str | None:
    """Return one line of the user, or None at the end (Ctrl-D, or a program that was started without input)."""
    if sys.stdin is None:
        return None
    try:
        return output.console.input(f"[bold cyan]{escape(translate('inference.chat.you'))}[/] ").strip()
    except EOFError:
        output.console.print()
        return None


def _turn(session: ChatSession, messages: list[dict[str, str]], text: str, options: dict[str, Any]) -> None:
    messages.append({"role": "user", "content": text})
    try:
        reply = session.ask(messages, _write, **options)
    except ConfigError as error:  # such as a conversation that no longer fits: the model stays loaded
        messages.pop()
        output.print_error(error, as_json=False)
        return
    messages.append({"role": "assistant", "content": reply["text"]})
    sys.stdout.write("\n")
    sys.stdout.flush()
    if reply["finish_reason"] == "length":
        output.say("inference.chat.cut", num_tokens=reply["num_tokens"])


def _write(piece: str) -> None:
    sys.stdout.write(output.visible(piece))
    sys.stdout.flush()
