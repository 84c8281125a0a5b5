"""The report of a check: everything at once, counted, with columns, numbers, and the model's view when there is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmlora.core.errors import ConfigError, NotFound
from llmlora.core.examples import Example
from llmlora.core.locale import LANGUAGES, set_language
from llmlora.data import duplicates, validate
from llmlora.data.problems import SHOWN_PER_CODE, error
from llmlora.data.read import ReadOptions
from llmlora.data.validate import CheckReport, RowTokens, check_dataset


def written(folder: Path, *rows: object, name: str = "data.jsonl") -> Path:
    path = folder / name
    texts = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def pair(question: str, answer: str, **more: object) -> dict[str, object]:
    return {"instruction": question, "output": answer, **more}


def codes(report: CheckReport) -> list[str]:
    return [problem.code for problem in report.problems]


def characters(example: Example) -> RowTokens:
    """Count characters as tokens and 10 of a template; refuse rows that say so."""
    text = "".join(turn.content for turn in example.messages)
    refused = error("no_trainable_tokens", example.line, example.row, count=1) if "refuse" in text else None
    return RowTokens((len(text) + 10,), len(text), text.count("〓"), refused)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path, pair("a", "b"), "{'a': 1}", pair("c", ""), '{"x": NaN}', {"instruction": "d"}, pair("e", "f")
    )
    report = check_dataset(path)
    assert not report.ok
    assert [(problem.line, problem.code) for problem in report.problems if problem.level == "error"] == [
        (2, "single_quotes"), (3, "blank_answer"), (4, "not_finite"), (5, "missing_answer"),
    ]  # fmt: skip
    assert (report.num_examples, report.stats["num_rows"]) == (2, 6)


def test_many_problems_are_counted_and_the_first_shown(tmp_path: Path) -> None:
    path = written(tmp_path, *[pair(f"q{number}", "") for number in range(500)], pair("a", "b"))
    report = check_dataset(path)
    assert report.counts["blank_answer"] == 500
    assert codes(report).count("blank_answer") == SHOWN_PER_CODE


def test_the_document(tmp_path: Path) -> None:
    path = written(tmp_path, pair("a", "b", id=1), pair("a", "c", score=2))
    document = check_dataset(path).to_dict()
    assert list(document)[:6] == ["ok", "format", "encoding", "num_examples", "problems", "counts"]
    assert (document["ok"], document["format"], document["encoding"]) == (True, "instruction", "utf-8")
    assert document["columns"] == {
        "mapped": {"instruction": "instruction", "output": "output"},
        "ignored": ["id", "score"],
    }
    assert document["counts"] == {"contradiction": 1, "too_few_rows": 1, "unused_columns": 1}
    unused = next(problem for problem in document["problems"] if problem["code"] == "unused_columns")
    assert unused["params"] == {"count": 2, "names": "id, score"}
    assert document["stats"]["num_contradictions"] == 1
    json.dumps(document, allow_nan=False)


def test_a_broken_end_keeps_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"text": "a"}, {"text": ""}, {"text": "c"}, {"te', encoding="utf-8")
    report = check_dataset(path)
    assert {"truncated_file", "blank_answer"} <= set(codes(report))
    assert report.num_examples == 2


def test_leakage_is_found_by_the_question(tmp_path: Path) -> None:
    path = written(tmp_path, pair("料金は？", "980円です"), pair("休みは？", "水曜です"))
    held_out = written(tmp_path, pair("別", "です"), pair("料金は? ", "1280円です"), name="eval.jsonl")
    report = check_dataset(path, eval_path=held_out)
    leaks = [problem for problem in report.problems if problem.code == "leakage"]
    assert [(problem.line, problem.params["eval_line"]) for problem in leaks] == [(1, 2)]
    assert report.ok


def test_more_evaluation_data_than_is_compared_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "EVAL_ROWS", 1)
    path = written(tmp_path, pair("料金は？", "980円です"))
    held_out = written(tmp_path, pair("別", "です"), pair("料金は？", "980円です"), name="eval.jsonl")
    found = codes(check_dataset(path, eval_path=held_out))
    assert "leakage_sampled" in found and "leakage" not in found


def test_more_rows_than_are_compared_closely_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "SAMPLED_ROWS", 2)
    report = check_dataset(written(tmp_path, *[pair(f"q{number}", "a") for number in range(5)]))
    (problem,) = (problem for problem in report.problems if problem.code == "near_duplicates_sampled")
    assert problem.params == {"looked_at": 2, "count": 5}


def test_a_table_of_blank_rows_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("質問,回答\n,\n , \n", encoding="utf-8")
    report = check_dataset(path)
    assert (report.ok, report.counts) == (False, {"blank_row": 2, "no_records": 1})


def test_bad_evaluation_data_does_not_stop_the_check(tmp_path: Path) -> None:
    path = written(tmp_path, pair("a", "b"))
    report = check_dataset(path, eval_path=written(tmp_path, "<html>", name="eval.jsonl"))
    assert report.ok
    assert "eval_unreadable" in codes(report)


def test_tokens_are_counted_with_a_model(tmp_path: Path) -> None:
    path = written(tmp_path, pair("q" * 10, "a" * 10), pair("q" * 60, "a" * 60))
    report = check_dataset(path, max_length=100, count_tokens=characters)
    over = [problem for problem in report.problems if problem.code == "over_max_length"]
    assert [(problem.line, problem.params) for problem in over] == [
        (2, {"num_tokens": 130, "max_length": 100, "limit": None})
    ]
    assert report.stats["tokens"]["total"] == 160
    assert report.stats["num_over_max_length"] == 1
    assert "tokens" not in check_dataset(path, max_length=100).stats


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("limit", "code"), [(None, "over_max_length"), (120, "over_model_length"), (0, "rows_longer_than_model")]
)
def test_leaving_overlong_rows_out_is_proposed_where_a_shorter_one_remains(
    tmp_path: Path, limit: int | None, code: str, language: str
) -> None:
    def count(example: Example) -> RowTokens:
        counted = characters(example)._replace(limit=limit)
        if limit == 0 and counted.num_tokens > 100:
            params = {"count": 1, "listed": str(example.row), "needed": 130, "limit": 110, "max_length": 100}
            return counted._replace(refusal=error(code, example.line, example.row, **params))
        return counted

    set_language(language)
    rows = [pair("q" * 60, "a" * 60), pair("Q" * 70, "A" * 70)]
    for more, is_proposed in ([pair("q", "a")], True), ([], False):
        report = check_dataset(written(tmp_path, *rows, *more), max_length=100, count_tokens=count)
        hints = [problem.hint for problem in report.problems if problem.code == code]
        assert len(hints) == 2
        assert all(("--drop-overlong" in hint) == is_proposed for hint in hints)
        assert not [hint for hint in hints if "{" in hint or hint.startswith(("data.", "error."))]


def test_rows_that_training_would_refuse_are_errors(tmp_path: Path) -> None:
    path = written(tmp_path, pair("q", "a"), pair("q", "refuse"), pair("q", "b"))
    report = check_dataset(path, max_length=5, count_tokens=characters)
    assert (report.ok, report.num_examples, report.stats["num_rows"]) == (False, 2, 3)
    assert [(problem.code, problem.line) for problem in report.problems if problem.level == "error"] == [
        ("no_trainable_tokens", 2)
    ]
    assert report.stats["num_over_max_length"] == 2  # the refused row is counted once, as refused


@pytest.mark.parametrize(
    ("unknown", "code", "ok"),
    [
        (0, None, True),
        (1, None, True),
        (2, "unknown_tokens", True),
        (20, "unknown_tokens", True),
        (21, "unknown_token_share", False),
    ],
)
def test_unknown_tokens_warn_then_stop(tmp_path: Path, unknown: int, code: str | None, ok: bool) -> None:
    path = written(tmp_path, pair("q" * 50, "〓" * unknown + "a" * (50 - unknown)))
    report = check_dataset(path, count_tokens=characters)
    assert report.ok is ok
    assert [found for found in codes(report) if found.startswith("unknown")] == ([code] if code else [])


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"質問": "a", "回答": "b\u200bc"}, "回答"),
        ({"質問": "a\u200bb", "回答": "c"}, "質問"),
        ({"conversations": [{"from": "human", "value": "a\u200bb"}, {"from": "gpt", "value": "c"}]}, "conversations"),
        ({"prompt": "a", "completion": "b\u200bc"}, "completion"),
        ({"本文": "a\u200bb"}, "本文"),
    ],
)
def test_findings_name_the_column_of_the_file(tmp_path: Path, row: dict[str, object], column: str) -> None:
    report = check_dataset(written(tmp_path, row))
    assert [problem.field for problem in report.problems if problem.code == "zero_width"] == [column]


def test_near_duplicates_that_are_duplicates_are_said_once(tmp_path: Path) -> None:
    other = "返品は商品の到着から三十日以内にご連絡ください。送料はお客様のご負担となります。"
    long = "営業時間は朝の十時から夜の八時までで、日曜日は六時までです。"
    report = check_dataset(written(tmp_path, pair("a", long), pair("a", long), pair("b", other), pair("b。", other)))
    assert [(problem.code, problem.line) for problem in report.problems if "duplicate" in problem.code] == [
        ("duplicate", 2), ("near_duplicate", 4),
    ]  # fmt: skip


def test_the_file_is_never_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    data = "質問,回答\r\nか\u3099,\u200bあ\r\n".encode("utf-8-sig")
    path.write_bytes(data)
    before = path.stat().st_mtime_ns
    check_dataset(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns, list(tmp_path.iterdir())) == (data, before, [path])


def test_what_cannot_be_checked_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        check_dataset(tmp_path / "none.csv")
    path = written(tmp_path, pair("a", "b"))
    with pytest.raises(ConfigError):
        check_dataset(path, ReadOptions(encoding="klingon"))
    with pytest.raises(ConfigError):
        check_dataset(path, ReadOptions(columns={"nothing": "a"}))
