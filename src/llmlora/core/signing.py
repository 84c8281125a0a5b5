"""Signed documents: Ed25519 with a key that never leaves the workspace; the public key goes with the document."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from llmlora.core.layout import PASSPORT_KEY, home_dir
from llmlora.core.publish import replacing

SIGNED: Final = ("public_key", "signature")
KEY_BYTES: Final = 32


def signed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with `public_key` and `signature` (base64), signed with the workspace's key.

    The first call makes the key: `passport.key` of the workspace, readable by its owner alone.
    """
    key = _own_key()
    body = {**document, "public_key": _text(key.public_key().public_bytes_raw())}
    return {**body, "signature": _text(key.sign(_canonical(body)))}


def is_signed(document: Mapping[str, Any]) -> bool:
    """Tell whether a document is exactly what the owner of the public key inside it has signed."""
    body = {name: value for name, value in document.items() if name != "signature"}
    try:
        key = Ed25519PublicKey.from_public_bytes(_bytes(document.get("public_key")))
        key.verify(_bytes(document.get("signature")), _canonical(body))
    except (InvalidSignature, ValueError):
        return False
    return True


def own_public_key() -> str | None:
    """Return the public key of this workspace (base64), None before anything was signed here."""
    path = home_dir() / PASSPORT_KEY
    return _text(_read_key(path).public_key().public_bytes_raw()) if path.is_file() else None


def _canonical(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: one spelling of the same JSON, whatever its order and spaces."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _own_key() -> Ed25519PrivateKey:
    path = home_dir() / PASSPORT_KEY
    if not path.is_file():
        # Of two that make the first key at once, threads too, one wins with a whole file.
        with suppress(FileExistsError), replacing(path, exclusive=True) as made:
            made.chmod(0o600)
            made.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return _read_key(path)


def _read_key(path: Path) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes()[:KEY_BYTES])


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
