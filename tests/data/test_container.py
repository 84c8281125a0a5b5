"""What kind of file it is: content first, name second; nothing is unpacked, nothing binary is parsed."""

from __future__ import annotations

import bz2
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from llmlora.core.errors import DatasetError
from llmlora.data import container
from llmlora.data.container import MAGIC, Container, detect_container, refuse_binary
from llmlora.data.encoding import Encoding
from llmlora.data.read import iter_examples

ROW = '{"instruction": "a", "output": "b"}'
UTF8 = Encoding("utf-8")


def kind(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return detect_container(path, UTF8).kind


def refused(path: Path) -> tuple[str, str]:
    with pytest.raises(DatasetError) as raised:
        refuse_binary(path)
    return raised.value.code, str(raised.value.params["kind"])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.jsonl", f"{ROW}\n{ROW}\n", "jsonl"),
        ("a.ndjson", f"{ROW}\n{ROW}", "jsonl"),
        ("a.JSONL", f"{ROW}\n{ROW}", "jsonl"),
        ("a.jsonl", ROW, "json"),
        ("a.jsonl", '{"data": [' + ROW + "]}", "json"),
        ("a.json", f"{ROW}\n{ROW}\n", "jsonl"),
        ("a.json", f"[{ROW}]", "json"),
        ("a.json", ROW, "json"),
        ("a.json", '{"data": [' + ROW + "]}", "json"),
        ("a.json", '{\n"data": [\n' + ROW + "\n]}", "json"),
        ("a.jsonl", f"[\n{ROW},\n{ROW}\n]", "json"),
        ("a.jsonl", '{"instruction": "a", "outp\n' + ROW, "jsonl"),
        ("a.jsonl", "{'instruction': 'a'}\n" + ROW, "jsonl"),
        ("a.jsonl", ROW + ",\n" + ROW, "jsonl"),
        ("a.jsonl", "garbage\n" + ROW, "jsonl"),
        ("a.csv", "a,b\n1,2\n", "csv"),
        ("a.tsv", "a\tb\n", "csv"),
        ("a.csv", f"{ROW}\n{ROW}\n", "jsonl"),
        ("a.txt", "段落です。\n", "text"),
        ("a.md", "# 見出し\n", "text"),
        ("a.txt", f"{ROW}\n{ROW}\n", "jsonl"),
        ("a.txt", "{ これは JSON ではない }", "text"),
        ("a.txt", "質問\t回答\na\tb\n", "csv"),
        ("a.txt", '"質問","備考","回答"\n', "csv"),
        ("a.txt", "質問,備考\n", "text"),
        ("a.txt", "Question, context and other matters\n", "text"),
        ("a.txt", "text\n本文\n", "text"),
        ("a.txt", "sep=;\n質問;回答\n", "csv"),
        ("a", "質問,回答\na,b\n", "csv"),
        ("a", "質問,覚え書き\na,b\n", "text"),
        ("a.data", "question\tanswer\n", "csv"),
        ("a.data", f"[{ROW}]", "json"),
        ("a.data", "ただの文章です、はい。", "text"),
    ],
)
def test_kinds(tmp_path: Path, name: str, text: str, expected: str) -> None:
    assert kind(tmp_path, name, text) == expected
    assert kind(tmp_path, name, "\n \n" + text) == expected


def test_the_delimiter_follows_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("質問;回答\na,b;c,d\n", encoding="utf-8")
    assert detect_container(path, UTF8) == Container("csv", ";")
    path = tmp_path / "a.tsv"
    path.write_text("質問,回答\n", encoding="utf-8")
    assert detect_container(path, UTF8) == Container("csv", ",")
    path.write_text("質問\t回答,補足\n", encoding="utf-8")
    assert detect_container(path, UTF8) == Container("csv", "\t")


