"""What a tokenizer may not do because llama.cpp would not do it, or would do it differently.

Every refusal names the part of `tokenizer.json`; a guess would give other token ids without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmlora.core.errors import ExportError, ModelFileError

Json = Mapping[str, Any]
SPACE_MARK = "▁"
_UTF8_BYTES = [byte for byte in range(256) if byte not in (0xC0, 0xC1) and byte < 0xF5]  # no text has the others
# llama.cpp drops the space behind added tokens for models of this name, and for no others; these three keep it.
PHI3_NAME = "phi-3"
PHI3_KEEPS_SPACE = ("<unk>", "<s>", "<|endoftext|>")
PHI3_END = "</s>"


def unsupported(kind: str) -> ExportError:
    """Return the error for a part of a tokenizer without a counterpart."""
    return ExportError("unsupported_tokenizer", kind=kind)


def check_steps(part: str, steps: Sequence[Json], accepted: Sequence[str]) -> None:
    """Refuse steps of a normalizer or pre-tokenizer whose type is not among the accepted ones."""
    unknown = [str(step.get("type")) for step in steps if step.get("type") not in accepted]
    if unknown:
        raise unsupported(f"{part}: {', '.join(unknown)}")


def check_bpe(model: Json) -> None:
    """Refuse marks around pieces, which llama.cpp's merging does not know."""
    for name in ("continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(name):
            raise unsupported(name)


def check_sentencepiece(normalizers: Sequence[Json], splitters: Sequence[Json]) -> None:
    """Refuse what differs from SentencePiece as llama.cpp has it: spaces become a mark, one may be put before a text.

    `prepend_scheme: first` puts it before a whole text only, llama.cpp behind every special token as well.
    """
    check_steps("normalizer", normalizers, ("Prepend", "Replace"))
    check_steps("pre_tokenizer", splitters, ("Metaspace", "Split"))
    for step in normalizers:
        is_mark = step.get("content") == SPACE_MARK and step.get("pattern") == {"String": " "}
        if step.get("type") == "Replace" and not is_mark:
            raise unsupported(f"normalizer: Replace {step.get('pattern')}")
        if step.get("type") == "Prepend" and step.get("prepend") != SPACE_MARK:
            raise unsupported(f"normalizer: Prepend {step.get('prepend')!r}")
    for step in splitters:
        # Behind the normalizer there are no spaces left to split at.
        if step.get("type") == "Split" and step.get("pattern") != {"String": " "}:
            raise unsupported(f"pre_tokenizer: Split {step.get('pattern')}")
    _check_metaspace(splitters)


def check_bytes(path: Path, tokens: Collection[str]) -> None:
    """Refuse a vocabulary with byte fallback that lacks tokens of bytes: llama.cpp fails on a text that needs one.

    Raises ModelFileError(tokenizer_no_bytes).
    """
    missing = [name for byte in _UTF8_BYTES if (name := f"<0x{byte:02X}>") not in tokens]
    if missing:
        raise ModelFileError("tokenizer_no_bytes", path=str(path), count=len(missing), first=missing[0])


def _check_metaspace(splitters: Iterable[Json]) -> None:
    for step in splitters:
        if step.get("type") == "Metaspace" and step.get("prepend_scheme") == "first":
            raise unsupported("pre_tokenizer: Metaspace, prepend_scheme first")


def merges_spaces(normalizers: Sequence[Json], splitters: Sequence[Json]) -> bool:
    """Tell whether a Unigram tokenizer makes one space of several."""
    patterns = [step.get("pattern") for step in normalizers if step.get("type") == "Replace"]
    has_splitter = any(step.get("type") == "WhitespaceSplit" for step in splitters)
    return has_splitter or any(pattern in ({"Regex": " {2,}"}, {"Regex": " +"}) for pattern in patterns)


def check_unigram(
    model: Json, normalizers: Sequence[Json], splitters: Sequence[Json], added: Mapping[int, Json]
) -> None:
    """Refuse Unigram models with byte pieces, which llama.cpp would replace by the unknown token.

    A token of the user's own in other letters than ASCII makes llama.cpp cut every character that begins with the same
    byte in two.
    """
    # NFC only does what llama.cpp's own reading of the table of characters does as well.
    check_steps("normalizer", normalizers, ("NFC", "Precompiled", "Prepend", "Replace", "Strip"))
    check_steps("pre_tokenizer", splitters, ("Metaspace", "WhitespaceSplit"))
    _check_metaspace(splitters)
    if model.get("byte_fallback"):
        raise unsupported("Unigram, byte_fallback")
    if any(step.get("type") == "Strip" for step in normalizers) and not merges_spaces(normalizers, splitters):
        raise unsupported("normalizer: Strip")
    own = [str(entry.get("content")) for entry in added.values() if not entry.get("special")]
    foreign = [text for text in own if not text.isascii()]
    if foreign:
        raise unsupported(f"Unigram, added_tokens: {', '.join(foreign[:3])}")


def phi3_suffix(added: Mapping[int, Json], token_ids: Mapping[str, int], unknown: int | None) -> str:
    """Return what the model's name must end with so that spaces behind added tokens are dropped as they must be.

    Raises ExportError(unsupported_tokenizer) for added tokens that take in the spaces around them in any other way.
    """
    for entry in added.values():
        for side in ("lstrip", "single_word"):
            if entry.get(side):
                raise unsupported(f"added_tokens: {entry.get('content')}, {side}")
    stripping = {str(entry["content"]) for entry in added.values() if entry.get("rstrip")}
    if not stripping:
        return ""
    special = {str(entry["content"]) for index, entry in added.items() if index != unknown} | {PHI3_END}
    has_names = all(name in token_ids for name in (*PHI3_KEEPS_SPACE, PHI3_END))
    if has_names and stripping == special - set(PHI3_KEEPS_SPACE):
        return f"-{PHI3_NAME}"
    raise unsupported(f"added_tokens: {min(stripping)}, rstrip")
