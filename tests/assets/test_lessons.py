"""What the lessons say is so: commands and names of the page exist, numbers were measured, both languages agree."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
import yaml

from docs.pages import ROOT, shell_commands, table_rows
from llmlora.api.training_models import BatchRequest
from llmlora.core.assets import BASE_MODEL, asset_path
from llmlora.core.locale import LANGUAGES, catalogue, set_language
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.evaluation.measuring.quality import terms_of
from llmlora.evaluation.measuring.questions import read_questions
from llmlora.services.combine import ANY_RANK
from llmlora.services.plan_training import settle_request
from llmlora.services.train_request import TrainRequest
from llmlora.services.tutorials import (
    VALUE,
    Lesson,
    LessonJob,
    find_lesson,
    lesson_document,
    lesson_text,
    lessons,
)

RESULTS = ROOT / "benchmarks" / "results" / "2026-11-30-tutorials.json"
FOREIGN = {
    1: ("2026-11-30-presets.json", "preset=light", 3),
    2: ("2026-11-30-presets.json", "preset=balanced", 3),
    3: ("2026-12-01-rows.json", "preset=recommended", 1),
}  # by level: the runs on other data, and on how many sets
UI_NAMES = {"ja": re.compile(r"「([^」]+)」"), "en": re.compile(r"\*\*([^*]+)\*\*")}
every_lesson = pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
every_language = pytest.mark.parametrize("language", LANGUAGES)
JOBS = [(lesson, job) for lesson in lessons() for job in lesson.jobs.values()]


def each(jobs: list[tuple[Lesson, LessonJob]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("lesson", "job"), jobs, ids=lambda part: getattr(part, "name", None) or part.key)


every_job = each(JOBS)
every_trained_job = each([(lesson, job) for lesson, job in JOBS if job.method is None])
every_combined_job = each([(lesson, job) for lesson, job in JOBS if job.method is not None])


def source(lesson: Lesson, language: str) -> str:
    return asset_path("tutorials", f"{lesson.name}.{language}.md").read_text(encoding="utf-8")


@every_language
@every_lesson
def test_the_text_has_the_steps_of_the_lesson_in_their_order(lesson: Lesson, language: str) -> None:
    set_language(language)
    text = lesson_text(lesson)
    assert list(text.sections) == [step.id for step in lesson.steps]
    assert str(lesson.level) in text.title
    assert all(title and body for title, body in text.sections.values())


@every_language
@every_lesson
def test_every_name_of_the_page_is_one(lesson: Lesson, language: str) -> None:
    """What a lesson puts into the marks of names stands on the page word by word."""
    shown = {text for key, text in catalogue(language).items() if key.startswith("web.")}
    named = set(UI_NAMES[language].findall(source(lesson, language)))
    assert len(named) >= 8
    assert not named - shown


@every_lesson
def test_both_languages_name_the_same_things_of_the_page(lesson: Lesson) -> None:
    keys = {}
    for language in LANGUAGES:
        named = set(UI_NAMES[language].findall(source(lesson, language)))
        keys[language] = {key for key, text in catalogue(language).items() if key.startswith("web.") and text in named}
    both = keys["ja"] & keys["en"]
    for language in LANGUAGES:
        told = {catalogue(language)[key] for key in both}
        assert not {catalogue(language)[key] for key in keys[language]} - told


@every_lesson
def test_both_languages_have_the_same_commands_tables_and_numbers(lesson: Lesson) -> None:
    ja, en = (source(lesson, language) for language in ("ja", "en"))
    assert shell_commands(ja, "llmlora") == shell_commands(en, "llmlora")
    assert len(shell_commands(ja, "llmlora")) >= 6
    assert sorted(VALUE.findall(ja)) == sorted(VALUE.findall(en))
    assert len(table_rows(ja)) == len(table_rows(en))


@every_language
@every_lesson
def test_every_number_that_is_filled_in_was_measured(lesson: Lesson, language: str) -> None:
    document = lesson_document(lesson, language)
    assert "{" not in re.sub(r"```.*?```", "", document, flags=re.S)


@every_language
def test_a_later_level_shows_what_was_measured_of_level_1(language: str) -> None:
    first, second = (find_lesson(level).jobs["main"].measured["num_steps"] for level in (1, 2))
    assert f"| {first} | {second} |" in lesson_document(find_lesson(2), language)


@every_trained_job
def test_the_commands_train_the_jobs_of_the_lesson(lesson: Lesson, job: LessonJob) -> None:
    """A lesson's command asks for what its job is checked against: the same presets and settings, on its data."""
    wanted = {("--preset", job.preset), ("--training-preset", job.training_preset)} - {
        ("--preset", None),
        ("--training-preset", None),
    }
    wanted |= {("--set", f"{name}={_word(value)}") for name, value in job.settings.items()}
    asked = [
        set(itertools.pairwise(words))
        for words in shell_commands(source(lesson, "ja"), "llmlora")
        if words[0] == "train"
    ]
    pairs = [
        {(name, value) for name, value in pairs if name in ("--preset", "--training-preset", "--set")}
        for pairs in asked
        if ("--data", lesson.dataset) in pairs and ("--model", BASE_MODEL) in pairs
    ]
    assert wanted in pairs


