"""Advice after an evaluation: one piece, the strongest, with a whole command; nothing above the model's own rate."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from core.test_next_run import next_config
from evaluation.fake_reports import ROWS, evaluation_body, planned_job
from llmlora.core.events import EventWriter
from llmlora.core.job import JobConfig
from llmlora.core.layout import run_dir
from llmlora.core.locale import LANGUAGES, advice_text, set_language
from llmlora.core.next_run import peak_rate
from llmlora.evaluation.advising.advice import advise, advise_run

FOLDER = Path("/my jobs/1")
STAGES = [{"learning_rate": 0.1, "epochs": 1}, {"learning_rate": 1e-4, "epochs": 2}]


def report_of(
    rows: list[tuple[str, str, str, str]] = ROWS, *, loss: float | None = 1.5, light: str = "green", **counts: int
) -> dict[str, Any]:
    body = evaluation_body(rows)
    body["facts"].update(counts)
    body["loss"]["trained"]["tuned"]["loss"] = loss
    body["forgetting"]["light"] = body["forgetting"]["lights"]["loss_rise"] = light
    return body


def learned(**values: Any) -> dict[str, Any]:
    """Return a report of a run that learned everything, but for `values`."""
    return report_of([(*row[:3], row[1]) for row in ROWS], **values)


def piece_for(report: dict[str, Any], **settings: Any) -> dict[str, Any]:
    (piece,) = advise(planned_job(**settings), report, FOLDER)
    return piece


def test_nothing_to_do_is_no_advice() -> None:
    assert advise(planned_job(), learned(), FOLDER) == []
    assert advise(planned_job(r=64, num_train_epochs=50, learning_rate=1e-3), learned(), FOLDER) == []


@pytest.mark.parametrize(
    ("settings", "code", "changes"),
    [
        ({"learning_rate": 1}, "rate_too_high", "learning_rate 1 → 0.002"),
        ({"learning_rate": 0.05}, "rate_too_high", "learning_rate 0.05 → 0.002"),
        ({"learning_rate": 3e-5, "num_train_epochs": 4}, "rate_too_low",
         "learning_rate 3e-05 → 0.002, num_train_epochs 4 → 30"),
        ({"num_train_epochs": 3}, "too_short", "num_train_epochs 3 → 30"),
        ({"max_steps": 20}, "too_short", "max_steps 20 → –"),
        ({"per_device_train_batch_size": 64, "num_train_epochs": 30}, "too_short",
         "per_device_train_batch_size 64 → 4"),
        ({"warmup_steps": 140}, "warm_up", "warmup_steps 140 → 0"),
        ({"r": 1}, "too_little_room", "r 1 → 8"),
        ({"lora_dropout": 0.6, "target_modules": ["q_proj"]}, "too_little_room",
         "lora_dropout 0.6 → 0, target_modules q_proj → all-linear"),
        ({"r": 4, "lora_alpha": 1}, "too_little_room", "r 4 → 8, lora_alpha 1 → 16"),
    ],
)  # fmt: skip
def test_a_value_that_can_be_behind_it_returns_first(settings: dict[str, Any], code: str, changes: str) -> None:
    piece = piece_for(report_of(not_learned=2), **settings)
    assert (piece["code"], piece["params"]["changes"]) == (code, changes)
    assert next_config(planned_job(**settings), piece["params"]["command"]) == planned_job().train


def test_rate_and_length_return_together_and_room_only_afterwards() -> None:
    settings = {"learning_rate": 1e-4, "num_train_epochs": 2, "warmup_steps": 3, "r": 2}
    piece = piece_for(report_of(), **settings)
    assert piece["code"] == "rate_too_low"
    assert piece["params"]["settings"] == dict.fromkeys(("learning_rate", "num_train_epochs", "warmup_steps"))
    after = next_config(planned_job(**settings), piece["params"]["command"])
    assert after == planned_job(r=2).train
    assert piece_for(report_of(), r=2)["code"] == "too_little_room"


def test_an_adapter_that_is_too_small_returns_together_with_the_rest() -> None:
    """Its run was advised 600 steps, which teach such an adapter nothing either."""
    settings = {"r": 2, "lora_alpha": 1, "num_train_epochs": 12}
    for piece in (piece_for(report_of(), **settings), advise_run(planned_job(**settings), ["loss_not_falling"])):
        assert piece is not None
        assert piece["code"] == "too_little_room"
        assert piece["params"]["changes"] == "r 2 → 8, lora_alpha 1 → 16, num_train_epochs 12 → 30"
        assert next_config(planned_job(**settings), piece["params"]["command"]) == planned_job().train


def test_rows_that_were_cut_return_to_their_length_with_all_the_rest(tmp_path: Path) -> None:
    """Their facts are not learned at any rate; a low loss had other wordings advised, a high rate only a lower one."""
    folder = run_dir(tmp_path, 1)
    folder.mkdir(parents=True)
    EventWriter(folder, 1).emit("phase", name="prepared", params={"rows": 20, "truncated": 19})
    for settings, changes in (
        ({"max_length": 30}, "max_length 30 → 2048"),
        ({"max_length": 30, "learning_rate": 0.004}, "max_length 30 → 2048, learning_rate 0.004 → 0.002"),
    ):
        (piece,) = advise(planned_job(**settings), report_of(loss=0.1), tmp_path)
        assert (piece["code"], piece["params"]["changes"]) == ("rows_cut", changes)
        assert next_config(planned_job(**settings), piece["params"]["command"]) == planned_job().train
    assert advise(planned_job(), report_of(loss=0.1), tmp_path)[0]["code"] == "not_asked_so", "the model's own limit"
    assert piece_for(report_of(loss=0.1), max_length=512)["code"] == "not_asked_so", "no row was cut"


def test_what_cannot_be_behind_it_is_left_as_chosen() -> None:
    more = {"r": 32, "num_train_epochs": 60, "seed": 5, "validation_split": 0.1}
    piece = piece_for(report_of(loss=0.01), **more)
    assert piece["code"] == "not_asked_so"
    settings = {**more, "learning_rate": 0.05}
    after = next_config(planned_job(**settings), piece_for(report_of(), **settings)["params"]["command"])
    assert after == planned_job(**more).train


def test_a_small_micro_batch_stays_where_it_was_chosen_for_memory() -> None:
    settings = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 16, "gradient_checkpointing": True}
    settings["num_train_epochs"] = 30  # where nobody chose them, there are as many as the batch needs
    piece = piece_for(report_of(), **settings)
    assert (piece["code"], piece["params"]["changes"]) == ("too_short", "gradient_accumulation_steps 16 → 4")
    assert piece["params"]["settings"] == {"gradient_accumulation_steps": 4}
    after = next_config(planned_job(**settings), piece["params"]["command"])
    assert (after.per_device_train_batch_size, after.gradient_accumulation_steps) == (1, 4)
    assert after.gradient_checkpointing


def test_stages_return_as_a_whole() -> None:
    settings = {"lr_scheduler_type": "staged", "stages": STAGES}
    piece = piece_for(report_of(), **settings)
    assert piece["code"] == "rate_too_high"
    assert next_config(planned_job(**settings), piece["params"]["command"]) == planned_job().train


def test_an_older_job_returns_what_was_chosen_without_naming_the_value() -> None:
    piece = piece_for(report_of(), is_older=True, learning_rate=0.05, num_train_epochs=3, r=8)
    assert piece["code"] == "rate_chosen"
    assert piece["params"]["changes"] == "learning_rate 0.05 → –, num_train_epochs 3 → –"
    assert piece_for(report_of(), is_older=True)["code"] == "not_learned"


def test_rows_that_are_not_known_yet_are_trained_longer() -> None:
    piece = piece_for(report_of(not_learned=1))
    assert piece["code"] == "not_learned"
    assert next_config(planned_job(), piece["params"]["command"]).num_train_epochs == 60
    assert piece["params"]["settings"] == {"num_train_epochs": 60}
    assert piece_for(report_of(), num_train_epochs=100)["code"] == "not_learned_rows"
    assert piece_for(report_of(loss=None))["code"] == "not_learned"
    report = report_of()
    report["loss"]["trained"] = None
    assert piece_for(report)["code"] == "not_learned"


def test_rows_known_by_heart_ask_for_other_wordings() -> None:
    piece = piece_for(report_of(loss=0.02))
    assert (piece["code"], piece["params"]["loss"]) == ("not_asked_so", "0.020")
    assert piece["params"]["command"].startswith("dataset reword ")


def test_surface_writes_the_file_to_fill_in() -> None:
    piece = piece_for(learned(surface=4, light="yellow"))
    assert piece["code"] == "surface"
    data = """'/my data/it'"'"'s.jsonl'"""
    assert piece["params"]["command"] == f"""dataset reword {data} -o 'it'"'"'s-rewordings.csv' --job '/my jobs/1'"""


def test_lost_facts_come_before_other_wordings() -> None:
    assert piece_for(learned(broken=1, surface=3)) == {"code": "broken", "params": {"count": 1}}
    assert piece_for(learned(broken=1), learning_rate=0.01)["code"] == "rate_too_high"
    assert piece_for(learned(broken=1), num_train_epochs=60)["code"] == "too_long"


def test_damage_at_the_recommended_values_asks_for_general_rows_once() -> None:
    for settings in ({}, {"learning_rate": 1e-3}):
        piece = piece_for(learned(surface=4, light="red"), **settings)
        assert (piece["code"], piece["params"]["settings"]) == ("damaged", {"general_share": 0.5})
        after = next_config(planned_job(**settings), piece["params"]["command"])
        assert after == planned_job(**settings, general_share=0.5).train
        assert advise(planned_job(**settings, general_share=0.5), learned(light="red"), FOLDER) == []
        assert piece_for(learned(surface=4, light="red"), general_share=0.2)["code"] == "surface"
    assert piece_for(learned(light="red"), learning_rate=0.004)["code"] == "rate_too_high"
    assert advise(planned_job(), learned(light="yellow"), FOLDER) == []


def test_general_rows_are_no_advice_against_what_they_do_not_mend() -> None:
    report = learned(surface=4, light="red")
    report["forgetting"]["lights"] = {**dict.fromkeys(report["forgetting"]["lights"], "green"), "invented_share": "red"}
    assert piece_for(report)["code"] == "surface"
    del report["forgetting"]["lights"]
    assert piece_for(report)["code"] == "surface", "a report of an older version"
    report = learned()
    report["forgetting"] = None
    assert advise(planned_job(learning_rate=0.004), report, FOLDER) == []


def test_answers_that_stopped_stopping_are_named() -> None:
    report = learned()
    report["tuned"]["stop_rate"] = 0.4
    piece = piece_for(report)
    assert piece["code"] == "endless"
    assert (piece["params"]["before"], piece["params"]["after"]) == ("100", "40")
    assert piece["params"]["command"].startswith("dataset preview ")
    assert piece_for(report, max_length=24)["code"] == "cut_off"
    report["base"]["stop_rate"] = report["tuned"]["stop_rate"] = None
    assert advise(planned_job(), report, FOLDER) == []


SETTINGS: list[dict[str, Any]] = [
    {}, {"learning_rate": 1}, {"learning_rate": 1e-6}, {"lr_scheduler_type": "staged", "stages": STAGES},
    {"method": "full"}, {"num_train_epochs": 0.5}, {"max_steps": 900}, {"max_steps": 3, "warmup_steps": 2},
    {"r": 1, "warmup_steps": 30}, {"init_adapter": "a"}, {"num_train_epochs": 9000, "learning_rate": 0.3},
    {"validation_split": 0.3, "num_train_epochs": 2}, {"max_length": 16},
]  # fmt: skip


@pytest.mark.parametrize("is_older", [False, True])
@pytest.mark.parametrize("settings", SETTINGS)
def test_whatever_happened_one_command_is_advised_and_it_is_accepted(settings: dict[str, Any], is_older: bool) -> None:
    job: JobConfig = planned_job(**settings, is_older=is_older)
    plain = planned_job(**{name: settings[name] for name in ("method",) if name in settings}).train.learning_rate
    reports = [report_of(), report_of(loss=0.1), learned(light="red"), learned(surface=1), learned(broken=2)]
    findings = itertools.combinations(["loss_rising", "still_falling", "memorised", "overfitting"], 2)
    pieces = [piece for report in reports for piece in advise(job, report, FOLDER)]
    pieces += [piece for codes in findings if (piece := advise_run(job, codes)) is not None]
    assert all(len(advise(job, report, FOLDER)) <= 1 for report in reports)
    for piece in pieces:
        command = piece["params"].get("command", "")
        if command.startswith("train "):
            after = next_config(job, command)
            assert after != job.train
            assert peak_rate(after) <= max(plain, 0.0) or peak_rate(after) == peak_rate(job.train)


def test_run_and_evaluation_speak_with_one_voice() -> None:
    """What a run's findings ask for is what its evaluation asks for, as long as facts are missing."""
    for settings in SETTINGS:
        job = planned_job(**settings)
        early = advise_run(job, ["loss_not_falling"])
        (late,) = advise(job, report_of(loss=3.0), FOLDER)
        assert early is None or early == late
    assert advise_run(planned_job(num_train_epochs=3), ["memorised", "overfitting", "healthy"]) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_piece_is_worded_with_its_numbers(language: str) -> None:
    set_language(language)
    endless = learned()
    endless["tuned"]["stop_rate"] = 0.5
    reports = [report_of(), report_of(loss=0.1), learned(light="red"), learned(surface=1), learned(broken=2), endless]
    settings = [*SETTINGS, {"learning_rate": 1e-3}, {"num_train_epochs": 100}, {"r": 1}, {"warmup_steps": 9}]
    jobs = [planned_job(**values, is_older=is_older) for values in settings for is_older in (False, True)]
    pieces = [piece for job in jobs for report in reports for piece in advise(job, report, FOLDER)]
    assert {piece["code"] for piece in pieces} == {
        "rate_too_high", "rate_too_low", "rate_chosen", "too_short", "too_long", "warm_up", "too_little_room",
        "cut_off", "broken", "not_learned", "not_learned_rows", "not_asked_so", "surface", "endless",
        "damaged",
    }  # fmt: skip
    for piece in pieces:
        text = advice_text(piece)
        assert not re.search(r"\{\w+\}|evaluation\.", text), text
        shown = {name: value for name, value in piece["params"].items() if name != "settings"}
        assert all(str(value) in text for value in shown.values()), text
