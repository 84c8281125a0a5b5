"""A passport as one page to print: no script, nothing loaded, every value escaped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from llmlora.core.locale import current_language, translate

PARTS = ("job", "base", "data", "training", "versions", "hardware", "scores", "licenses", "files")
STYLE = (
    "body{font:14px/1.6 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}"
    "body{color:#111;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;border-bottom:1px solid #888;margin-top:1.5rem}"
    "table{border-collapse:collapse;width:100%}"
    "th{text-align:left;font-weight:normal;color:#444;vertical-align:top;width:14rem;padding:.15rem .5rem .15rem 0}"
    "td{overflow-wrap:anywhere;padding:.15rem 0}.hint{color:#444}"
    "@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}"
)


def passport_page(passport: Mapping[str, Any]) -> str:
    """Return the HTML page of a signed passport in the current language."""
    title, hint = escape(translate("passport.title")), escape(translate("passport.hint"))
    signature = {name: passport[name] for name in ("made_at", "public_key", "signature")}
    parts = "".join(_part(name, passport[name]) for name in PARTS) + _part("signature", signature)
    return (
        f'<!doctype html>\n<html lang="{current_language()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f'<body><h1>{title}</h1><p class="hint">{hint}</p>{parts}</body></html>\n'
    )


def _part(name: str, values: Any) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{escape(text)}</td></tr>' for label, text in _rows(values)
    )
    return f"<h2>{escape(translate(f'passport.part.{name}'))}</h2><table>{rows}</table>"


def _rows(values: Any) -> list[tuple[str, str]]:
    """Return the values of a part by their names in the document; what lies deeper is shown as JSON."""
    if isinstance(values, list):
        unknown = translate("passport.unknown")
        return [(str(entry["part"]), f"{entry['name']}: {entry['license'] or unknown}") for entry in values]
    return [(str(name), _shown(value)) for name, value in values.items()]


def _shown(value: Any) -> str:
    if value is None:
        return "\N{EN DASH}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
