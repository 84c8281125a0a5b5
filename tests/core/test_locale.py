"""Words by language: detection, filling in, and what happens when something is missing."""

import pytest

from llmlora.core import locale
from llmlora.core.errors import LlmloraError, NotFound


@pytest.fixture
def environment(monkeypatch):
    for name in ("LLMLORA_LANG", "LC_ALL", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(locale.system_locale, "getlocale", lambda: (None, None))
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "ja_JP", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US", "LLMLORA_LANG": "ja"}, "ja"),
        ({"LANG": "ja_JP", "LLMLORA_LANG": "en"}, "en"),
        ({"LANG": "JA_jp"}, "ja"),
        ({"LLMLORA_LANG": "Japanese"}, "ja"),
    ],
)
def test_the_most_specific_variable_decides(environment, variables, language):
    for name, value in variables.items():
        environment.setenv(name, value)
    assert locale.detect_language() == language


def test_without_variables_the_systems_setting_decides(environment):
    environment.setattr(locale.system_locale, "getlocale", lambda: ("Japanese_Japan", "932"))
    assert locale.detect_language() == "ja"


def test_the_language_is_detected_once_and_can_be_fixed(environment):
    environment.setitem(locale._current, "language", "")
    environment.setenv("LLMLORA_LANG", "ja")
    assert locale.current_language() == "ja"
    environment.setenv("LLMLORA_LANG", "en")
    assert locale.current_language() == "ja"
    locale.set_language("en")
    assert locale.current_language() == "en"
    locale.set_language(None)
    assert locale.current_language() == "en"


def test_an_unknown_key_is_shown_as_it_is():
    assert locale.translate("no.such.key", count=1) == "no.such.key"
    assert not locale.has_text("no.such.key")
    assert locale.error_texts(LlmloraError("nothing"))["hint"] == "error.nothing.hint"


@pytest.mark.parametrize("params", [{}, {"path": object()}])
def test_a_missing_parameter_never_hides_the_message(params):
    text = locale.translate("error.file_not_found.what", **params)
    assert text


def test_text_from_a_user_is_never_a_format(tmp_path):
    locale.set_language("en")
    hostile = "{path.__class__} {0} {"
    assert hostile in locale.error_texts(NotFound("file_not_found", path=hostile))["what"]
