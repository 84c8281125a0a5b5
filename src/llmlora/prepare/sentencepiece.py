"""A SentencePiece model file as a fast tokenizer with the same ids, for folders that have nothing else.

transformers reads these files for a few classes only, and with other ids: it forgets the file's own normalization and
byte pieces and takes the end token for unknown characters. So the file is read here, by its published format
(sentencepiece_model.proto), and built from the same parts that SentencePiece has.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers

from llmlora.core.layout import SENTENCEPIECE_FILES
from llmlora.core.sizes import size_words

MAX_BYTES = 64 << 20
SPACE = "\u2581"
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
UNIGRAM, BPE = 1, 2
NEVER = -1e6  # a score no path through a text would take


@dataclass
class SentencePieceModel:
    """What a model file says: pieces are (text, score, type); ids are their places, -1 for none."""

    pieces: list[tuple[str, float, int]] = field(default_factory=list)
    kind: int = UNIGRAM
    byte_fallback: bool = False
    space_is_suffix: bool = False
    named_ids: dict[str, int] = field(
        default_factory=lambda: {"unk_token": 0, "bos_token": 1, "eos_token": 2, "pad_token": -1}
    )
    normalization: str = ""
    charsmap: bytes = b""
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True

    @property
    def named_tokens(self) -> dict[str, str]:
        """Names such as `eos_token` -> the text of the piece."""
        return {name: self.pieces[place][0] for name, place in self.named_ids.items() if 0 <= place < len(self.pieces)}


def find_model_file(folder: Path) -> Path | None:
    """Return the SentencePiece model of a folder, if there is one."""
    return next((folder / name for name in SENTENCEPIECE_FILES if (folder / name).is_file()), None)


def read_model(path: Path) -> SentencePieceModel:
    """Read a model file.

    Raises ValueError when it is damaged, something else, or uses what fast tokenizers do not have.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {size_words(MAX_BYTES)}")
    model = SentencePieceModel()
    for number, value in _fields(path.read_bytes()):
        if number == 1:
            model.pieces.append(_piece(value))
        elif number == 2:
            _read_trainer(value, model)
        elif number == 3:
            _read_normalizer(value, model)
    if not model.pieces:
        raise ValueError("not a SentencePiece model: no pieces")
    if model.kind not in (UNIGRAM, BPE):
        raise ValueError("SentencePiece kinds other than unigram and bpe")
    if model.space_is_suffix or not model.escape_whitespaces:
        raise ValueError("treat_whitespace_as_suffix or escape_whitespaces")
    if not 0 <= model.named_ids["unk_token"] < len(model.pieces):
        raise ValueError("no unknown piece")
    if len({text for text, _, _ in model.pieces}) != len(model.pieces):
        raise ValueError("a piece appears twice")
    return model


def _fields(data: Any) -> Iterator[tuple[int, Any]]:
    """Yield (number, value) of each field of a protocol buffer message: int, float or bytes."""
    if not isinstance(data, bytes):
        raise ValueError("not a SentencePiece model")
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value: Any
            value, at = _varint(data, at)
        elif kind in (1, 2, 5):
            size, at = _varint(data, at) if kind == 2 else (8 if kind == 1 else 4, at)
            value, at = data[at : at + size], at + size
            if at > len(data):
                raise ValueError("cut off")
            value = struct.unpack("<f", value)[0] if kind == 5 else value
        else:
            raise ValueError("not a SentencePiece model")
        yield key >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("cut off")
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("not a SentencePiece model")


def _piece(data: Any) -> tuple[str, float, int]:
    found = dict(_fields(data))
    text, score, kind = found.get(1, b""), found.get(2, 0.0), found.get(3, NORMAL)
    if not isinstance(text, bytes) or not isinstance(score, float) or not isinstance(kind, int):
        raise ValueError("not a SentencePiece model")
    return text.decode("utf-8"), score, kind


def _read_trainer(data: Any, model: SentencePieceModel) -> None:
    ids = {40: "unk_token", 41: "bos_token", 42: "eos_token", 43: "pad_token"}
    for number, value in _fields(data):
        if number == 3:
            model.kind = value
        elif number == 24:
            model.space_is_suffix = bool(value)
        elif number == 35:
            model.byte_fallback = bool(value)
        elif number in ids:
            model.named_ids[ids[number]] = value if value < 1 << 31 else -1  # -1 is written as 2**64 - 1


def _read_normalizer(data: Any, model: SentencePieceModel) -> None:
    for number, value in _fields(data):
        if number == 1:
            model.normalization = bytes(value).decode("utf-8")
        elif number == 2:
            model.charsmap = bytes(value)
        elif number == 3:
            model.add_dummy_prefix = bool(value)
        elif number == 4:
            model.remove_extra_whitespaces = bool(value)
        elif number == 5:
            model.escape_whitespaces = bool(value)


def build_tokenizer(model: SentencePieceModel) -> Tokenizer:
    """Return a fast tokenizer that gives SentencePiece's own ids; control pieces become special tokens."""
    tokenizer = Tokenizer(_unigram(model) if model.kind == UNIGRAM else _bpe(model))
    tokenizer.normalizer = normalizers.Sequence(_normalizers(model))
    ends = [decoders.Strip(" ", 1, 0)] if model.add_dummy_prefix else []
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *ends]
    )
    added = [(text, kind) for text, _, kind in model.pieces if kind in (UNKNOWN, CONTROL, USER_DEFINED)]
    specials = [AddedToken(text, normalized=False, special=True) for text, kind in added if kind != USER_DEFINED]
    tokenizer.add_special_tokens(specials)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text, kind in added if kind == USER_DEFINED])
    return tokenizer


def _unigram(model: SentencePieceModel) -> models.Model:
    vocabulary = [(text, NEVER if kind == UNUSED else score) for text, score, kind in model.pieces]
    return models.Unigram(vocabulary, model.named_ids["unk_token"], model.byte_fallback)


def _bpe(model: SentencePieceModel) -> models.Model:
    """Return a BPE whose merges are every way to put a piece together from two others, best pieces first."""
    vocabulary = {text: place for place, (text, _, _) in enumerate(model.pieces)}
    usable = {text for text, _, kind in model.pieces if kind in (NORMAL, USER_DEFINED)}
    ranked: list[tuple[float, int, int, tuple[str, str]]] = []
    for text, score, kind in model.pieces:
        for cut in range(1, len(text) if kind == NORMAL else 0):
            first, second = text[:cut], text[cut:]
            if first in usable and second in usable:
                ranked.append((-score, vocabulary[first], vocabulary[second], (first, second)))
    merges = [pair for _, _, _, pair in sorted(ranked)]
    unknown = model.pieces[model.named_ids["unk_token"]][0]
    return models.BPE(vocabulary, merges, unk_token=unknown, fuse_unk=True, byte_fallback=model.byte_fallback)


def _normalizers(model: SentencePieceModel) -> list[Any]:
    steps: list[Any] = []
    if model.charsmap:
        # The fast form of these tables joins no kana with its voice mark, of full or of half width; NFC does.
        joins = [normalizers.NFC()] if "nfkc" in model.normalization else []
        steps += [*joins, normalizers.Precompiled(model.charsmap), *joins]
    if model.remove_extra_whitespaces:
        steps += [normalizers.Replace(Regex(rf"\A +|[ {SPACE}]+\z"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
    if model.add_dummy_prefix:
        steps.append(normalizers.Prepend(SPACE))
    return [*steps, normalizers.Replace(" ", SPACE)]