def numbers(measured: Any) -> list[Any]:
    """Return a measured number, or both ends where runs with other seeds differ."""
    return measured if isinstance(measured, list) else [measured]


def _word(value: Any) -> str:
    if isinstance(value, list | dict):
        return "'" + json.dumps(value).replace(" ", "") + "'"
    return str(value)


@every_trained_job
def test_the_settings_that_are_compared_are_those_of_today(lesson: Lesson, job: LessonJob) -> None:
    request = TrainRequest(
        BASE_MODEL, lesson.data_path, preset=job.preset, training_preset=job.training_preset, settings=job.settings
    )
    resolved = settle_request(request).resolved
    settings = json.loads(resolved.config.model_dump_json())
    assert {name: settings[name] for name in job.measured["settings"]} == job.measured["settings"]
    if job.measured["settings"]["early_stopping_patience"] is None:
        assert resolved.plan.num_steps == job.measured["num_steps"]
    else:
        assert resolved.plan.num_steps > max(numbers(job.measured["num_steps"])), "it stopped early"


@every_combined_job
def test_the_commands_combine_the_jobs_of_the_lesson(lesson: Lesson, job: LessonJob) -> None:
    """Jobs of unequal rank are combined with a method that takes them, by the words of the lesson."""
    ranks = [lesson.jobs[key].measured["settings"]["r"] for key in job.members]
    assert len(set(ranks)) == len(ranks)
    assert job.method == ANY_RANK[0], "the default of the command"
    assert ["adapters", "combine", *job.members, "-o", job.key] in shell_commands(source(lesson, "ja"), "llmlora")
    assert job.measured["settings"]["r"] == max(ranks)
    assert min(numbers(job.measured["distance_percent"])) > 0


@every_language
def test_the_batch_of_a_lesson_is_its_two_jobs(language: str) -> None:
    """The body that a program posts asks for A and B of the A/B test, by their names."""
    lesson = find_lesson(3)
    (body,) = re.findall(r"```json\n(.*?)```", source(lesson, language), flags=re.S)
    jobs = BatchRequest.model_validate(json.loads(body.replace("DATASET", "0" * 26))).jobs
    wanted = [lesson.jobs[key] for key in ("main", "optimized")]
    assert [(job.name, job.base_model, job.settings) for job in jobs] == [
        (job.names[language], BASE_MODEL, job.settings) for job in wanted
    ]


def test_the_recipe_of_a_lesson_is_its_job() -> None:
    """What a reader pastes into the form asks for what the command of the same step trains."""
    lesson = find_lesson(3)
    staged = lesson.jobs["staged"].settings
    for language in LANGUAGES:
        (recipe,) = re.findall(r"```yaml\n(.*?)```", source(lesson, language), flags=re.S)
        assert yaml.safe_load(recipe) == {"base_model": BASE_MODEL, "data": lesson.dataset, **staged}


