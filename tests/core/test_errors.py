"""Errors: exit codes, the way across a process border, and words in both languages."""

import pytest

from llmlora.core import errors
from llmlora.core.locale import catalogue, error_texts, set_language


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.NotFound("x"), 3),
        (errors.Conflict("x"), 3),
        (errors.DatasetRowError("x"), 4),
        (errors.ModelFileError("x"), 4),
        (errors.OutOfMemory("x"), 1),
        (errors.PackageMissing("x"), 1),
        (errors.NonFiniteLoss("x"), 1),
        (errors.VerificationFailed("x"), 1),
        (errors.Stopped("x", has_checkpoint=True), 75),
        (errors.Stopped("x"), 130),
    ],
)
def test_exit_codes(error, code):
    assert errors.exit_code_of(error) == code


def test_an_error_survives_the_process_border():
    error = errors.NonFiniteLoss("nonfinite_loss", step=3)
    copy = errors.error_from_dict(error.to_dict())
    assert type(copy) is errors.NonFiniteLoss
    assert (copy.code, copy.params) == ("nonfinite_loss", {"step": 3})


@pytest.mark.parametrize("language", ["ja", "en"])
def test_words_are_filled_in(language):
    set_language(language)
    texts = error_texts(errors.NotFound("file_not_found", path="a/b.json"))
    assert "a/b.json" in texts["what"]
    assert texts["hint"]
    assert texts["what"] != catalogue(language)["error.file_not_found.what"]
