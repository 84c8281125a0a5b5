from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.command_line import run
from llmlora.cli.preview import marked_text
from prepare.base_folder import base_folder, data_file


def token(text: str, state: str, **marks: Any) -> dict[str, Any]:
    """Return a token of the preview document."""
    return {"text": text, "id": 1, "state": state, "special": False, "unknown": False, **marks}


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([token("a", "masked"), token("b", "trained"), token("c", "trained")], "a⟦bc⟧"),
        ([token("a", "trained"), token("b", "truncated")], "⟦a⟧⟨✂b⟩"),
        ([token("a", "masked"), token("", "masked", unknown=True)], "a[unknown]"),
        ([token("[red]x\x1b[31m\u202e", "masked")], "[red]x\\u001b[31m\\u202e"),
        ([token("一\n\t二", "masked")], "一\n\t二"),
    ],
)
def test_states_are_told_without_colour(tokens: list[dict[str, Any]], expected: str) -> None:
    assert marked_text(tokens).plain == expected


def test_colours_tell_the_states_apart() -> None:
    tokens = [token(state, state) for state in ("masked", "trained", "truncated")]
    assert len({str(span.style) for span in marked_text(tokens).spans}) == 3


def test_the_command_shows_rows_and_their_counts(tmp_path: Path) -> None:
    base, path = base_folder(tmp_path / "base"), data_file(tmp_path / "data.jsonl")
    shown = run("dataset", "preview", path, "--model", base, "-n", 1, "--max-length", 24)
    assert shown.code == 0
    assert "⟦価格は1,234円です。0<|im_end|>⟧" in shown.stdout
    assert "⟦…⟧ trained" in shown.stderr and "Chat template" in shown.stderr


def test_the_json_document(tmp_path: Path) -> None:
    base, path = base_folder(tmp_path / "base"), data_file(tmp_path / "data.csv")
    path.write_text("質問,回答\nいくら?,100円\n", encoding="utf-8")
    shown = run("dataset", "preview", path, "--model", base, "--json", "--system", "You help.")
    assert shown.code == 0
    document = shown.document
    assert document["schema"] == "llmlora.dataset_preview/1"
    assert document["rows"][0]["end_token_trained"] is True


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("--model", "no-such-model"), 3, "model_not_found"),
        (("--model", "BASE", "--max-length", "3"), 2, "bad_option_value"),
        (("--model", "BASE", "-n", "0"), 2, "bad_option_value"),
        (("--model", "BASE", "--map", "question"), 2, "not_key_value"),
    ],
)
def test_refusals_have_their_exit_codes(words: tuple[str, ...], code: int, error: str, tmp_path: Path) -> None:
    base, path = base_folder(tmp_path / "base"), data_file(tmp_path / "data.jsonl")
    given = [str(base) if word == "BASE" else word for word in words]
    refused = run("dataset", "preview", path, *given, "--json")
    assert (refused.code, refused.error["code"], refused.stdout) == (code, error, "")
