"""Words by language: detection, filling in, and what happens when something is missing."""

import threading

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
    locale._current.set("")
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


def test_each_thread_has_a_language_of_its_own():
    locale.set_language("en")
    both_set, found = threading.Barrier(2), {}

    def speak(language):
        locale.set_language(language)
        both_set.wait(10)
        found[language] = (locale.current_language(), locale.translate("cli.error"))

    threads = [threading.Thread(target=speak, args=(language,)) for language in locale.LANGUAGES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {language: current for language, (current, _) in found.items()} == {"ja": "ja", "en": "en"}
    assert found["ja"][1] != found["en"][1]
    assert locale.current_language() == "en"


def test_a_stored_remark_is_worded_when_it_is_shown_in_whatever_language():
    error = {"error": "ExportError", "code": "unsupported_tokenizer", "params": {}}
    remark = {"type": "warning", "code": "not_exportable", "params": {"error": error}}
    texts = []
    for language in locale.LANGUAGES:
        locale.set_language(language)
        texts.append(locale.remark_text(remark))
        old = {"type": "warning", "code": "not_exportable", "params": {"reason": "昔の文"}}
        assert "昔の文" in locale.remark_text(old), "older folders hold the text itself"
    assert len(set(texts)) == 2
    assert not any("{reason}" in text for text in texts)
    assert locale.remark_text({"type": "warning", "code": "nothing such"}) is None


@pytest.mark.parametrize(
    ("variables", "is_chosen"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LC_ALL": "POSIX", "LANG": "ja_JP.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "C", "LLMLORA_LANG": "en"}, True),
    ],
)
def test_the_locales_c_and_posix_choose_no_language(
    environment: pytest.MonkeyPatch, variables: dict[str, str], is_chosen: bool
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    assert locale.is_language_chosen() == is_chosen
