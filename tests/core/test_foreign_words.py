"""Sentences of the system and of Python's readers are said in the user's words, wherever an error carries them."""

from __future__ import annotations

import errno
import json
import os
import re

import pytest
import yaml

from llmlora.catalog import gguf_header, safetensors_header
from llmlora.core import foreign_words
from llmlora.core.config import TrainConfig, build_config
from llmlora.core.errors import ConfigError, InputError, LlmloraError
from llmlora.core.locale import LANGUAGES, catalogue, error_texts, has_text, set_language, translate
from locale_words import NAMES, bare_words

BROKEN_JSON = ("{a", "", '{"a":1}x', "[1,", '"abc', '{"a":\n 1,}', '"\\x"', '"\n"', "[1 2]", '{"a" 1}')
BROKEN_YAML = (
    "a: b: c",
    "a: [1",
    "a:\n - b\n c",
    "\x07",
    "a: *x",
    "%x",
    "'a",
    "a: !!python/object:x y",
    "{a: 1",
    "\t- x",
)
WRONG = (None, "x", "", -1, 1.5, [], {}, True, float("nan"), "1,2", [[1]], 10**400, [None], [{"a": 1}], ["x"], b"x")


def in_japanese(text: str) -> str:
    set_language("ja")
    return foreign_words.own_words(text, translate)


@pytest.mark.parametrize("number", [getattr(errno, name) for name in foreign_words.SYSTEM])
def test_what_the_system_refuses_is_said_in_own_words(number: int) -> None:
    for text in (os.strerror(number), f"[Errno {number}] {os.strerror(number)}", f"{os.strerror(number)} (os error 5)"):
        assert not bare_words(in_japanese(text)), in_japanese(text)
    assert in_japanese(str(OSError(number, os.strerror(number), "/x"))).endswith(": '/x'")


@pytest.mark.parametrize("text", BROKEN_JSON)
def test_the_place_of_broken_json_is_kept(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    words = in_japanese(f"config.json: {caught.value}")
    assert words == f"config.json: JSON として読めません（{caught.value.lineno}行目 {caught.value.colno}文字目）"


@pytest.mark.parametrize("text", BROKEN_YAML)
def test_broken_yaml_is_said_without_the_readers_words(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.safe_load(text)
    words = in_japanese(" ".join(str(caught.value).split()))
    assert words.startswith("YAML")
    assert "unicode string" not in words
    assert "expected" not in words


@pytest.mark.parametrize(("raw", "position"), [(b"\x8e", 0), (b"abc\xe3\x81", 3), (b"a\xff\xfe", 1)])
def test_bytes_that_are_no_utf8_are_said_with_their_place(raw: bytes, position: int) -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        raw.decode("utf-8")
    assert in_japanese(str(caught.value)) == f"UTF-8 として読めません（先頭の {position} バイトのあと）"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_words(language: str) -> None:
    keys = {f"foreign.system.{name}" for name in foreign_words.SYSTEM}
    keys |= {f"foreign.type.{name}" for name in foreign_words.TYPES}
    keys |= {f"foreign.header.{name}" for name in foreign_words.REASONS}
    keys |= {f"foreign.{kind}" for kind in foreign_words._PATTERNS if kind != "system"}
    assert keys == {key for key in catalogue(language) if key.startswith("foreign.")}


def test_every_reason_of_a_header_has_words() -> None:
    for module in (gguf_header, safetensors_header):
        with open(str(module.__file__), encoding="utf-8") as stream:
            named = set(re.findall(r"invalid\((?:path, )?\"(\w+)\"", stream.read()))
        assert len(named) > 5
        assert named <= set(foreign_words.REASONS)


def test_the_words_reach_the_screen_and_the_stored_error_keeps_none() -> None:
    set_language("ja")
    error = InputError("unreadable_file", path="x", detail=os.strerror(errno.EACCES))
    assert error_texts(error)["why"] == "アクセスする権限がありません"
    assert error.to_dict()["params"]["detail"] == os.strerror(errno.EACCES)


def test_other_texts_stay_as_they_are() -> None:
    for text in ("q_proj", "peft_type=IA3", "list of things", "事実", ""):
        assert in_japanese(text) == text


def test_every_refused_setting_is_worded(capsys: pytest.CaptureFixture[str]) -> None:
    """No sentence of pydantic reaches a screen, and every kind of refusal it can make here has words of its own."""
    from llmlora.cli.output import print_error

    set_language("ja")
    for name in TrainConfig.model_fields:
        for value in WRONG:
            try:
                build_config({name: value})
            except ConfigError as error:
                kinds = {problem["limit_type"] for problem in error.params["problems"] if "limit_type" in problem}
                assert all(has_text(f"cli.limit.{kind}") for kind in kinds), (name, value, kinds)
                print_error(error, as_json=False)
    shown = capsys.readouterr().err
    assert shown.count("•") > 200
    assert not re.search(r"should|\bvalid\b|required|\bor\b|\b[Ii]nput\b", shown)


def test_an_unknown_key_of_a_stage_is_no_unknown_setting() -> None:
    with pytest.raises(ConfigError) as caught:
        build_config({"lr_scheduler_type": "staged", "stages": [{"learning_rate": 1e-4, "epochs": 1, "warmup": 2}]})
    (problem,) = caught.value.params["problems"]
    assert (problem["field"], problem["code"], problem["limit_type"]) == ("stages", "bad_value", "extra_forbidden")


def test_japanese_texts_hold_no_english_words_but_names() -> None:
    allowed = NAMES | set(TrainConfig.model_fields)
    found = {key: bare_words(text) - allowed for key, text in catalogue("ja").items()}
    assert not {key: words for key, words in found.items() if words}


def test_english_texts_hold_no_japanese_but_what_files_have_in_them() -> None:
    examples = re.compile("質問|回答|タイトル|本文|です・ます|だ・である")
    wide = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
    assert not [key for key, text in catalogue("en").items() if wide.search(examples.sub("", text))]


def test_an_error_without_these_parameters_is_worded_as_before() -> None:
    assert error_texts(LlmloraError("interrupted"))["what"]
