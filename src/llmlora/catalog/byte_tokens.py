"""Whether a tokenizer that spells unknown characters byte by byte has a token for every byte, by its file alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from llmlora.core.layout import TOKENIZER_FILE

_SPELLS: Final = re.compile(rb'"byte_fallback"\s*:\s*true')
_TOKEN: Final = re.compile(rb'"<0x([0-9A-F]{2})>"')
NUM_BYTES: Final = 256


def may_lack_bytes(folder: Path) -> bool:
    """Tell whether a `tokenizer.json` says byte fallback, and not every byte stands in it as a token.

    The text of the file is searched, not read as JSON: whoever gets True has to look closer.
    """
    path = folder / TOKENIZER_FILE
    if not path.is_file():
        return False
    text = path.read_bytes()
    return _SPELLS.search(text) is not None and len(set(_TOKEN.findall(text))) < NUM_BYTES
