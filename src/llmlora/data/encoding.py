"""In which encoding a data file is written: a byte order mark, escape sequences, strict UTF-8, then one clear winner.

The whole file is decoded strictly, never a prefix. A guess is made only where exactly one Japanese encoding fits and
its text looks Japanese; everything else is an error that names the line and proposes `--encoding`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llmlora.core.errors import ConfigError, DatasetError

CHUNK_BYTES = 1 << 20
SCORED_BYTES = 32 << 20
PREVIEW_LINES = 3
PREVIEW_CHARACTERS = 60
CONTEXT_BYTES = 20
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# CP932 is what Windows calls Shift_JIS; the strict standard lacks the characters people use (circled digits and more).
REPLACED_NAMES = {"shift_jis": "cp932", "utf_8": "utf-8", "utf_8_sig": "utf-8-sig", "utf_16": "utf-16"}
PROPOSED = ("cp932", "euc_jp", "iso2022_jp", "utf-16-le", "utf-16-be", "utf-16")  # where it is not clear
REFUSED_NAMES = {"utf_7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
JIS_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\$\([DOPQ]|\([JI])")
UNDECODED = re.compile("[\udc80-\udcff]")
HIRAGANA = re.compile("[\u3041-\u309f]")
FULL_KATAKANA = re.compile("[\u30a0-\u30ff]")
KANJI = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
JAPANESE_MARKS = re.compile("[\u3000-\u303f\uff01-\uff5e]")
HALF_KATAKANA = re.compile("[\uff61-\uff9f]")
STRANGE = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd-\uffff]")
ASCII_PRINTABLE = re.compile("[\t\n\r\x20-\x7e]")


@dataclass(frozen=True)
class Encoding:
    """How to read a file: `name` is a Python codec; `preview` holds (line, text) when the codec was not plain UTF-8."""

    name: str
    has_bom: bool = False
    is_guessed: bool = False
    preview: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class _Bytes:
    size: int
    num_nul: int
    is_utf8: bool
    has_jis_escape: bool
    has_high: bool


def detect_encoding(path: Path, wanted: str | None = None) -> Encoding:
    """Return the encoding of a file, or check that the wanted one reads all of it.

    Raises:
        ConfigError: `wanted` is no text encoding.
        DatasetError: not readable in the wanted encoding, or none fits clearly; names line and column.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
    marked = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), None)
    if wanted is not None:
        return _wanted(path, codec_name(wanted), marked)
    if marked == "utf-8-sig":
        if not _look_at_bytes(path).is_utf8:
            raise _not_utf8(path)
        return Encoding(marked, has_bom=True)
    if marked is not None:
        return _wanted(path, marked, marked)
    return _without_mark(path)


def codec_name(name: str) -> str:
    """Return Python's name of a text encoding.

    Raises:
        ConfigError: unknown, or not a text encoding.
    """
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError) as failure:
        raise ConfigError("unknown_encoding", encoding=name) from failure
    plain = info.name.replace("-", "_")
    if plain in REFUSED_NAMES or not getattr(info, "_is_text_encoding", True) or info.incrementaldecoder is None:
        raise ConfigError("unknown_encoding", encoding=name)
    return REPLACED_NAMES.get(plain, info.name)


def _wanted(path: Path, name: str, marked: str | None) -> Encoding:
    if name == "utf-8" and marked == "utf-8-sig":
        name = marked
    if not _decodes(path, name):
        if name in ("utf-8", "utf-8-sig"):
            raise _not_utf8(path)
        line, column = _first_replaced(path, name)
        raise DatasetError("encoding_mismatch", encoding=name, line=line, column=column)
    preview = () if name in ("utf-8", "utf-8-sig") else preview_lines(path, name)
    return Encoding(name, has_bom=marked is not None, is_guessed=False, preview=preview)


def _without_mark(path: Path) -> Encoding:
    seen = _look_at_bytes(path)
    if seen.has_jis_escape and not seen.has_high:
        for name in ("iso2022_jp", "iso2022_jp_ext"):
            if _decodes(path, name):
                return _guess(path, name)
        line, column = _first_replaced(path, "iso2022_jp_ext")
        raise DatasetError("jis_unreadable", line=line, column=column)
    if seen.num_nul * 400 > seen.size:
        wide = _utf16_name(path)
        if wide is not None:
            return _guess(path, wide)
    if seen.is_utf8:
        return Encoding("utf-8")
    return _japanese_or_error(path)


