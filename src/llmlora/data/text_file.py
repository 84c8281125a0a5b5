"""Text files that users write beside their data (recipes, templates): UTF-8 only, and the way there from elsewhere."""

from __future__ import annotations

from pathlib import Path

from llmlora.core.errors import ConfigError, DatasetError
from llmlora.core.locale import shell_word
from llmlora.data.encoding import detect_encoding

# Python's names of encodings -> those that iconv knows everywhere.
ICONV_NAMES = {
    "euc_jp": "EUC-JP", "iso2022_jp": "ISO-2022-JP", "iso2022_jp_ext": "ISO-2022-JP", "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
}  # fmt: skip
USUAL_OTHER = "cp932"  # what Windows in Japan writes


def read_utf8(path: Path) -> str:
    """Return the text of a file in UTF-8, without its byte order mark.

    Raises:
        ConfigError: `text_not_utf8`, with the command that converts it. OSError: it cannot be read.
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError("text_not_utf8", path=str(path), line=line, **utf8_way(path)) from error
    if "\0" in text:  # UTF-16 without a mark, of Latin letters
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError("text_not_utf8", path=str(path), line=line, **utf8_way(path))
    return text


def utf8_way(path: Path) -> dict[str, str]:
    """Return the encoding that a file seems to have, and a command that writes it again in UTF-8 beside it."""
    try:
        name = detect_encoding(path).name
    except DatasetError:
        name = USUAL_OTHER
    name = USUAL_OTHER if name.startswith("utf-8") else name
    target = path.with_name(f"{path.stem}-utf8{path.suffix}")
    command = f"iconv -f {ICONV_NAMES.get(name, name.upper())} -t UTF-8 {shell_word(path)} > {shell_word(target)}"
    return {"encoding": name, "command": command}
