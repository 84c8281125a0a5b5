import json
import re

import pytest

from architecture.source_tree import SOURCE
from llmlora.core.locale import LANGUAGES
from llmlora.core.sizes import size_words


@pytest.mark.parametrize(
    ("num_bytes", "words"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (2e4, "20 KB"),
        (3_440_000, "3.4 MB"),
        (21_000_000, "21 MB"),
        (2_600_000_000, "2.6 GB"),
        (1_536_000_000_000, "1.5 TB"),
    ],
)
def test_sizes_are_decimal_with_the_digits_that_tell_something(num_bytes, words):
    """The same as on the page: `web/src/lib/format.test.ts`."""
    assert size_words(num_bytes) == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_writes_a_unit_of_bytes_of_its_own(language):
    """Numbers of bytes in texts are sizes by `!b`: the unit comes with the number."""
    texts = json.loads((SOURCE / "locales" / f"{language}.json").read_text(encoding="utf-8"))
    shown = {key: text for key, text in texts.items() if not key.startswith("api.route.")}  # exact limits, for programs
    wrong = {key: text for key, text in shown.items() if re.search(r"\}\s?[kKMGT]i?B\b|\b[KMGT]iB\b", text)}
    assert wrong == {}
