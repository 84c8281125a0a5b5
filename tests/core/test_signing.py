"""Signed documents: what was signed is recognised, and nothing else is."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmlora.core.layout import PASSPORT_KEY
from llmlora.core.signing import is_signed, own_public_key, signed

DOCUMENT = {"schema": "x/1", "name": "店", "numbers": [1, 2.5, None], "deep": {"b": 1, "a": "é"}}


def test_a_signature_holds_whatever_the_order_and_the_file(home: Path) -> None:
    made = signed(DOCUMENT)
    assert is_signed(made)
    again = json.loads(json.dumps(dict(reversed(made.items())), indent=3))
    assert is_signed(again)
    assert signed(DOCUMENT) == made, "Ed25519 leaves nothing to chance"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "庫"},
        {"numbers": [1, 2.5]},
        {"deep": {"b": 1, "a": "e"}},
        {"more": 1},
        {"signature": "AAAA"},
        {"signature": "日本"},
        {"signature": None},
        {"public_key": "AAAA"},
    ],
)
def test_any_change_is_noticed(home: Path, change: dict[str, object]) -> None:
    assert not is_signed({**signed(DOCUMENT), **change})


def test_another_key_signs_for_itself_only(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = signed(DOCUMENT)
    assert own_public_key() == mine["public_key"]
    monkeypatch.setenv("LLMLORA_HOME", str(tmp_path / "other"))
    assert own_public_key() is None
    theirs = signed(DOCUMENT)
    assert is_signed(theirs) and theirs["public_key"] != mine["public_key"]
    assert not is_signed({**mine, "public_key": theirs["public_key"]})


def test_the_key_is_its_owners_and_made_once(home: Path) -> None:
    path = home / PASSPORT_KEY
    with ThreadPoolExecutor(8) as pool:
        for _ in range(30):
            path.unlink(missing_ok=True)
            keys = {made["public_key"] for made in pool.map(lambda _: signed(DOCUMENT), range(16))}
            assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in home.iterdir()] == [PASSPORT_KEY]
    assert path.read_bytes() not in json.dumps(signed(DOCUMENT)).encode()
