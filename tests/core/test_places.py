"""Paths of the server's files are only names to readers of the page."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from api.test_hints import on_page
from llmlora.core.errors import Conflict
from llmlora.core.locale import LANGUAGES, error_texts, spoken_error, translate
from llmlora.core.places import without_places


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("/srv/llmlora/datasets/01/data.jsonl", "data.jsonl"),
        ("/srv/with space/data.jsonl", "data.jsonl"),
        (PurePosixPath("/srv/llmlora/data.jsonl"), "data.jsonl"),
        (r"C:\Users\taro\data.jsonl", "data.jsonl"),
        ("open '/srv/llmlora/data.jsonl': gone", "open 'data.jsonl': gone"),
        ("「/srv/llmlora/data.jsonl」は", "「data.jsonl」は"),
        ("job/data.jsonl", "job/data.jsonl"),
        ("https://example.com/a/b", "https://example.com/a/b"),
        ("hub:org/name", "hub:org/name"),
        ("3/4", "3/4"),
        ("/no_think 今日は？", "/no_think 今日は？"),
        ("/", "/"),
        (7, 7),
        (None, None),
    ],
)
def test_a_path_is_the_name_that_it_ends_in(value, shown):
    assert without_places(value) == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_job_whose_data_changed_names_the_file_alone_on_the_page(language):
    error = Conflict("data_changed", path="/srv/llmlora/datasets/01/data.jsonl")
    spoken = on_page(language, lambda: spoken_error(error))
    assert "data.jsonl" in spoken["detail"]
    assert "/srv" not in spoken["detail"] + spoken["hint"]
    assert "/srv/llmlora/datasets/01/data.jsonl" in error_texts(error)["what"]  # the command line names all of it


def test_what_the_system_page_says_of_the_machine_keeps_its_folders(tmp_path: Path):
    assert str(tmp_path) in on_page("en", lambda: translate("doctor.workspace.ok", path=str(tmp_path)))


def test_an_address_of_the_api_is_no_path_of_a_file():
    assert "/api/no/such" in on_page("en", lambda: translate("error.route_not_found.what", path="/api/no/such"))