def test_a_header_with_the_columns_asked_for_makes_any_text_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("見出し\t中身\nあ\tい\n", encoding="utf-8")
    assert detect_container(path, UTF8).kind == "text"
    assert detect_container(path, UTF8, {"output": "中身", "instruction": "見出し "}) == Container("csv", "\t")
    assert detect_container(path, UTF8, {"output": "中身", "instruction": "別の列"}).kind == "text"


@pytest.mark.parametrize("text", ["", " ", "\n\n\r\n", "\u3000\n", "\ufeff"])
@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.txt"])
def test_nothing_but_space_is_no_data(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(DatasetError) as raised:
        kind(tmp_path, name, text)
    assert raised.value.code == "no_records"


@pytest.mark.parametrize("text", ["<!DOCTYPE html>", "<html lang='ja'>", "<?xml version='1.0'?>", "\n<HEAD>", "<body>"])
def test_pages_are_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError) as raised:
        kind(tmp_path, "a.jsonl", text)
    assert raised.value.code == "html_file"


def test_a_document_on_one_long_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"data": [' + ",".join([ROW] * 50_000) + "]}", encoding="utf-8")
    assert detect_container(path, UTF8).kind == "json"
    assert len(list(iter_examples(path))) == 50_000


def test_a_line_over_the_cap_may_still_be_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "LINE_CHARACTERS", 200_000)
    path = tmp_path / "a.json"
    path.write_text('{"data": [' + ",".join([ROW] * 60_000) + "]}", encoding="utf-8")
    assert detect_container(path, UTF8).kind == "json"


def test_a_long_first_row_is_still_a_row(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "' + "長" * 500_000 + '"}\n{"text": "b"}\n', encoding="utf-8")
    assert [len(one.text or "") for one in iter_examples(path)] == [500_000, 1]


@pytest.mark.parametrize(("offset", "magic", "code", "name"), MAGIC)
def test_first_bytes_decide(tmp_path: Path, offset: int, magic: bytes, code: str, name: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\x01" * offset + magic + b"\0" * 100)
    assert refused(path) == (code, name)


def test_archives_that_exist_are_refused_unopened(tmp_path: Path) -> None:
    inner = tmp_path / "inner.jsonl"
    inner.write_text(ROW, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(inner, "../../escape.jsonl")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(inner, "inner.jsonl")
    (tmp_path / "a.bz2").write_bytes(bz2.compress(b"0" * 10_000_000))
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"0" * 10_000_000))
    before = sorted(tmp_path.iterdir())
    found = {path.suffix: refused(path)[1] for path in before if path != inner}
    assert found == {".zip": "zip", ".tar": "tar", ".bz2": "bzip2", ".xz": "xz"}
    assert sorted(tmp_path.iterdir()) == before


def test_text_is_let_through(tmp_path: Path) -> None:
    for number, data in enumerate((b"", b"PK is not an archive", b'{"a": 1}', "ＧＧＵＦとは".encode(), b"BM,b\n")):
        path = tmp_path / str(number)
        path.write_bytes(data)
        refuse_binary(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FAQ一覧,\n,\n質問,回答\na?,b。\n", 3),
        ("社内FAQ 2026年版,,\n作成: 総務,,\nNo,質問,回答\n1,a?,b。\n", 3),
        ("sep=;\n表題;\n質問;回答\na?;b。\n", 3),
        ('\n\n"表題\n二行目",\n質問,回答\na?,b。\n', 5),
    ],
)
def test_a_title_above_the_header_is_named(tmp_path: Path, text: str, line: int) -> None:
    """Neither the title nor the first row is taken for the names of the columns."""
    path = tmp_path / "faq.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match="lines_above_header") as caught:
        detect_container(path, UTF8)
    assert caught.value.params["line"] == line
    assert detect_container(path, UTF8, {"instruction": "#1", "output": "#2"}).kind == "csv"
    path.write_text("".join(text.splitlines(keepends=True)[line - 1 :]), encoding="utf-8")
    assert detect_container(path, UTF8).has_header
