"""The small pages of the server itself: the form for the token, and what stands where a page was not built."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib import resources

from llmlora.core.locale import current_language, translate

_FRAME = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>llmlora</title><link rel="stylesheet" href="/sign-in.css"></head><body><main><h1>llmlora</h1>
{content}
</main></body></html>
"""
STYLE_PATH = "/sign-in.css"
_FORM = """<p>{words}</p>
<form method="post" action="/login"><label>{label}
<input name="token" type="password" autocomplete="off" required autofocus></label>
<button>{button}</button></form>"""


def sign_in_page(is_wrong: bool) -> str:
    """Return the page with one field for the token."""
    words = translate("api.sign_in.wrong" if is_wrong else "api.sign_in.words")
    form = _FORM.format(
        words=escape(words),
        label=escape(translate("api.sign_in.label")),
        button=escape(translate("api.sign_in.button")),
    )
    return _FRAME.format(language=current_language(), content=form)


def notice_page(key: str) -> str:
    """Return a page of one text: what is not there, and how to get it."""
    return _FRAME.format(language=current_language(), content=f"<p>{escape(translate(key))}</p>")


@cache
def style() -> bytes:
    """Return how both pages look."""
    return (resources.files("llmlora.api") / "sign_in.css").read_bytes()
