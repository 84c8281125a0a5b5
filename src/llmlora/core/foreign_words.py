"""What the system and Python's readers say in English, found inside a text and replaced by the user's own words.

Errors carry such sentences as the parameters `detail` and `reason`; they are worded where all else is, at the edge, so
that what is stored depends on no language.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Mapping
from typing import Final

# What the system refuses, by the name that Python gives its number.
SYSTEM: Final = (
    "EACCES", "EBUSY", "EDQUOT", "EEXIST", "EFBIG", "EINVAL", "EIO", "EISDIR", "ELOOP", "EMFILE", "ENAMETOOLONG",
    "ENFILE", "ENODEV", "ENOENT", "ENOMEM", "ENOSPC", "ENOTDIR", "ENOTEMPTY", "ENXIO", "EPERM", "EPIPE", "EROFS",
    "ESTALE", "ETIMEDOUT", "ETXTBSY",
)  # fmt: skip
# The Python type that stands where another was needed.
TYPES: Final = ("NoneType", "bool", "dict", "float", "int", "list", "str")
_SENTENCES: Final = {os.strerror(getattr(errno, name)): name for name in SYSTEM}
_ONE_SENTENCE: Final = "|".join(re.escape(text) for text in sorted(_SENTENCES, key=len, reverse=True))
_PATTERNS: Final = {
    "json": r"(?:Expecting|Invalid|Unterminated|Extra data|Illegal)[^\n]*?: line (?P<line>\d+) column (?P<column>\d+)"
    r" \(char \d+\)",
    "not_utf8": r"'[\w-]+' codec can't decode bytes? (?:0x\w+ )?in position (?P<position>\d+)(?:-\d+)?: [a-z ]+",
    "yaml_twice": r"'?(?P<key>[^']*)'? stands twice in \"[^\"]*\", line (?P<line>\d+), column (?P<column>\d+)",
    "yaml_character": r"unacceptable character #x(?P<code>\w+): .* in \"[^\"]*\", position (?P<position>\d+)",
    "yaml": r".* in \"[^\"]*\", line (?P<line>\d+), column (?P<column>\d+)(?: .*)?",
    "too_deep": r"maximum recursion depth exceeded(?: .*)?",
    "system": rf"(?:\[Errno \d+\] )?(?P<sentence>{_ONE_SENTENCE})(?: \(os error \d+\))?",
}
_UNNAMED: Final = {kind: re.sub(r"[?]P<[a-z]+>", "?:", text) for kind, text in _PATTERNS.items()}
_ANY: Final = re.compile("|".join(f"(?P<{kind}>{text})" for kind, text in _UNNAMED.items()))
# Why a header of a GGUF or safetensors file was refused.
REASONS: Final = (
    "bad_alignment", "bad_bool", "bad_entry", "bad_key", "bad_metadata", "bad_offset", "bad_row_length", "bad_shape",
    "bad_tensor_name", "byte_swapped", "cut_off", "duplicate_key", "duplicate_tensor", "header_too_large", "hole",
    "nested_array", "not_json", "not_utf8", "overlap", "past_end", "size_mismatch", "too_many", "trailing_bytes",
    "unknown_type", "unsafe_name",
)  # fmt: skip

Translate = Callable[..., str]


def own_words(text: str, translate: Translate) -> str:
    """Return a text with every sentence of the system or of a reader replaced by `translate(key, **values)`.

    A text that is only the name of a Python type, or the code of a failed check of a header, is worded as a whole.
    """
    if text in TYPES:
        return translate(f"foreign.type.{text}")
    if text in REASONS:
        return translate(f"foreign.header.{text}")
    return _ANY.sub(lambda found: _worded(found, translate), text)


def _worded(found: re.Match[str], translate: Translate) -> str:
    kind = str(found.lastgroup)
    inner = re.match(_PATTERNS[kind], found.group())
    values: Mapping[str, str] = inner.groupdict() if inner else {}
    if kind == "system":
        return translate(f"foreign.system.{_SENTENCES[values['sentence']]}")
    return translate(f"foreign.{kind}", **values)
