"""`llmlora dataset check | convert` as a user calls it: exit codes, stdout and stderr, both languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.awkward_files import CASES
from llmlora.cli import output
from llmlora.cli.main import run

GOOD = "質問,回答,番号\n料金は？,980円です。,1\n休みは？,水曜日です。,2\n"
BAD = "質問,回答\n料金は？,\n休みは？,水曜日です。\n"


@pytest.fixture(autouse=True)
def fresh_options() -> Iterator[None]:
    """Undo the shared options that a call sets for its process."""
    before = output.Options(**vars(output.options))
    yield
    for name, value in vars(before).items():
        setattr(output.options, name, value)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "データ [1].csv"
    path.write_text(GOOD, encoding="utf-8")
    return path


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run(["dataset", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def document(text: str) -> dict[str, Any]:
    return dict(json.loads(text))


def test_check_prints_one_document(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "check", data, "--json")
    assert (code, err) == (0, "")
    report = document(out)
    assert list(report)[:2] == ["schema", "ok"]
    assert report["schema"] == "llmlora.dataset_check/1"
    assert (report["ok"], report["num_examples"], report["encoding"], report["format"]) == (
        True,
        2,
        "utf-8",
        "instruction",
    )


def test_bad_data_is_a_document_too_with_exit_code_4(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_text(BAD, encoding="utf-8")
    code, out, err = called(capsys, "check", data, "--json")
    assert (code, err) == (4, "")
    problem = document(out)["problems"][0]
    assert (problem["level"], problem["code"], problem["line"], problem["row"], problem["field"]) == (
        "error", "blank_answer", 2, 1, "回答",
    )  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\xff", b"PK\x03\x04", b"[" * 50_000])
def test_unreadable_data_is_no_traceback(data: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    data.write_bytes(content)
    code, out, err = called(capsys, "check", data, "--json")
    assert (code, err, document(out)["ok"]) == (4, "", False)


def test_people_read_it_in_their_language(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_text(BAD, encoding="utf-8")
    code, out, _ = called(capsys, "check", data, "--lang", "ja")
    assert code == 4
    assert "✗ エラー 2行目: 「回答」が空白だけです。" in out
    assert "ヒント: " in out
    assert "このままでは学習できません。エラーが 1 件あります。" in out
    _, out, _ = called(capsys, "check", data, "--lang", "en")
    assert '✗ error line 2: "回答" is blank.' in out
    assert "hint: " in out.lower()


def test_what_was_read_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_bytes(GOOD.encode("cp932"))
    code, out, _ = called(capsys, "check", data, "--lang", "ja")
    assert code == 0
    for words in (
        "cp932",
        "instruction ← 質問, output ← 回答",
        "使わない列: 番号",
        "区切り: コンマ",
        "2行目: 料金は？",
        "学習できます。",
    ):
        assert words in out
    assert str(data) in out
    code, out, _ = called(capsys, "check", data, "--lang", "ja", "--quiet")
    assert (code, "区切り" in out, "学習できます。" in out) == (0, False, True)


def test_many_findings_are_cut_with_their_number(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_text("質問,回答\n" + "".join(f"q{number},\n" for number in range(50)), encoding="utf-8")
    _, out, _ = called(capsys, "check", data, "--lang", "ja")
    assert out.count("が空白だけです") == 20
    assert "ほかに同じ種類が 30 件あります。" in out
    assert "エラーが 50 件" in out


def test_options_reach_the_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("見出し,中身\n東京,大阪\n".encode("euc_jp"))
    assert called(capsys, "check", path, "--json")[0] == 4
    arguments = (
        "--encoding",
        "euc_jp",
        "--map",
        "instruction=見出し",
        "--map",
        "output=中身",
        "--format",
        "instruction",
    )
    code, out, _ = called(capsys, "check", path, "--json", *arguments)
    assert code == 0
    assert document(out)["columns"]["mapped"] == {"instruction": "見出し", "output": "中身"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "alpaca"),
        ("--encoding", "klingon"),
        ("--map", "a"),
        ("--map", "a=b"),
        ("--nonsense",),
        ("--max-length", "0"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_no_output(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, out, err = called(capsys, "check", data, "--json", *arguments)
    assert (code, out) == (2, "")
    assert document(err)["schema"] == "llmlora.error/1"


CONTRACT = {"ok", "format", "encoding", "num_examples", "problems", "stats"}
PLACES = {"level", "code", "line", "row", "column", "message", "hint"}
SMALL = [case for case in CASES if len(case.data) < 100_000]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_awkward_file_keeps_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    """Exit 0 when it can be trained on and 4 when not, one document with every key, nothing on stderr."""
    for case in SMALL:
        path = tmp_path / case.name
        path.write_bytes(case.data)
        code, out, err = called(capsys, "check", path, "--json", "--lang", language)
        report = document(out)
        assert (code, err, report["ok"]) == (0 if case.ok else 4, "", case.ok), case.name
        assert set(report) >= CONTRACT, case.name
        assert report["num_examples"] == report["stats"]["num_examples"], case.name
        for problem in report["problems"]:
            assert set(problem) >= PLACES, case.name
            assert problem["level"] in ("error", "warning"), case.name
            assert problem["message"] and problem["hint"], (case.name, problem)
            for place in ("line", "row", "column"):
                assert problem[place] is None or problem[place] >= 1, (case.name, problem)
        path.unlink()


def test_the_screen_says_the_verdict_of_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for case in SMALL[::4]:
        path = tmp_path / case.name
        path.write_bytes(case.data)
        code, out, err = called(capsys, "check", path, "--lang", "en")
        assert code == (0 if case.ok else 4), case.name
        assert err.startswith(f"Next: llmlora {'train' if case.ok else 'dataset check'} "), case.name
        assert err.count("\n") == 1, case.name
        assert ("Cannot be trained on yet" in out) is not case.ok, case.name
        assert case.ok or out.count("hint: ") >= 1, case.name


def test_what_is_no_file_is_named_as_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    for verb, more in (("check", ()), ("convert", ("-o", tmp_path / "o.jsonl")), ("preview", ("--model", "nano"))):
        code, out, err = called(capsys, verb, tmp_path / "folder.jsonl", *more, "--json", "--lang", "en")
        assert (code, out, document(err)["code"]) == (3, "", "not_a_file")
        code, _, err = called(capsys, verb, "あ" * 100 + ".jsonl", *more, "--json")
        assert (code, document(err)["code"]) == (3, "file_not_found")


def test_lengths_need_a_model(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "check", data, "--max-length", "100", "--lang", "ja")
    assert (code, out) == (2, "")
    assert "--model" in err and "--model nano" in err


def test_a_check_with_a_model_counts_as_training_does(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_text(GOOD + "長い？," + "とても長い回答です。" * 40 + ",3\n", encoding="utf-8")
    code, out, _ = called(capsys, "check", data, "--model", "nano", "--max-length", "60", "--json", "--eval-data", data)
    report = document(out)
    assert (code, report["counts"]["over_max_length"], report["counts"]["leakage"]) == (0, 1, 3)
    over = next(problem for problem in report["problems"] if problem["code"] == "over_max_length")
    assert (over["line"], over["row"]) == (4, 3)
    assert report["stats"]["tokens"]["max"] == over["params"]["num_tokens"] > 60
    code, out, _ = called(capsys, "preview", data, "--model", "nano", "--json", "-n", 3)
    lengths = [row["num_tokens"] for row in document(out)["rows"]]
    assert max(lengths) == over["params"]["num_tokens"]
    code, out, _ = called(capsys, "check", data, "--model", "nano", "--max-length", "8", "--json")
    assert (code, document(out)["counts"]["no_trainable_tokens"]) == (4, 3)


def test_training_and_preview_name_all_bad_rows(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_text(BAD + ",a\nb,\n", encoding="utf-8")
    code, _, err = called(capsys, "preview", data, "--model", "nano", "--lang", "en")
    assert code == 4
    assert "3 rows" in err and "lines 2, 4, 5" in err
    assert "llmlora dataset check" in err


def test_a_missing_file_is_exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "check", tmp_path / "none.jsonl", "--json")
    assert (code, out, document(err)["code"]) == (3, "", "file_not_found")


def test_convert(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.jsonl"
    code, out, _ = called(capsys, "convert", data, "-o", target, "--json")
    assert (code, document(out)["schema"], document(out)["num_written"]) == (0, "llmlora.dataset_convert/1", 2)
    assert len(target.read_text(encoding="utf-8").splitlines()) == 2
    code, _, err = called(capsys, "convert", data, "-o", target, "--json")
    assert (code, document(err)["code"]) == (3, "output_exists")
    assert called(capsys, "convert", data, "-o", target, "-y")[0] == 0


def test_convert_says_what_it_left_out(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_text(BAD, encoding="utf-8")
    code, _, err = called(capsys, "convert", data, "-o", tmp_path / "a.jsonl", "--lang", "ja")
    assert code == 4
    assert "--drop-invalid" in err
    code, out, _ = called(capsys, "convert", data, "-o", tmp_path / "a.jsonl", "--drop-invalid", "--lang", "ja")
    assert code == 0
    assert "2行目（1例目）: 「回答」が空白だけです。" in out


def test_convert_names_repeated_rows_in_words(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_text(GOOD + "料金は？,980円です。,3\n", encoding="utf-8")
    code, out, _ = called(capsys, "convert", data, "-o", tmp_path / "a.jsonl", "--deduplicate", "--lang", "ja")
    assert code == 0
    assert "4行目（3例目）: 前の行と同じ内容です" in out
    assert "duplicate" not in out
    code, _, err = called(capsys, "convert", data, "-o", tmp_path / "a.jsonl" / "b.jsonl", "--lang", "en")
    assert (code, "cannot be written" in err, "-o" in err) == (2, True, True)


def test_convert_splits(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(
        capsys, "convert", data, "-o", tmp_path / "a.jsonl", "--split", "0.5", "--seed", "3", "--lang", "en"
    )
    assert code == 0
    assert str(tmp_path / "a.eval.jsonl") in out


@pytest.mark.parametrize("verb", ["check", "convert", "preview"])
def test_help_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, verb, "--help")
    assert code == 0
    assert f"llmlora dataset {verb} data.csv" in out
