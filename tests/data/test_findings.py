"""The list of findings: errors first, by line, bounded for each code."""

from llmlora.data import findings
from llmlora.data.findings import FindingWriter, read_findings
from llmlora.data.problems import error, warning


def test_what_is_written_is_read_in_order(tmp_path):
    writer = FindingWriter()
    found = [warning("leakage", 9, 8, eval_line=2), error("blank_answer", 7, 7), error("nul_byte", 3, 3, 4)]
    for problem in found:
        writer.add(problem)
    writer.write(tmp_path / "findings.jsonl")
    read = list(read_findings(tmp_path / "findings.jsonl"))
    assert read == [(1, found[2]), (2, found[1]), (3, found[0])]
    blank = read_findings(tmp_path / "findings.jsonl", lambda problem: problem.code == "blank_answer")
    assert list(blank) == [(2, found[1])]


def test_no_code_fills_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(findings, "LISTED_PER_CODE", 3)
    writer = FindingWriter()
    for number in range(1, 9):
        writer.add(error("blank_answer", number, number))
        writer.add(warning("not_nfc", number, number, None, None, text="\ud800"))
    writer.write(tmp_path / "findings.jsonl")
    lines = [problem.line for _, problem in read_findings(tmp_path / "findings.jsonl")]
    assert lines == [1, 2, 3, 1, 2, 3]
