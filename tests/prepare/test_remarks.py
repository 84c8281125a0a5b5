from __future__ import annotations

from typing import Any

import pytest

from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.prepare.remarks import remarks

NOTHING: dict[str, Any] = {
    "template_source": "model", "template": "m", "num_system_folded": 0, "num_system_unused": 0,
    "num_raw": 0, "num_examples": 7, "num_control_tokens": 0, "num_reasoning_hidden": 0, "num_texts_split": 0,
    "num_overlong_left_out": 0, "num_kept_out": 0, "num_rows_dropped": 0, "unknown_share": 0.01, "max_length": 64,
}  # fmt: skip


def test_there_is_nothing_to_say_about_ordinary_rows() -> None:
    assert remarks(NOTHING) == []


def test_a_template_that_is_given_for_raw_rows_is_named() -> None:
    given = {"template_source": "given", "template": "alpaca", "num_raw": 7}
    assert remarks({**NOTHING, **given})[1:] == [("warning", "template_unused", {"name": "alpaca"})]
    assert remarks({**NOTHING, **given, "template": "raw"})[1:] == []


@pytest.mark.parametrize(
    ("facts", "kind", "code", "shown"),
    [
        ({"template_source": "plain", "template": "plain"}, "finding", "plain_template", "plain"),
        ({"num_system_folded": 3}, "warning", "system_folded", "3"),
        ({"num_raw": 7}, "finding", "raw_rows", "Modelfile"),
        ({"num_raw": 7, "template_source": "plain"}, "finding", "raw_rows", "Modelfile"),
        ({"num_raw": 2}, "warning", "mixed_rows", "--chat-template raw"),
        ({"num_system_unused": 3}, "warning", "system_unused", "3"),
        ({"num_control_tokens": 4}, "warning", "control_tokens", "4"),
        ({"num_kept_out": 7}, "finding", "rows_kept_out", "7"),
        ({"num_reasoning_hidden": 6}, "warning", "reasoning_hidden", "6"),
        ({"num_texts_split": 8, "num_rows": 90}, "finding", "texts_split", "90"),
        ({"num_overlong_left_out": 9}, "warning", "overlong_left_out", "9"),
        ({"num_rows_dropped": 5}, "warning", "answers_dropped", "64"),
        ({"unknown_share": 0.0213}, "warning", "unknown_characters", "2.1"),
    ],
)
def test_each_remark_is_worded_in_both_languages(facts: dict[str, Any], kind: str, code: str, shown: str) -> None:
    ((found_kind, found_code, params),) = remarks({**NOTHING, **facts})
    assert (found_kind, found_code) == (kind, code)
    for language in LANGUAGES:
        set_language(language)
        text = translate(f"cli.{kind}.{code}", step=None, **params)
        assert shown in text and "{" not in text and not text.startswith("cli.")
