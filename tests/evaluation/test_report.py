"""Reports: self-contained, escaped, losses first, in both languages, and never by colour alone."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evaluation.fake_reports import ROWS, evaluation_body, make_job, summary
from llmlora.core.errors import NotFound
from llmlora.core.job import update_job
from llmlora.core.locale import LANGUAGES, set_language
from llmlora.core.publish import read_json
from llmlora.evaluation.facts.extract import VERDICTS, extract_facts
from llmlora.evaluation.pages.chart import Series, line_chart, smoothed
from llmlora.evaluation.pages.evaluation_page import SYMBOLS, highlighted
from llmlora.evaluation.report import write_evaluation_report, write_training_report

AS_NF4 = {"method": "qlora", "quantization": "nf4"}
VOID = {"meta", "br", "line", "circle", "rect", "polyline", "path"}


class Page(HTMLParser):
    """Checks nesting while it collects texts and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


@pytest.fixture
def job_dir(tmp_path: Path) -> Path:
    make_job(tmp_path / "my-job")
    return tmp_path / "my-job"


def evaluation_html(job_dir: Path, body: dict | None = None) -> str:
    folder = job_dir / "evaluation-1"
    folder.mkdir(exist_ok=True)
    write_evaluation_report(folder, job_dir, body or evaluation_body())
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_whole_and_load_nothing(job_dir: Path, language: str) -> None:
    set_language(language)
    write_training_report(job_dir, summary())
    for html in (evaluation_html(job_dir), (job_dir / "report.html").read_text(encoding="utf-8")):
        page = Page(html)
        assert html.startswith(f'<!doctype html>\n<html lang="{language}">')
        assert html.count("</html>") == 1
        assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
        assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
        assert not [
            value for name, value in page.attributes if name in ("src", "href", "style") or name.startswith("on")
        ]
        assert "http" not in html.replace("http-equiv", "")
        assert "url(" not in html
        assert "@import" not in html
        missing = re.findall(r"evaluation\.(?:report|note)\.\w+|\{\w+\}", page.text.replace(style_of(html), ""))
        assert not missing


def style_of(html: str) -> str:
    match = re.search(r"<style>(.*?)</style>", html, re.S)
    assert match
    return match[1]


def test_answers_are_escaped(job_dir: Path) -> None:
    nasty = '<script>alert("x")</script>\x00\x1b&amp;'
    html = evaluation_html(job_dir, evaluation_body([(nasty, nasty + " 12円", nasty, nasty)]))
    page = Page(html)
    assert "script" not in page.tags
    assert '<script>alert("x")</script>' in page.text
    assert "\x00" not in html
    assert "\x1b" not in html


def test_failures_come_before_successes_and_after_the_summary(job_dir: Path) -> None:
    set_language("en")
    text = Page(evaluation_html(job_dir)).text
    positions = [text.index(ROWS[index][0]) for index in (2, 1, 0, 3)]
    assert positions == sorted(positions)
    assert text.index("Facts answered") < text.index("Before you read on") < positions[0]


def test_verdicts_have_a_sign_of_their_own() -> None:
    assert len({SYMBOLS[verdict] for verdict in VERDICTS}) == len(VERDICTS)


def test_hits_carry_a_check_mark_and_facts_an_underline(job_dir: Path) -> None:
    facts = extract_facts("420円です。")
    assert highlighted("四百二十円です", facts) == [("四百二十円", True), ("です", False)]
    assert highlighted("<b>420円", facts) == [("<b>", False), ("420円", True)]
    assert highlighted(" \n", facts) == []
    html = evaluation_html(job_dir, evaluation_body([("茶は？", "<b>420円です。", "さあ。", "四百二十円です")]))
    assert '<p><mark class="hit">✓四百二十円</mark>です</p>' in html
    assert '<p>&lt;b&gt;<mark class="fact">420円</mark>です。</p>' in html