@every_job
def test_the_ranges_are_made_of_runs_that_are_kept(lesson: Lesson, job: LessonJob) -> None:
    runs = [
        run
        for run in json.loads(RESULTS.read_text(encoding="utf-8"))["runs"]
        if (run["lesson"], run["job"]) == (lesson.name, job.key)
    ]
    assert len({run["seed"] for run in runs}) == len(runs) == job.measured["num_runs"] >= 2
    for epoch, (low, high) in job.measured["loss"].items():
        losses = [run["losses"][epoch] for run in runs if epoch in run["losses"]]
        assert low <= 0.8 * min(losses)
        assert high >= max(losses)
        assert high <= 1.3 * max(losses) + 0.1
    for name, counted in (("facts", "as_trained"), ("other_words", "in_other_words")):
        known = [run["facts"][counted] for run in runs]
        assert job.measured[name]["known"] == [int(0.8 * min(known)), max(known)]


def test_what_level_3_says_of_its_ensemble_holds_with_every_seed() -> None:
    """As asked, the combination is no better than its first member; in other words they differ by one, either way."""
    runs = json.loads(RESULTS.read_text(encoding="utf-8"))["runs"]
    by_seed = {
        seed: {
            run["job"]: run["facts"]
            for run in runs
            if (run["lesson"], run["seed"]) == ("level3_advanced_tutorial", seed)
        }
        for seed in {run["seed"] for run in runs}
    }
    gains = {
        counted: sorted(facts["combined"][counted] - facts["member1"][counted] for facts in by_seed.values())
        for counted in ("as_trained", "in_other_words")
    }
    assert len(by_seed) == 2
    assert max(gains["as_trained"]) <= 0
    assert gains["in_other_words"] == [-1, 1]


@every_lesson
def test_what_is_a_promise_is_worth_one(lesson: Lesson) -> None:
    """A lesson ends with a job that has learned most of its facts, and its ranges cannot be met by chance."""
    trained = [job for job in lesson.jobs.values() if job.method is None]
    best = max(trained, key=lambda job: job.measured["facts"]["known"][0])
    assert best.measured["facts"]["known"][0] >= 2 / 3 * best.measured["facts"]["total"]
    losses = best.measured["loss"]
    assert losses["1"][0] > losses[str(best.measured["epochs"])][1]


@every_lesson
def test_what_other_data_were_taught_is_what_was_measured(lesson: Lesson) -> None:
    """Beside its own numbers a lesson shows those of data that do not resemble what the bundled model was made with."""
    file, settings, num_sets = FOREIGN[lesson.level]
    runs = json.loads((RESULTS.parent / file).read_text(encoding="utf-8"))["runs"]
    runs = [run for run in runs if run["settings"] == settings and run.get("rows", 50) == 50]
    shown = lesson.measured["studies"]["foreign"]
    assert shown["sets"] == len(runs) == num_sets
    assert (shown["known"], shown["total"]) == (sum(run["as_asked"] for run in runs), sum(run["facts"] for run in runs))
    assert shown["other_known"] == sum(run["in_other_words"] for run in runs)
    assert "foreign.other_known" in VALUE.findall(source(lesson, "ja"))


