"""What opens a server is not shown with its address."""

from __future__ import annotations

import pytest

from llmlora.core.addresses import texts_without_credentials, without_credentials


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://me:canary@box:11434", "http://box:11434"),
        ("me:canary@box", "box"),
        ("https://canary@models.example/ollama", "https://models.example/ollama"),
        ("http://me:ca/na@ry@box:1", "http://box:1"),
        ("HTTP://me:canary@[::1]:1", "HTTP://[::1]:1"),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_what_opens_it(given: str, shown: str) -> None:
    assert without_credentials(given) == shown


def test_neither_do_texts_of_libraries_show_it() -> None:
    text = "404 for url: https://me:canary@hub.example/api/models (see https://docs.example/a@b), ask me@example.com"
    assert texts_without_credentials(text) == text.replace("me:canary@", "", 1)