def test_the_report_file_is_the_contract(job_dir: Path) -> None:
    evaluation_html(job_dir)
    folder = job_dir / "evaluation-1"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["schema"] == "llmlora.evaluation/1"
    assert report["facts"]["total"] == 5
    assert report["facts"]["broken"] == 1
    lines = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["index"] for line in lines] == [1, 2, 3, 4, 5]


def test_a_training_report_tells_the_curve_and_the_findings(job_dir: Path) -> None:
    set_language("en")
    report = write_training_report(job_dir, summary())
    assert report["schema"] == "llmlora.training/1"
    assert [record["step"] for record in report["evaluations"]] == [20, 40, 60]
    assert [finding["code"] for finding in report["findings"]] == ["early_stopping"]
    html = (job_dir / "report.html").read_text(encoding="utf-8")
    assert html.count("<polyline") == 4
    assert "0.212" in html
    assert "fell from 2.400 to 1.300" in html


def test_a_report_without_measurements_is_still_a_page(tmp_path: Path) -> None:
    make_job(tmp_path / "empty", steps=0, held_out=False)
    numbers = dict.fromkeys(summary(), None) | {"final_loss": float("nan")}
    report = write_training_report(tmp_path / "empty", numbers)
    assert report["summary"]["final_loss"] is None
    assert [note["code"] for note in report["notes"]] == ["training_without_held_out"]
    assert "<polyline" not in (tmp_path / "empty" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("types", "codes"),
    [
        ({}, []),
        ({"Q4_K": 2, "Q6_K": 1}, ["base_quantized"]),
        ({"NF4": 3}, ["base_on_gpu"]),
    ],
)
def test_a_quantised_base_is_told_with_what_else_computes_with_it(
    tmp_path: Path, types: dict[str, int], codes: list[str]
) -> None:
    make_job(tmp_path / "job")
    report = write_training_report(tmp_path / "job", {**summary(), "base_types": types})
    notes = [note for note in report["notes"] if note["code"].startswith("base_")]
    assert [note["code"] for note in notes] == codes
    update_job(tmp_path / "job", train={**read_json(tmp_path / "job" / "config.json")["train"], **AS_NF4})
    again = write_training_report(tmp_path / "job", {**summary(), "base_types": types})["notes"]
    asked = ["base_nf4" if code == "base_on_gpu" else code for code in codes]
    assert [note["code"] for note in again if note["code"].startswith("base_")] == asked
    html = (tmp_path / "job" / "report.html").read_text(encoding="utf-8")
    assert all(f"({', '.join(types)})" in html or "NF4" in types for _ in notes)


def test_no_job_no_report(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        write_training_report(tmp_path, summary())


def test_charts_draw_what_there_is() -> None:
    assert line_chart([Series("none", (), "loss")], "x", "y") is None
    flat = line_chart([Series("flat", ((1, 2.0), (2, 2.0)), "loss")], "x", "y")
    single = line_chart([Series("one", ((5, 1.0),), "loss")], "x", "y")
    assert flat
    assert single
    assert all(
        math.isfinite(value) for line in (*flat.lines, *single.lines) for place in line.places for value in place
    )
    assert flat.lines[0].dots == ()
    assert single.lines[0].dots == single.lines[0].places


def test_a_long_curve_keeps_its_spike() -> None:
    points = tuple((float(step), 100.0 if step == 7777 else 1.0) for step in range(20_000))
    chart = line_chart([Series("loss", points, "loss")], "x", "y")
    assert chart
    ys = [y for _, y in chart.lines[0].places]
    assert len(ys) <= 450
    assert max(ys) - min(ys) > 200


def test_smoothing_starts_at_the_first_value() -> None:
    assert smoothed([(1.0, 5.0)]) == ()
    curve = smoothed([(float(step), 3.0) for step in range(30)])
    assert all(value == pytest.approx(3.0) for _, value in curve)