@every_lesson
def test_what_each_preset_taught_the_townsfolk_is_what_was_measured(lesson: Lesson) -> None:
    """Level 1 shows its own preset, level 2 all of them, level 3 the recommended one among other numbers of rows."""
    runs = json.loads((RESULTS.parent / "2026-12-01-townsfolk.json").read_text(encoding="utf-8"))["runs"]
    assert {run["rows"] for run in runs} == {50}
    shown = lesson.measured["studies"]["townsfolk"]
    assert set(shown) == {*LORA_PRESETS, *TRAINING_PRESETS} == {run["settings"].split("=")[1] for run in runs}
    for run in runs:
        told = shown[run["settings"].split("=")[1]]
        assert (told["known"], told["total"], told["num_steps"]) == (run["as_asked"], run["facts"], run["steps"])
        assert (told["other_known"], told["other_total"]) == (run["in_other_words"], run["asked_in_other_words"])
    wanted = {1: {"light"}, 2: set(shown), 3: set()}[lesson.level]
    values = VALUE.findall(source(lesson, "ja"))
    assert {name for name in shown if f"townsfolk.{name}.other_known" in values} == wanted


def test_what_level_2_says_of_the_presets_holds() -> None:
    """A preset teaches all the facts, or says before that it will not and teaches none; hardly any other words."""
    runs = json.loads((RESULTS.parent / "2026-12-01-townsfolk.json").read_text(encoding="utf-8"))["runs"]
    for run in runs:
        assert run["as_asked"] == (0 if run["said"]["warnings"] else run["facts"]), run["settings"]
        assert run["in_other_words"] < 0.2 * run["asked_in_other_words"]


def studies(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS.parent / f"{name}.json").read_text(encoding="utf-8"))["studies"])


def test_what_level_3_tells_besides_its_jobs_was_measured() -> None:
    """Files, forgetting and safety are those of the results, and what more rows teach is that of the townsfolk."""
    shown = find_lesson(3).measured["studies"]
    files = studies(RESULTS.stem)["files"]
    with_other_seed = studies("2026-12-01-level3-seed-1")["files_seed_1"]
    measured = {**studies("2026-12-01-levels"), "files": files, "files_seed_1": with_other_seed}
    assert {name: shown[name] for name in measured} == measured
    runs = json.loads((RESULTS.parent / FOREIGN[3][0]).read_text(encoding="utf-8"))["runs"]
    taught = {str(run["rows"]): run for run in runs if run["settings"] == FOREIGN[3][1]}
    assert list(shown["rows"]) == sorted(taught, key=int) == ["10", "20", "50", "100"]
    for rows, told in shown["rows"].items():
        assert (told["known"], told["total"]) == (taught[rows]["as_asked"], taught[rows]["facts"])
        assert told["other_known"] == taught[rows]["in_other_words"]


@every_language
def test_level_3_has_the_table_of_the_source(language: str) -> None:
    """Base and every level by loss, term accuracy, consistency and safety, with both seeds where a seed matters."""
    levels = source(find_lesson(3), language).split("{#levels}")[1].split("\n## ")[0]
    models = [("levels", "base"), *itertools.product(("levels", "levels_seed_1"), ("level1", "level2", "level3"))]
    columns = ("term_accuracy", "consistency", "safety")
    wanted = {f"{study}.{model}.{kind}.carried" for (study, model), kind in itertools.product(models, columns)}
    assert not wanted - set(VALUE.findall(levels))
    assert {"level1.last_loss", "level2.last_loss", "main.last_loss"} <= set(VALUE.findall(levels))


def test_what_level_3_says_of_terms_consistency_and_safety_holds_with_every_seed() -> None:
    shown = find_lesson(3).measured["studies"]
    for study in ("levels", "levels_seed_1"):
        base, taught = shown[study]["base"], shown[study]["level3"]
        assert taught["term_accuracy"]["carried"] == taught["term_accuracy"]["asked"], "high"
        assert 0 < base["term_accuracy"]["carried"] < taught["term_accuracy"]["carried"], "repeats some"
        assert all(
            shown[study][f"level{level}"]["term_accuracy"]["share"] > base["term_accuracy"]["share"] for level in (1, 2)
        )
        assert max(taught[kind]["high"] for kind in ("consistency", "safety")) < 0.5, "not high"
    questions = read_questions(asset_path("questions", "level3_advanced_medical.jsonl"))
    assert all(term.text in str(question.messages) for question in questions for term in terms_of(question))
