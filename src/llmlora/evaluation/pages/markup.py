"""HTML that is escaped by construction: text becomes markup only through `element`."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib import resources

# What HTML forbids in text: a model that babbles control characters must not make the page invalid.
# The same for what turns the direction of text around: it would reorder the words of the page.
DIRECTION = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
CONTROL = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), *range(0x7F, 0xA0), *DIRECTION)
    if chr(code) not in "\t\n"
}
VOID = frozenset({"meta", "br", "wbr", "line", "circle", "rect", "polyline", "path"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | Markup | Iterable["Child"] | None


def element(tag: str, /, *children: Child, **attributes: str | int | float | None) -> Markup:
    """Return an element; children and attributes are escaped, None is left out, `_` in attribute names means `-`."""
    words = [
        f' {key.strip("_").replace("_", "-")}="{escape(str(value).translate(CONTROL))}"'
        for key, value in attributes.items()
        if value is not None
    ]
    opening = f"<{tag}{''.join(words)}"
    if tag in VOID:
        return Markup(f"{opening}/>" if tag != "meta" else f"{opening}>")
    return Markup(f"{opening}>{joined(*children)}</{tag}>")


def joined(*children: Child) -> Markup:
    """Return children one after the other, escaped where they are plain text."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            parts.append(str(child))
        elif isinstance(child, str):
            parts.append(escape(child.translate(CONTROL)))
        else:
            parts.append(joined(*child))
    return Markup("".join(parts))


def document(title: str, language: str, *body: Child) -> str:
    """Return a whole page with its style inside: nothing is loaded from anywhere."""
    style = (resources.files("llmlora.evaluation.pages") / "page.css").read_text(encoding="utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        Markup(f"<style>\n{style}</style>"),
    )
    page = element("html", head, element("body", element("main", *body)), lang=language)
    return f"<!doctype html>\n{page}\n"
