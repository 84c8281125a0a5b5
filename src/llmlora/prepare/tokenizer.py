"""A folder's tokenizer, loaded as `tokenizer.json` says; its encoder lets no control token in through users' texts."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import transformers
from tokenizers import AddedToken, Tokenizer, processors
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from llmlora.core.errors import ModelFileError
from llmlora.core.layout import (
    ADDED_TOKENS_FILE,
    BPE_VOCABULARY,
    CONFIG_FILE,
    SPECIAL_TOKENS_FILE,
    TOKENIZER_CONFIG,
    TOKENIZER_FILE,
    TOKENIZER_FILES,
)
from llmlora.core.publish import sha256_file, sha256_json, write_json
from llmlora.prepare.sentencepiece import build_tokenizer, find_model_file, read_model

# "The price in Tokyo is 1,234 yen. Katakana, kanji: ..." in Japanese, then ASCII and an emoji: a tokenizer that
# transformers has rebuilt wrongly gives other ids than tokenizer.json for at least one of these.
PROBES = (
    "\u6771\u4eac\u3067\u306e\u4fa1\u683c\u306f1,234\u5186\u3067\u3059\u3002\u30ab\u30bf\u30ab\u30ca\u3001\u6f22\u5b57\u3002",
    "Hello, world!  Two  spaces\nand a line. 3.14 \U0001f642",
)
MAX_PROBED_TOKENS = 16
_TOKEN_NAMES = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")

# Names that models give to the token which ends a turn; llama.cpp stops at the same ones.
END_TOKENS = (
    "<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<turn|>", "<|endoftext|>", "<|end_of_text|>", "</s>",
    "<eos>", "<EOT>", "[EOS]", "[EOT]", "<|return|>", "<|eom_id|>", "<end_of_utterance>", "<|END_OF_TURN_TOKEN|>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>", "<|eot|>", "<|eom|>",
)  # fmt: skip
_PLAIN_CLASSES = ("PreTrainedTokenizerFast", "TokenizersBackend")
_FAST_FILES = (TOKENIZER_FILE, BPE_VOCABULARY)
# Classes and model types whose tokenizers put BOS in front of every text unless `add_bos_token` says otherwise.
_BOS_FAMILIES = ("llama", "codellama", "mistral", "mixtral", "gemma")
_FILE_ERRORS = (OSError, ValueError, LookupError, TypeError, AttributeError, ImportError, RecursionError)
_GUARD = "\ufdd4{}\ufdd5"
_MAX_PARTS = 6
_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


def _letters_of_bytes() -> dict[str, int]:
    """Return the byte that each letter of a byte-level vocabulary stands for: its own, or the next unprintable one."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + place): byte for place, byte in enumerate(others)}


