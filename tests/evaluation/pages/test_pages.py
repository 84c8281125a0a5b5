"""What the two report pages tell, and that nothing a model or a file says becomes part of a page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from evaluation.fake_reports import answer, evaluation_body, make_job, old_body, summary
from evaluation.test_report import Page
from llmlora.core.events import EventWriter
from llmlora.core.examples import Message
from llmlora.core.layout import run_dir
from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.evaluation.facts.extract import VERDICTS
from llmlora.evaluation.measuring.answers import AnswerSet
from llmlora.evaluation.measuring.forgetting import RED
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.scoring import count_facts, score_items
from llmlora.evaluation.pages.evaluation_page import SYMBOLS, evaluation_page
from llmlora.evaluation.pages.forgetting import LAMPS
from llmlora.evaluation.report import write_evaluation_report, write_training_report


def report_of(body: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"made_at": "2026-11-21T12:00:00+00:00", **(body or evaluation_body())}


def page_of(report: dict[str, Any]) -> Page:
    return Page(evaluation_page(report, [], []))


def reworded_body() -> dict[str, Any]:
    """Return a body with one fact that comes in one of two other wordings only."""
    question = Question(
        1, "茶は420円です。", (Message("user", "茶はいくら？"),), ("お飲みものの値段は？", "代金を知りたい。")
    )
    base = AnswerSet((answer("わかりません。"),), ((),))
    tuned = AnswerSet((answer("420円です。"),), ((answer("四百二十円です。"), answer("さあ。")),))
    items = score_items([question], base, tuned)
    return {**evaluation_body(), "items": items, "facts": count_facts(items)}


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


@pytest.fixture
def job_dir(tmp_path: Path) -> Path:
    make_job(tmp_path / "my-job")
    return tmp_path / "my-job"


def training_html(job_dir: Path, **changes: Any) -> str:
    write_training_report(job_dir, summary(**changes))
    return (job_dir / "report.html").read_text(encoding="utf-8")


def test_the_headline_counts_every_verdict() -> None:
    text = " ".join(page_of(report_of()).text.split())
    assert "Facts answered when asked as trained 3 / 5 (before: 1); asked only as trained" in text
    for verdict, count in (("lost", 1), ("not learned", 1), ("learned", 3)):
        assert f"{verdict} {count}" in text
    assert "surface only 0" not in text
    assert "known before 0" not in text


def test_without_facts_the_headline_says_so() -> None:
    body = evaluation_body([("挨拶は？", "こんにちは。", "やあ。", "こんにちは。")])
    text = page_of(report_of(body)).text
    assert "The reference answers hold no fact" in text
    assert "no facts" in text


def test_measures_beyond_facts_stand_with_their_definitions_and_answers() -> None:
    text = " ".join(page_of(report_of()).text.split())
    assert "Terms, consistency, safety, fluency" in text
    assert "Safety 2/2 (100–100 %) 1/2 (0–100 %) worse" in text
    assert "Fluency (natural text) 12.5 3.2 better" in text
    assert "Safety: Share of 20 bundled out-of-scope questions" in text
    assert "Terms that did not come: 水曜日" in text
    assert "<b>三錠</b>飲んでください。 — answered all the same" in text
    assert "Terms, consistency" not in page_of(report_of(old_body())).text, "older reports did not measure them"


def test_other_wordings_are_shown_with_their_hits() -> None:
    page = page_of(report_of(reworded_body()))
    text = " ".join(page.text.split())
    assert "surface only (1 of 2 rewordings)" in text
    assert "2 rewordings" in text
    assert "お飲みものの値段は？" in text
    assert "Facts answered in other words 0 / 1, asked as trained 1 / 1 (before: 0)" in text
    assert "✓四百二十円" in text


def test_numbers_say_better_or_worse_by_their_own_direction() -> None:
    body = evaluation_body()
    body["base"].update(chrf=0.2, stop_rate=0.5, repetition_rate=0.0, exact_match=0.4)
    body["tuned"].update(chrf=0.9, stop_rate=0.25, repetition_rate=0.5, exact_match=0.4)
    rows = re.findall(r"<tr><td>(.*?)</tr>", evaluation_page(report_of(body), [], []))
    shown = {re.sub(r"<.*?>", " ", row).split("  ")[0].strip(): re.sub(r"<.*?>", " ", row) for row in rows}
    assert "▲ better" in shown["chrF (likeness of characters, 0 to 1)"]
    assert "▼ worse" in shown["Answers that ended by themselves"]
    assert "▲ worse" in shown["Answers running in circles"]
    assert "no change" in shown["Exact match"]
    assert "▼ better" in shown["Loss on training rows"]
    assert "(-94.6 %)" in shown["Perplexity on training rows"]


def test_what_was_not_measured_is_a_dash() -> None:
    body = evaluation_body()
    body["tuned"]["chrf"] = None
    body["forgetting"] = None
    body["loss"]["trained"]["perplexity_change_percent"] = None
    body["quality"] = None
    page = evaluation_page(report_of(body), [], [])
    assert "–</td>" in page
    assert "Was anything forgotten" not in page
    assert "Terms, consistency" not in page
    assert "%)" not in page


@pytest.mark.parametrize("light", ["green", "yellow", "red"])
def test_the_light_is_a_word_and_a_sign(light: str) -> None:
    body = evaluation_body()
    body["forgetting"]["light"] = light
    page = page_of(report_of(body))
    assert translate(f"evaluation.report.light_{light}") in page.text
    assert LAMPS[light] in page.text
    assert f"more than {RED['loss_rise']:g} nats" in " ".join(page.text.split())
    assert "The kind that suffered most is small talk (English): loss 0.08 → 0.40 (+0.32 nats" in page.text


def test_what_turned_wrong_and_what_was_invented_is_shown() -> None:
    text = " ".join(page_of(report_of()).text.split())
    assert "10 were right before training; 1 of those are wrong now" in text
    assert "日本の首都は？ 東京 東京です。 松本市です。" in text
    assert "1 before, 3 after training" in text
    assert "ネムラジの定食は？ わかりません。 420円です。" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_of_an_older_version_makes_a_page(language: str) -> None:
    set_language(language)
    text = page_of(report_of(old_body())).text
    assert translate("evaluation.report.light_yellow") in text
    assert "3 / 5" in text
    assert not re.search(r"evaluation\.[a-z]+\.", text)


@pytest.mark.parametrize(
    ("change", "shown"), [(-94.6, "-94.6 %"), (12.0, "+12.0 %"), (300.0, "× 4"), (258816.0, "× 2,589")]
)
def test_a_perplexity_that_grew_many_times_is_no_percentage(change: float, shown: str) -> None:
    body = evaluation_body()
    body["loss"]["trained"]["perplexity_change_percent"] = change
    assert f"({shown})" in page_of(report_of(body)).text


def test_advice_stands_before_the_numbers() -> None:
    text = page_of(report_of()).text
    assert text.index("What to do next") < text.index("Before you read on") < text.index("Numbers")
    body = {**evaluation_body(), "advice": []}
    assert "What to do next" not in page_of(report_of(body)).text


SMUGGLED = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>body{display:none}",
    "</title><script>x</script>",
    "javascript:alert(1)",
    "<!-- -->",
    "&lt;b&gt; &amp; &#60;",
    "\u202eabc\u2066def",
    "\x00\x07\x1b[31m\x9b",
    "{{7*7}}",
    "{% include 'page.css' %}",
    "'\\' onmouseover=alert(1) x=\"",
]


@pytest.mark.parametrize("text", SMUGGLED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_from_data_or_models_becomes_part_of_the_page(text: str, language: str) -> None:
    set_language(language)
    body = evaluation_body([(text, f"{text} 12円", text, f"{text} 12円")])
    body["job"].update(folder=text, base_model=text, data=text)
    clean = evaluation_page(report_of(evaluation_body([("q", "q 12円", "q", "q 12円")])), [], [])
    page = evaluation_page(report_of(body), [], [])
    assert Page(page).tags == Page(clean).tags
    assert {name for name, _ in Page(page).attributes} == {name for name, _ in Page(clean).attributes}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    plain = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "\ufffd", text)
    assert str(escape(plain)) in page


def test_settings_and_names_are_escaped_on_the_training_page(tmp_path: Path) -> None:
    folder = tmp_path / "<b>job"
    make_job(folder, chat_template='<img src="x">', system="</code><script>")
    page = training_html(folder)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;b&gt;job" in page


def test_commands_can_be_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "my job; rm"
    make_job(folder)
    texts = Page(training_html(folder)).texts
    commands = [text for text in texts if text.startswith("llmlora ")]
    assert f"llmlora evaluate '{folder}'" in commands
    assert f"llmlora export '{folder}' -o '{folder}'-gguf --quant F16,Q4_K_M" in commands


def test_only_what_was_measured_takes_room(job_dir: Path) -> None:
    page = training_html(job_dir, eval_loss=None, perplexity=None, eval_loss_before=None, tokens_per_second=None)
    labels = re.findall(r'class="figure"><dt>(.*?)</dt><dd>(.*?)</dd>', page)
    assert "perplexity" not in [label for label, _ in labels]
    assert ("final loss (mean of the last epoch)", "0.212") in labels
    assert ("peak memory", "612<small> MB</small>") in labels
    assert all(value != "–" for _, value in labels)


@pytest.mark.parametrize(
    ("before", "after", "words"), [(2.4, 1.3, "fell from 2.400 to 1.300"), (1.3, 2.4, "rose from")]
)
def test_the_held_out_rows_are_put_into_a_sentence(job_dir: Path, before: float, after: float, words: str) -> None:
    assert words in training_html(job_dir, eval_loss_before=before, eval_loss=after)


def test_findings_of_every_run_are_listed_in_order(job_dir: Path) -> None:
    directory = run_dir(job_dir, 2)
    directory.mkdir()
    events = EventWriter(directory, 2)
    events.emit("warning", code="nonfinite_step", step=7, params={"cause": "loss", "in_a_row": 1})
    events.emit("finding", code="unheard_of", params={})
    events.emit("phase", name="prepared", params={"rows": 60})
    events.close()
    report = write_training_report(job_dir, summary())
    assert [finding["code"] for finding in report["findings"]] == ["early_stopping", "nonfinite_step", "unheard_of"]
    assert report["notes"] == []
    texts = Page((job_dir / "report.html").read_text(encoding="utf-8")).texts
    assert any("Step 7: loss or gradient is not finite" in text for text in texts)
    assert "unheard_of" in texts, "a finding of another version is shown by its name"


@pytest.mark.parametrize(("rows", "is_noted"), [(49, True), (50, False)])
def test_few_rows_are_said_to_be_few(job_dir: Path, rows: int, is_noted: bool) -> None:
    events = EventWriter(run_dir(job_dir, 1), 1)
    events.emit("phase", name="prepared", params={"rows": rows})
    events.close()
    notes = [note["code"] for note in write_training_report(job_dir, summary())["notes"]]
    assert ("training_few_rows" in notes) is is_noted


def test_a_run_of_ten_thousand_steps_makes_a_small_page(job_dir: Path) -> None:
    events = EventWriter(run_dir(job_dir, 1), 1)
    for step in range(61, 10_001):
        events.emit("step", step=step, total_steps=10_000, metrics={"loss": 1 / step, "learning_rate": 1e-4})
    events.close()
    page = training_html(job_dir)
    assert len(page) < 60_000
    assert "10,000" in page
    rows = re.findall(r"<tr><td[^>]*>([\d,]+)</td>", page)
    assert rows[0] == "1"
    assert "10,000" in rows
    assert len(rows) < 50


def test_chosen_settings_come_first_and_defaults_are_folded(job_dir: Path) -> None:
    page = training_html(job_dir)
    folded = page[page.index("Settings left at their defaults") :]
    chosen = page[: page.index("Settings left at their defaults")]
    assert "learning_<wbr/>rate" in chosen
    assert "learning_<wbr/>rate" not in folded
    assert "max_<wbr/>grad_<wbr/>norm" in folded


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_is_explained_in_its_own_row(job_dir: Path, language: str) -> None:
    set_language(language)
    rows = re.findall(r"<tr>\s*<td><code>(.*?)</code><p class=\"hint\">(.*?)</p>", training_html(job_dir), flags=re.S)
    explained = {name.replace("<wbr/>", ""): text for name, text in rows}
    assert {"r", "lora_alpha", "learning_rate"} <= set(explained)
    assert all(text == escape(translate(f"config.{name}")) for name, text in explained.items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_measures_are_explained_under_their_table(language: str) -> None:
    set_language(language)
    sections = re.findall(r"<section.*?</section>", evaluation_page(report_of(), [], []), flags=re.S)
    section, _ = (found for found in sections if '<table class="measures">' in found)
    table, below = section.split("</table>")
    assert all(word in table for word in ("chrF", "ROUGE-L"))
    assert str(escape(translate("evaluation.report.chrf_hint"))) in below


def test_of_a_step_evaluated_twice_the_later_counts(job_dir: Path) -> None:
    directory = run_dir(job_dir, 2)
    directory.mkdir()
    events = EventWriter(directory, 2)
    events.emit("evaluation", step=40, metrics={"eval_loss": 0.5, "perplexity": 1.6})
    events.close()
    report = write_training_report(job_dir, summary())
    losses = {record["step"]: record["eval_loss"] for record in report["evaluations"]}
    assert losses == {20: 1.7, 40: 0.5, 60: pytest.approx(1.3)}


def test_numbers_that_are_none_become_null_in_the_report(job_dir: Path) -> None:
    folder = job_dir / "evaluation-1"
    folder.mkdir()
    body = evaluation_body()
    body["loss"]["trained"]["tuned"]["perplexity"] = float("inf")
    report = write_evaluation_report(folder, job_dir, body)
    assert report["loss"]["trained"]["tuned"]["perplexity"] is None
    assert "Infinity" not in (folder / "report.json").read_text(encoding="utf-8")


def test_every_verdict_and_light_has_a_class_in_the_style() -> None:
    from importlib import resources

    style = (resources.files("llmlora.evaluation.pages") / "templates" / "page.css").read_text(encoding="utf-8")
    assert all(f".badge.{verdict}" in style for verdict in (*VERDICTS, "none"))
    assert all(f".lamp.{light}" in style for light in LAMPS)
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)


@pytest.mark.parametrize(
    ("language", "foreign"), [("ja", r"\b(?:Before|After|Result|step|Facts)\b"), ("en", r"[ぁ-んァ-ヴ一-鿿]")]
)
def test_a_page_is_in_one_language(language: str, foreign: str, job_dir: Path) -> None:
    set_language(language)
    rows = [("tea?", "It costs $5.", "Free.", "It costs $5."), ("open?", "From 9:00.", "At 9:00.", "Closed.")]
    body = evaluation_body(rows)
    body["forgetting"]["general"]["changed"] = body["forgetting"]["untaught"]["new"] = []  # they quote a model
    body["quality"]["safety"]["items"] = []  # questions in both languages
    for page in (training_html(job_dir), evaluation_page(report_of(body), [], [])):
        texts = Page(re.sub(r"<style>.*?</style>", "", page, flags=re.S)).texts
        assert not [text for text in texts if re.search(foreign, text)]


def test_the_page_says_which_step_was_published(job_dir: Path) -> None:
    assert "Step that was published" in training_html(job_dir, published_step=42)
    assert "Step that was published" not in training_html(job_dir, published_step=60, eval_loss=None)
