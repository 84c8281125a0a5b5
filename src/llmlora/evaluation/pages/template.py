"""The report pages as one set of templates: every value is escaped, and a name that does not exist is an error."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from llmlora.core.locale import current_language
from llmlora.evaluation.pages.words import coded, date_time, t

# What HTML forbids in text: a model that babbles control characters must not make the page invalid.
# The same for what turns the direction of text around: it would reorder the words of the page.
DIRECTION = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
CONTROL = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), *range(0x7F, 0xA0), *DIRECTION)
    if chr(code) not in "\t\n"
}


def without_controls(value: Any) -> Any:
    """Return a text with each character that a page may not hold shown as one that cannot be; others as they are."""
    return value.translate(CONTROL) if isinstance(value, str) and not hasattr(value, "__html__") else value


@cache
def environment() -> Environment:
    """Return the templates of this package with what they may call."""
    made = Environment(
        loader=PackageLoader("llmlora.evaluation.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(t=t, coded=coded, date_time=date_time)
    return made


def render(name: str, /, **values: Any) -> str:
    """Return the page of a template, whole in one file: its style is inside, and it loads nothing."""
    return environment().get_template(name).render(language=current_language(), **values)
