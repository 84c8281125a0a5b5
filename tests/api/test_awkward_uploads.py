"""Awkward files through the upload route: kept with their problems, or refused whole, as the API promises (gate S5)."""

from __future__ import annotations

import json
import time

import pytest

from api.clients import nothing_left
from api.test_datasets import folders, upload
from data.awkward_files import CASES, LINE, OTHER, Case, lines

REFUSED = {
    "no_records", "html_file", "not_json", "lfs_pointer", "compressed_file", "spreadsheet_file", "binary_file",
}  # fmt: skip
# One file of each kind of fault: kept with its problems, unless none of it is a dataset.
KEPT = {
    "NUL byte": ("nul.jsonl", "nul.csv"),
    "invalid UTF-8": ("one-bad-byte.jsonl", "cut-character.jsonl"),
    "lone surrogate": ("surrogate.jsonl",),
    "duplicate key": ("duplicate-key.jsonl",),
    "numbers": ("nan.jsonl", "1e999.jsonl", "huge-int.jsonl", "number-answer.jsonl"),
    "depth": ("deep-900.json", "deep-100000.jsonl", "deep-100000.json"),
    "size": ("long-line.jsonl", "empty-rows.jsonl"),
    "cut off": ("truncated.jsonl", "truncated-ascii.json"),
    "syntax": ("trailing-comma.jsonl", "single-quotes.jsonl", "comment.json", "concatenated.json", "arrays.jsonl"),
    "rows": ("no-output.jsonl", "null-output.jsonl", "blank-output.jsonl", "role.jsonl", "no-assistant.jsonl"),
    "tables": ("unclosed-quote.csv", "ragged-long.csv", "twice.csv", "full-width-comma.csv"),
}
GONE = {
    "nothing there": ("empty.jsonl", "spaces.json", "bom-only.jsonl", "number.json", "string.json", "empty-array.json"),
    "another kind of file": ("page.json", "zip.jsonl", "gzip.jsonl", "zst.jsonl", "tar.csv", "book.csv"),
}
TOLD = {"escaped NUL": "nul-escape.jsonl", "byte order mark": "bom.csv", "another encoding": "cp932.csv"}
BY_NAME = {case.name: case for case in CASES}
ASKED = [{"role": "user", "content": "開店は何時ですか。"}, {"role": "assistant", "content": "9時です。"}]
# As people brought them, each once misread.
BROUGHT = (
    Case("two-answers.csv", "質問,正解,回答\n一番高い山は？,富士山,北岳\n".encode(), False, "two_columns", 1),
    Case("preferences.jsonl", lines({"messages": ASKED[:1], "chosen": "9時です。", "rejected": "知りません。"}), False),
    Case("in-brackets.csv", "Question (required),Answer text\n甲？,一です。\n".encode(), False, "unknown_columns", 1),
    Case("pointer.txt", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", False, "lfs_pointer"),
    Case("weights.jsonl", lines({"messages": [*ASKED, ASKED[0], {**ASKED[1], "weight": 0}]}), True),
    Case("labels.jsonl", lines({"prompt": "開店は？", "completion": "知らない。", "label": False}, LINE), False),
    Case("thoughts.jsonl", lines({"messages": [ASKED[0], {**ASKED[1], "reasoning_content": "…"}]}), True),
)


def in_pieces(client, content, file_name):
    """Send a file by the route that goes on after a break, and make the dataset."""
    begun = client.post("/api/uploads", json={"name": file_name, "bytes": len(content)}).json()
    path, half = f"/api/uploads/{begun['id']}", len(content) // 2
    for start, piece in ((0, content[:half]), (half, content[half:])):
        assert client.put(path, content=piece, headers={"Upload-Offset": str(start)}).status_code == 200
    answer = client.post(f"{path}/dataset", json={})
    client.delete(path)
    return answer


def check(client, home, case, send=upload):
    before = folders(home)
    with nothing_left(home / "scratch"):
        answer = send(client, case.data, case.name)
    document = answer.json()
    assert str(home) not in answer.text
    if document.get("code") in REFUSED:
        assert answer.status_code == 422 and case.code in (None, document["code"]) and not case.ok, answer.text
        assert document["detail"] and document["hint"]
        assert folders(home) == before
        return
    assert (answer.status_code, document.get("ok")) == (201, case.ok), answer.text
    assert case.code not in REFUSED
    found = [(problem["code"], problem["line"]) for problem in document["problems"]]
    assert case.code is None or case.code in [code for code, _ in found], found
    assert case.line is None or (case.code, case.line) in found, found
    assert all(problem["message"] for problem in document["problems"])
    assert case.rows is None or document["num_examples"] == case.rows
    assert len(answer.content) < 200_000
    assert (home / "datasets" / document["id"] / "meta.json").is_file()


@pytest.mark.parametrize("name", [name for names in KEPT.values() for name in names])
def test_a_file_with_bad_rows_is_kept_with_its_problems(client, home, name):
    case = BY_NAME[name]
    assert not case.ok and case.code not in REFUSED
    check(client, home, case)
    assert len(folders(home)) == 1


@pytest.mark.parametrize("name", [name for names in GONE.values() for name in names])
def test_what_is_no_dataset_is_refused_whole(client, home, name):
    assert BY_NAME[name].code in REFUSED
    check(client, home, BY_NAME[name])
    assert folders(home) == []


@pytest.mark.parametrize("name", TOLD.values())
def test_what_can_be_read_is_read_and_told(client, home, name):
    assert BY_NAME[name].ok
    check(client, home, BY_NAME[name])


@pytest.mark.parametrize("case", BROUGHT, ids=[case.name for case in BROUGHT])
def test_what_people_brought(client, home, case):
    check(client, home, case)


@pytest.mark.gate
def test_every_awkward_file_by_both_routes(client, home):
    for case in (*CASES, *BROUGHT):
        check(client, home, case)
        if case.data:  # an upload in pieces has something to send
            check(client, home, case, in_pieces)
    print(json.dumps({"files": len(CASES) + len(BROUGHT), "kept": len(folders(home))}))


@pytest.mark.gate
def test_five_million_empty_rows_are_one_answer(client, home):
    began = time.monotonic()
    content = lines(LINE, OTHER) + b"{}\n" * 5_000_000
    check(client, home, Case("empty-rows.jsonl", content, False, "empty_row", 3))
    print(json.dumps({"seconds": round(time.monotonic() - began, 1)}))
