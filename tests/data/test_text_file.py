"""Text files that are not UTF-8 are named, with a command that makes them so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from llmlora.core.errors import ConfigError
from llmlora.data.text_file import read_utf8

TEXT = "# 店の設定\nbase_model: nano\ndata: faq.csv\nsystem: みなと書店の係です。\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_without_its_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(TEXT, encoding=encoding)
    assert read_utf8(path) == TEXT


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-16", "utf-16-le"])
def test_the_command_makes_it_utf8(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "my (recipe).yaml"
    path.write_text(TEXT, encoding=encoding)
    with pytest.raises(ConfigError) as caught:
        read_utf8(path)
    assert caught.value.code == "text_not_utf8"
    subprocess.run(caught.value.params["command"], shell=True, check=True)
    assert read_utf8(tmp_path / "my (recipe)-utf8.yaml").lstrip("\ufeff") == TEXT


def test_latin_letters_in_utf16_without_a_mark_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("base_model: nano\ndata: faq.csv\n", encoding="utf-16-le")
    with pytest.raises(ConfigError) as caught:
        read_utf8(path)
    assert (caught.value.code, caught.value.params["line"]) == ("text_not_utf8", 1)