def _guess(path: Path, name: str) -> Encoding:
    return Encoding(name, is_guessed=True, preview=preview_lines(path, name))


def _look_at_bytes(path: Path) -> _Bytes:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    size, num_nul, is_utf8, has_escape, has_high = 0, 0, True, False, False
    tail = b""
    for piece in _pieces(path):
        size += len(piece)
        num_nul += piece.count(0)
        has_escape = has_escape or JIS_ESCAPE.search(tail + piece) is not None
        has_high = has_high or not piece.isascii()
        tail = piece[-4:]
        if is_utf8:
            is_utf8 = _accepts(decoder, piece)
    return _Bytes(size, num_nul, is_utf8 and _accepts(decoder, b"", final=True), has_escape, has_high)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK_BYTES):
            yield piece


def _accepts(decoder: codecs.IncrementalDecoder, piece: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeError:
        return False
    return True


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    return all(_accepts(decoder, piece) for piece in _pieces(path)) and _accepts(decoder, b"", final=True)


def _utf16_name(path: Path) -> str | None:
    """Return the byte order in which almost everything is ASCII or Japanese, if there is one."""
    for name in ("utf-16-le", "utf-16-be"):
        text = _sample(path, name) if _decodes(path, name) else ""
        familiar = sum(_count(kind, text) for kind in (ASCII_PRINTABLE, HIRAGANA, FULL_KATAKANA, KANJI, JAPANESE_MARKS))
        plain = _count(ASCII_PRINTABLE, text) + _count(HIRAGANA, text) + _count(FULL_KATAKANA, text)
        if text and familiar >= 0.95 * len(text) and plain >= 0.2 * len(text):
            return name
    return None


def _sample(path: Path, name: str) -> str:
    with path.open("rb") as stream:
        return codecs.getincrementaldecoder(name)("replace").decode(stream.read(CHUNK_BYTES))


def _count(pattern: re.Pattern[str], text: str) -> int:
    return len(pattern.findall(text))


def _num_not_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _japanese_or_error(path: Path) -> Encoding:
    if _is_damaged_utf8(path):
        raise _not_utf8(path)
    scores = {name: _japanese_score(path, name) for name in ("cp932", "euc_jp") if _decodes(path, name)}
    if not scores:
        raise _not_utf8(path)
    ranked = sorted(scores, key=lambda name: scores[name], reverse=True)
    best = scores[ranked[0]]
    second = scores[ranked[1]] if len(ranked) > 1 else -1.0
    if best >= 0.5 and best - second >= 0.3:
        return _guess(path, ranked[0])
    line, column, byte, context, _ = _undecoded(path)
    options = " / ".join(f"--encoding {name}" for name in ranked)
    raise DatasetError(
        "encoding_ambiguous",
        line=line,
        column=column,
        byte=byte,
        context=context,
        candidates=", ".join(ranked),
        options=options,
    )


def _is_damaged_utf8(path: Path) -> bool:
    """Tell whether a file is UTF-8 but for some bytes: far more whole characters than bytes that fit nowhere."""
    whole, broken = 0, 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for piece in _pieces(path):
        text = decoder.decode(piece)
        damage = _count(UNDECODED, text)
        broken += damage
        whole += _num_not_ascii(text) - damage
        if whole + broken > 1_000_000:
            break
    return whole > 4 * max(broken, 1)


def _japanese_score(path: Path, name: str) -> float:
    """Return how Japanese a file looks in an encoding: -1 (not at all) to 1; needs kana to be above 0.5.

    Half-width katakana speak against an encoding only where they outnumber the other kana, as they do in EUC-JP read as
    CP932. Western and Chinese text read as Japanese has kanji and half-width katakana but hardly any other kana.
    """
    decoder = codecs.getincrementaldecoder(name)("strict")
    hiragana, katakana, half, good, bad, total = 0, 0, 0, 0.0, 0.0, 0
    for number, piece in enumerate(_pieces(path)):
        if number * CHUNK_BYTES >= SCORED_BYTES:
            break
        text = decoder.decode(piece)
        hiragana += _count(HIRAGANA, text)
        katakana += _count(FULL_KATAKANA, text)
        half += _count(HALF_KATAKANA, text)
        good += _count(JAPANESE_MARKS, text) + 0.6 * _count(KANJI, text)
        bad += 2 * _count(STRANGE, text)
        total += _num_not_ascii(text)
    if not total:
        return -1.0
    against = bad + (half if half > hiragana + katakana else 0)
    score = (hiragana + katakana + good - against) / total
    return score if hiragana >= 0.05 * total or katakana >= 0.3 * total else min(score, 0.4)


def _undecoded(path: Path) -> tuple[int, int, str, str, list[int]]:
    """Return line, column, byte and surroundings of the first byte that is not UTF-8, and the first lines with one."""
    first: tuple[int, int, str, str] | None = None
    lines: list[int] = []
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        for line, start, text in _line_pieces(stream):
            match = UNDECODED.search(text)
            if match is None:
                continue
            if not lines or lines[-1] != line:
                lines.append(line)
            if first is None:
                first = (line, start + match.start() + 1, *_hex_context(text, match.start()))
            if len(lines) > 20:
                break
    return (*(first or (1, 1, "", "")), lines)


def _hex_context(text: str, position: int) -> tuple[str, str]:
    before = text[max(0, position - CONTEXT_BYTES) : position].encode("utf-8", "surrogateescape")[-CONTEXT_BYTES // 2 :]
    after = text[position : position + CONTEXT_BYTES].encode("utf-8", "surrogateescape")[: CONTEXT_BYTES // 2]
    return f"0x{ord(text[position]) - 0xDC00:02X}", (before + after).hex(" ")


def _line_pieces(stream: codecs.StreamReader | object) -> Iterator[tuple[int, int, str]]:
    """Yield (line, characters before the piece, piece) without ever holding more than 1 Mi characters."""
    line, start = 1, 0
    while text := stream.readline(CHUNK_BYTES):  # type: ignore[union-attr]
        yield line, start, text
        ends = text.endswith(("\n", "\r"))
        line, start = (line + 1, 0) if ends else (line, start + len(text))


def _not_utf8(path: Path) -> DatasetError:
    line, column, byte, context, lines = _undecoded(path)
    shown = ", ".join(str(number) for number in lines[:20]) + (" …" if len(lines) > 20 else "")
    return DatasetError("not_utf8", line=line, column=column, byte=byte, context=context, lines=shown)


def _first_replaced(path: Path, name: str) -> tuple[int, int]:
    with path.open(encoding=name, errors="replace", newline="") as stream:
        for line, start, text in _line_pieces(stream):
            if "\ufffd" in text:
                return line, start + text.index("\ufffd") + 1
    return 1, 1


def encoding_proposals(path: Path) -> list[dict[str, object]]:
    """Return the encodings that read a whole file, the likeliest first: {encoding, lines: [{line, before, after}]}.

    `before` is a line as UTF-8 shows it, `after` the same in that encoding.
    """
    fitting = [name for name in PROPOSED if _decodes(path, name)]
    ranked = sorted(fitting, key=lambda name: _japanese_score(path, name), reverse=True)
    return [{"encoding": name, "lines": _before_and_after(path, name)} for name in ranked]


def _before_and_after(path: Path, name: str) -> list[dict[str, object]]:
    after = dict(preview_lines(path, name))
    before: dict[int, str] = {}
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        for line, start, text in _line_pieces(stream):
            if line in after and not start:
                before[line] = text.strip()[:PREVIEW_CHARACTERS]
            if line >= max(after):
                break
    return [{"line": line, "before": before.get(line, ""), "after": text} for line, text in after.items()]


def preview_lines(path: Path, name: str) -> tuple[tuple[int, str], ...]:
    """Return the first lines that hold anything but ASCII, else the first line, each shortened."""
    found: list[tuple[int, str]] = []
    first = ""
    with path.open(encoding=name, errors="replace", newline="") as stream:
        for line, _, text in _line_pieces(stream):
            first = first or text.strip()[:PREVIEW_CHARACTERS]
            if not text.isascii():
                found.append((line, text.strip()[:PREVIEW_CHARACTERS]))
            if len(found) == PREVIEW_LINES or line > 1000:
                break
    return tuple(found) or ((1, first),)