_BYTES = _letters_of_bytes()


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a model or adapter folder, from local files and without running code from them.

    Where transformers rebuilds the tokenizer and gets other ids than `tokenizer.json`, the file wins.

    Raises:
        ModelFileError: `tokenizer_unreadable`, `tokenizer_missing` or `model_needs_code`.
    """
    settings = _read_settings(folder)
    if "auto_map" in settings:
        raise ModelFileError("model_needs_code", path=str(folder / TOKENIZER_CONFIG), setting="auto_map")
    if not any((folder / name).is_file() for name in TOKENIZER_FILES if name != TOKENIZER_CONFIG):
        raise ModelFileError("tokenizer_missing", path=str(folder))
    model_file = None if any((folder / name).is_file() for name in _FAST_FILES) else find_model_file(folder)
    if model_file is not None:
        return _from_sentencepiece(model_file, settings)
    try:
        with _typed_errors(folder):
            tokenizer = _tokenizer_class(folder, settings).from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except ModelFileError:
        if not (folder / TOKENIZER_FILE).is_file():
            raise
        tokenizer = _from_file(folder, settings)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelFileError("tokenizer_slow", path=str(folder), name=type(tokenizer).__name__)
    if (folder / TOKENIZER_FILE).is_file() and _differs(tokenizer, folder / TOKENIZER_FILE, settings):
        tokenizer = _from_file(folder, settings)
    with _typed_errors(folder):  # some damage shows only when it is used
        for probe in PROBES:
            tokenizer.encode(probe)
    return tokenizer


def _tokenizer_class(folder: Path, settings: Mapping[str, Any]) -> Any:
    """Return the class that reads a folder; `AutoTokenizer` is asked only when needed, it loads seconds of modules."""
    is_plain = settings.get("tokenizer_class") in _PLAIN_CLASSES and (folder / TOKENIZER_FILE).is_file()
    return PreTrainedTokenizerFast if is_plain else transformers.AutoTokenizer


@contextmanager
def _typed_errors(path: Path) -> Iterator[None]:
    """Turn whatever a broken file makes the libraries raise into a ModelFileError."""
    try:
        yield
    except BaseException as error:
        is_rust = type(error) is Exception or type(error).__name__ == "PanicException"
        if is_rust or isinstance(error, _FILE_ERRORS):
            detail = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise ModelFileError("tokenizer_unreadable", path=str(path), detail=detail) from error
        raise


def _read_settings(folder: Path) -> dict[str, Any]:
    path = folder / TOKENIZER_CONFIG
    with _typed_errors(path):
        return _json_object(path)


def _backend(path: Path) -> Tokenizer:
    with _typed_errors(path):
        return Tokenizer.from_file(str(path))


def _differs(tokenizer: PreTrainedTokenizerBase, path: Path, settings: Mapping[str, Any]) -> bool:
    """Tell whether a rebuilt tokenizer gives other ids than its file, with and without what is put around a text."""
    reference = _backend(path)
    if any(reference.token_to_id(text) is None for text in _class_tokens(tokenizer, settings)):
        return True  # a token of the class's own would have an id that no row of the embedding stands for
    with _typed_errors(path):
        special = [token.content for token in reference.get_added_tokens_decoder().values() if token.special]
        # Llama 2's file puts a space behind every special token, its class only in front of a whole text.
        probes = (*PROBES, "".join(f"{token}user\n {token} a" for token in special[:MAX_PROBED_TOKENS]))
        return any(
            tokenizer.encode(probe, add_special_tokens=adds) != reference.encode(probe, add_special_tokens=adds).ids
            for probe in probes
            for adds in (False, True)
        )


def _class_tokens(tokenizer: PreTrainedTokenizerBase, settings: Mapping[str, Any]) -> set[str]:
    """Return the special tokens that only the tokenizer's class names, such as Gemma's `<mask>`."""
    added = settings.get("added_tokens_decoder")
    entries = [*settings.values(), *(added.values() if isinstance(added, Mapping) else ())]
    return {str(text) for text in tokenizer.all_special_tokens} - {_token_text(entry) for entry in entries}


def _from_file(folder: Path, settings: Mapping[str, Any]) -> PreTrainedTokenizerFast:
    names = {name: _token_text(settings.get(name)) for name in _TOKEN_NAMES}
    tokens = {name: text for name, text in names.items() if text}
    return PreTrainedTokenizerFast(
        tokenizer_object=_backend(folder / TOKENIZER_FILE),
        clean_up_tokenization_spaces=False,
        model_max_length=settings.get("model_max_length") or int(1e30),
        **tokens,
    )


def _from_sentencepiece(path: Path, settings: Mapping[str, Any]) -> PreTrainedTokenizerFast:
    """Return the tokenizer of a folder that has a SentencePiece model and nothing newer."""
    with _typed_errors(path):
        model = read_model(path)
        backend = build_tokenizer(model)
        for token, index in sorted(_json_object(path.with_name(ADDED_TOKENS_FILE)).items(), key=lambda item: item[1]):
            if backend.add_tokens([AddedToken(token, normalized=False)]) and backend.token_to_id(token) != index:
                raise ValueError(f"{ADDED_TOKENS_FILE}: {token[:40]}")
        named = {**model.named_tokens, **_json_object(path.with_name(SPECIAL_TOKENS_FILE)), **settings}
        texts = {name: _token_text(named.get(name)) for name in _TOKEN_NAMES}
        tokens = {name: text for name, text in texts.items() if text and backend.token_to_id(text) is not None}
        backend.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in tokens.values()])
        if "bos_token" in tokens and _wants_bos(path.parent, settings):
            bos = tokens["bos_token"]
            backend.post_processor = processors.TemplateProcessing(
                single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, backend.token_to_id(bos))]
            )
        return PreTrainedTokenizerFast(
            tokenizer_object=backend,
            clean_up_tokenization_spaces=False,
            model_max_length=settings.get("model_max_length") or int(1e30),
            **tokens,
        )


def _wants_bos(folder: Path, settings: Mapping[str, Any]) -> bool:
    wanted = settings.get("add_bos_token")
    if isinstance(wanted, bool):
        return wanted
    family = settings.get("tokenizer_class") or _json_object(folder / CONFIG_FILE).get("model_type")
    return str(family).lower().startswith(_BOS_FAMILIES)


def _json_object(path: Path) -> dict[str, Any]:
    """Return the object in a small file; an absent file is empty."""
    value = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if not isinstance(value, dict):
        raise ValueError(path.name)
    return value


def _token_text(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("content")
    return value if isinstance(value, str) else None


def tokenizer_digest(folder: Path) -> str:
    """Return a hash of every file that decides how a folder's texts become ids."""
    return sha256_json({name: sha256_file(folder / name) for name in TOKENIZER_FILES if (folder / name).is_file()})


def save_tokenizer(source: Path, folder: Path) -> None:
    """Copy a folder's tokenizer files unchanged, so that other tools find what the base model has.

    Exceptions: a class that would rebuild the tokenizer wrongly is replaced, names that only the class or the base's
    configuration knows are written down, and where there is no `tokenizer.json` one is written, because export reads
    nothing else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, settings = load_tokenizer(source), _read_settings(source)
    if not (source / TOKENIZER_FILE).is_file():
        tokenizer.save_pretrained(folder)
        return
    for name in TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    completed = {**_missing_names(tokenizer, settings, source / TOKENIZER_FILE), **settings}
    if type(tokenizer) is PreTrainedTokenizerFast and settings.get("tokenizer_class") not in _PLAIN_CLASSES:
        completed["tokenizer_class"] = _PLAIN_CLASSES[0]
    if completed != settings:
        write_json(folder / TOKENIZER_CONFIG, completed)


def _missing_names(tokenizer: PreTrainedTokenizerBase, settings: Mapping[str, Any], path: Path) -> dict[str, str]:
    """Return class and special tokens that `tokenizer_config.json` leaves out, as distilgpt2's does.

    Beside an adapter there is no `config.json` to tell the class, and with it the end token.
    """
    reference = _backend(path)
    tokens = {name: getattr(tokenizer, name, None) for name in _TOKEN_NAMES if name not in settings}
    found = {name: str(text) for name, text in tokens.items() if text and reference.token_to_id(str(text)) is not None}
    return {"tokenizer_class": _PLAIN_CLASSES[0], **found}


class TextEncoder:
    """Text to token ids and back, with the rules every training row follows.

    Special tokens in a rendered template become their ids. What a user typed never does: `guard` marks special tokens
    inside user text, and `encode` spells them out as ordinary text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self._plain: Tokenizer = tokenizer.backend_tokenizer
        added = {str(token): int(index) for index, token in tokenizer.added_tokens_decoder.items() if token.special}
        named = zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True)
        self.special_tokens: dict[str, int] = {**{str(text): int(index) for text, index in named}, **added}
        self._special_names = {index: token for token, index in self.special_tokens.items()}
        self.special_ids = frozenset(self.special_tokens.values())
        self.bos_id: int | None = tokenizer.bos_token_id
        self.eos_id: int | None = tokenizer.eos_token_id
        self.unknown_id = self._own_unknown_id()
        ends = {self.special_tokens[name] for name in END_TOKENS if name in self.special_tokens}
        self.end_ids = frozenset(ends | ({self.eos_id} if self.eos_id is not None else set()))
        self.adds_bos = self._adds_bos()
        self._needs_aliases = not all(self._is_recognised(text) for text in self.special_tokens)

    def _own_unknown_id(self) -> int | None:
        unknown = self.tokenizer.unk_token_id
        return None if unknown in (self.bos_id, self.eos_id, self.tokenizer.pad_token_id) else unknown

    def _adds_bos(self) -> bool:
        return self.bos_id is not None and self._plain.encode("a").ids[:1] == [self.bos_id]

    def _is_recognised(self, text: str) -> bool:
        return self.special_tokens[text] in self._plain.encode(f"a{text}\n", add_special_tokens=False).ids

    @property
    def variables(self) -> dict[str, str]:
        """The token variables that a chat template may print."""
        return {name: str(text) for name in _TOKEN_NAMES if (text := getattr(self.tokenizer, name, None)) is not None}

    def guard(self, text: str) -> tuple[str, int]:
        """Return user text with its special tokens marked for `encode`, and how many there were."""
        count = 0
        for number, token in enumerate(self.special_tokens):
            if token in text:
                count += text.count(token)
                text = text.replace(token, _GUARD.format(number))
        return text, count

    def unguard(self, text: str) -> str:
        """Return guarded text as the user wrote it."""
        if "\ufdd4" in text:
            for number, token in enumerate(self.special_tokens):
                text = text.replace(_GUARD.format(number), token)
        return text

    def encode(self, text: str) -> list[int]:
        """Return the ids of rendered text without adding anything; guarded tokens are spelled out as text."""
        if "\ufdd4" not in text and not self._needs_aliases:
            return list(self._plain.encode(text, add_special_tokens=False).ids)
        aliases, twin, own_ids = self._twin
        for token, alias in aliases.items():
            text = text.replace(token, alias)
        encoded = twin.encode(self.unguard(text), add_special_tokens=False)
        return [own_ids.get(index, index) for index in encoded.ids]

    @cached_property
    def _twin(self) -> tuple[dict[str, str], Tokenizer, dict[int, int]]:
        """Names for the special tokens, a tokenizer that knows them by those names only, and its ids in ours.

        In the twin a special token's text is ordinary text, and its name is found whatever the normalizer does.
        """
        aliases = {token: f"\ufdd6{number}\ufdd7" for number, token in enumerate(self.special_tokens)}
        document = json.loads(self._plain.to_str())
        entries = {entry["content"]: entry for entry in document["added_tokens"]}
        kept = [entry for content, entry in entries.items() if content not in aliases]
        twin = Tokenizer.from_str(json.dumps({**document, "added_tokens": kept, "post_processor": None}))
        for token, alias in aliases.items():
            sides = {side: bool(entries.get(token, {}).get(side)) for side in ("lstrip", "rstrip")}
            twin.add_special_tokens([AddedToken(alias, normalized=False, special=True, **sides)])
        renamed = {entry["content"]: int(entry["id"]) for entry in kept}
        renamed.update({alias: self.special_tokens[token] for token, alias in aliases.items()})
        own_ids = {index: renamed[name] for name in renamed if (index := twin.token_to_id(name)) is not None}
        return aliases, twin, own_ids

    def with_bos(self, ids: Sequence[int]) -> list[int]:
        """Return ids that begin with BOS exactly once if this tokenizer adds one, as llama.cpp reads every prompt."""
        if self.adds_bos and self.bos_id is not None and (not ids or ids[0] != self.bos_id):
            return [self.bos_id, *ids]
        return list(ids)

    def encode_raw(self, text: str) -> list[int]:
        """Return the ids of a user's raw text, without special tokens."""
        return self.encode(self.guard(text)[0])

    def encode_continuation(self, before: str, text: str) -> list[int]:
        """Return the ids of `text` as it continues after `before`, without the space some tokenizers put first."""
        for anchor in (before[-16:], "\n", "a"):
            head, both = self.encode(anchor), self.encode(anchor + text)
            if anchor and both[: len(head)] == head:
                return both[len(head) :]
        return self.encode(text)

    def count(self, text: str) -> tuple[int, int]:
        """Return (tokens, unknown ones) of a text; a character that no token covers counts as an unknown token."""
        encoded = self._plain.encode(text, add_special_tokens=False)
        covered = bytearray(len(text))
        for start, end in encoded.offsets:
            covered[start:end] = b"\1" * (end - start)
        lost = sum(1 for index, seen in enumerate(covered) if not seen and not text[index].isspace())
        unknown = 0 if self.unknown_id is None else encoded.ids.count(self.unknown_id)
        return len(encoded.ids) + lost, unknown + lost

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return the text each id adds; a character made of several tokens stands at the last of them."""
        result: list[str] = []
        start = read = 0
        for end in range(1, len(ids) + 1):
            if ids[end - 1] in self.special_ids:
                result.append(self._special_names[ids[end - 1]])
                start = read = end
                continue
            before, after = self._decode(ids[start:read]), self._decode(ids[start:end])
            if after.endswith("\ufffd") and end - read < _MAX_PARTS:
                result.append("")
                continue
            result.append(after[len(before) :])
            start, read = read, end
        return result

    def token_bytes(self, token_id: int) -> bytes:
        """Return the bytes that a token adds behind others, be they a part of a character; a special one adds none."""
        if token_id in self.special_ids:
            return b""
        before = self.encode_raw("a")
        text = self._decode([*before, token_id])[len(self._decode(before)) :]
        if "\ufffd" not in text:
            return text.encode()
        piece = str(self._plain.id_to_token(token_id))
        if byte := _BYTE_TOKEN.fullmatch(piece):
            return bytes([int(byte[1], 16)])
        return bytes(_BYTES[letter] for letter in piece) if set(piece) <= _BYTES.keys() else text.encode()

    def whole_characters(self, ids: Sequence[int]) -> int:
        """Return how many of the leading ids end at the border of a character; at most a few less than all."""
        window = list(ids[-2 * _MAX_PARTS :])
        for dropped in range(min(_MAX_PARTS, len(window))):
            if not self._decode(window[: len(window) - dropped]).endswith("\ufffd"):
                return len(ids) - dropped
        return len(ids)

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._plain.decode([int(index) for index in ids], skip_special_tokens=False))
