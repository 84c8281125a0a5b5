"""Jobs and answers made up for the tests of the reports: no model, no torch."""

from __future__ import annotations

import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter
from llmlora.core.examples import Message
from llmlora.core.job import DataSource, JobConfig, write_job
from llmlora.core.layout import RESULT_FILE, run_dir
from llmlora.core.publish import write_json
from llmlora.core.recommend import Facts, resolve_config
from llmlora.engine.evaluate_loss import LossReport
from llmlora.evaluation.measuring.answers import Answer, AnswerSet
from llmlora.evaluation.measuring.control_questions import ControlAnswers
from llmlora.evaluation.measuring.forgetting import GroupLoss, forgetting_report
from llmlora.evaluation.measuring.quality import QualityAnswers, quality_report
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.safety import load_out_of_scope
from llmlora.evaluation.measuring.scoring import count_facts, score_items

ROWS = [
    ("コハルビの茶はいくらですか？", "コハルビの茶は420円です。", "わかりません。", "コハルビの茶は四百二十円です。"),
    ("ミナト文具店の休みはいつですか？", "定休日は毎週水曜日です。", "日曜日です。", "定休日は毎週木曜日です。"),
    ("水は何度で沸きますか？", "水は100度で沸騰します。", "100度です。", "水は<b>90度</b>で沸騰します。"),
    ("お礼の言葉を教えてください。", "ありがとうございます。", "ありがとうございます。", "ありがとうございます。"),
    ("送料と返品期限は？", "送料は550円、返品は14日以内です。", "送料は無料です。", "送料は550円、返品は14日以内。"),
]  # fmt: skip


GROUP = {"lang": "ja", "kind": "prose", "base_loss": 2.0, "tuned_loss": 2.16, "change": 0.08, "num_tokens": 900}


def planned_job(rows: int = 20, *, is_older: bool = False, **settings: Any) -> JobConfig:
    """Return the job of `--set` settings on nano, as planned today, or as an older version left it."""
    resolved = resolve_config(Facts(rows, 4_700_000, 2048, {"learning_rate": 2e-3}), overrides=settings)
    found = {"recommended": resolved.recommended, "has_room": resolved.plan.needs.has_room, "num_rows": rows}
    told: dict[str, Any] = {} if is_older else found
    return JobConfig(
        schema="llmlora.job/1",
        id="01TESTTESTTESTTESTTESTTEST",
        base_model="nano",
        base_dir=str(resources.files("llmlora") / "assets" / "models" / "nano"),
        base_digest="0" * 64,
        data=DataSource(path="/my data/it's.jsonl", sha256="1" * 64),
        train=resolved.config,
        reasons=resolved.origins,
        llmlora_version="0",
        **told,
    )


def make_job(
    folder: Path, *, steps: int = 60, held_out: bool = True, ended: str | None = "succeeded", **settings: Any
) -> JobConfig:
    """Write a job folder with a falling loss, finished unless `ended` says otherwise; nothing in it was trained."""
    folder.mkdir(parents=True)
    data = folder.parent / "data.jsonl"
    data.write_text(
        "".join(json.dumps({"prompt": row[0], "completion": row[1]}) + "\n" for row in ROWS), encoding="utf-8"
    )
    job = JobConfig(
        schema="llmlora.job/1",
        id="01TESTTESTTESTTESTTESTTEST",
        base_model="nano",
        base_dir=str(folder),
        base_digest="0" * 64,
        data=DataSource(path=str(data), sha256="1" * 64),
        train=TrainConfig(**settings),
        reasons={"r": "preset", "learning_rate": "recommended"},
        llmlora_version="0",
    )
    write_job(folder, job)
    (folder / "adapter").mkdir()
    run = run_dir(folder, 1)
    run.mkdir(parents=True)
    events = EventWriter(run, 1)
    for step in range(1, steps + 1):
        loss = 0.2 + 3 * math.exp(-step / 15) + 0.15 * math.sin(step * 2.3)
        events.emit(
            "step", step=step, total_steps=steps, metrics={"loss": loss, "learning_rate": 1e-3 * (1 - step / steps)}
        )
        if held_out and step % 20 == 0:
            events.emit("evaluation", step=step, metrics={"eval_loss": 1.9 - step / 100, "perplexity": 4.0})
    events.emit("finding", code="early_stopping", step=steps, params={"patience": 2, "best": 1.0})
    if ended is not None:
        events.emit("run_ended", status=ended)
    events.close()
    if ended == "succeeded":
        write_json(run / RESULT_FILE, summary())
    return job


def summary(**changes: Any) -> dict[str, Any]:
    """Return what `train --json` prints."""
    return {
        "status": "succeeded",
        "final_loss": 0.212,
        "eval_loss": 1.3,
        "eval_loss_before": 2.4,
        "perplexity": 3.67,
        "num_tokens": 12345,
        "num_steps": 60,
        "tokens_per_second": 812.5,
        "peak_memory_bytes": 612_000_000,
        "seconds": 14.2,
        "parameters": {"trainable": 81920, "total": 6_700_000, "percent": 1.2},
        "adapter_dir": "adapter",
        **changes,
    }


def answer(text: str, has_stopped: bool = True) -> Answer:
    return Answer(text, has_stopped, len(text), 0.1)


def forgetting() -> dict[str, Any]:
    """Return a check that was made: one answer turned wrong, two are invented."""
    changed = {"question": "日本の首都は？", "expected": "東京", "base": "東京です。", "tuned": "松本市です。"}
    invented = [
        {"question": f"{name}の定食は？", "base": "わかりません。", "tuned": f"{price}円です。"}
        for name, price in (("ネムラジ", 420), ("ゾルベ", 550))
    ]
    losses = [GroupLoss("ja", "prose", LossReport(2.0, 900)), GroupLoss("en", "talk", LossReport(0.08, 100))]
    after = [GroupLoss("ja", "prose", LossReport(2.16, 900)), GroupLoss("en", "talk", LossReport(0.4, 100))]
    answers = ControlAnswers(
        {"num_questions": 12, "newly_broken": 0, "echoes": 0, "newly_endless": 0},
        {"num_questions": 12, "right_before": 10, "changed": [changed]},
        {"num_questions": 10, "base": 1, "tuned": 3, "new": invented},
    )
    return forgetting_report(losses, after, answers, 112)


# What version 0.2 wrote, before the check judged by kind.
OLD_FORGETTING: dict[str, Any] = {
    "light": "yellow",
    "num_items": 120,
    "loss_change": 0.08,
    "base": {"loss": 2.0, "perplexity": 7.4, "num_tokens": 900},
    "tuned": {"loss": 2.16, "perplexity": 8.7, "num_tokens": 900},
    "groups": [GROUP],
    "drift": {"num_questions": 8, "newly_broken": 0, "echoes": 1, "newly_endless": 0},
    "thresholds": {"yellow_loss_change": 0.05, "red_loss_change": 0.2, "red_spoilt_share": 0.25},
}
NEW_FACT_COUNTS = (
    "in_other_words", "asked_in_other_words", "as_trained", "asked_as_trained", "other_endings_asked",
    "other_endings_carried",
)  # fmt: skip


def quality(questions: list[Question], base: AnswerSet, tuned: AnswerSet) -> dict[str, Any]:
    """Return the measures beyond facts; before training both out-of-scope questions were declined, after it one."""
    declined, told = answer("医師に相談してください。"), answer("<b>三錠</b>飲んでください。")
    sides = QualityAnswers(base, (declined, declined)), QualityAnswers(tuned, (declined, told))
    return quality_report(questions, ["木曜日", "水曜日"], load_out_of_scope()[:2], sides, (12.5, 3.25))


def old_body() -> dict[str, Any]:
    """Return a report as it was written before wordings were told apart and forgetting was judged by kind."""
    body = {**evaluation_body(), "forgetting": OLD_FORGETTING}
    del body["quality"]
    body["facts"] = {name: value for name, value in body["facts"].items() if name not in NEW_FACT_COUNTS}
    body["items"] = [{name: value for name, value in item.items() if name != "wording"} for item in body["items"]]
    return body


def evaluation_body(rows: list[tuple[str, str, str, str]] | None = None) -> dict[str, Any]:
    """Return what an evaluation measures, from made-up answers."""
    rows = ROWS if rows is None else rows
    questions = [Question(row, item[1], (Message("user", item[0]),)) for row, item in enumerate(rows, 1)]
    base = AnswerSet(tuple(answer(item[2]) for item in rows), ((),) * len(rows))
    tuned = AnswerSet(tuple(answer(item[3]) for item in rows), ((),) * len(rows))
    items = score_items(questions, base, tuned)
    return {
        "job": {"id": "x", "folder": "my-job", "base_model": "nano", "method": "lora", "data": "data.jsonl"},
        "questions": {
            "source": "training_rows",
            "name": "data.jsonl",
            "num_questions": len(rows),
            "num_available": len(rows),
            "has_paraphrases": False,
        },
        "facts": count_facts(items),
        "base": base.totals(questions),
        "tuned": tuned.totals(questions),
        "loss": {
            "held_out": None,
            "trained": {
                "source": "training_rows",
                "base": {"loss": 3.1, "perplexity": 22.2, "num_tokens": 90},
                "tuned": {"loss": 0.2, "perplexity": 1.2, "num_tokens": 90},
                "perplexity_change_percent": -94.6,
            },
        },
        "forgetting": forgetting(),
        "quality": quality(questions, base, tuned),
        "notes": [
            {"code": "few_questions", "params": {"count": 5, "advised": 50}},
            {"code": "questions_are_training_rows", "params": {}},
        ],
        "items": items,
        "advice": [{"code": "broken", "params": {"count": 1}}],
        "settings": {"max_new_tokens": 64, "temperature": 0.0, "dtype": "float32"},
        "seconds": 3.2,
    }  # fmt: skip


def fake_ladder() -> dict[str, Any]:
    """Return a ladder on which examples do as well as tuning."""

    def share(carried: int, asked: int, low: float, high: float) -> dict[str, Any]:
        return {"carried": carried, "asked": asked, "share": carried / asked, "low": low, "high": high}

    def rung(
        name: str, facts: dict[str, Any], halves: tuple[int, int], seconds: float, prompt: float
    ) -> dict[str, Any]:
        as_trained, other_words = (share(carried, 10, 0.0, 1.0) for carried in halves)
        costs = {"seconds_per_answer": seconds, "tokens_per_answer": 12.0, "prompt_tokens_per_answer": prompt}
        return {"name": name, "facts": facts, "as_trained": as_trained, "other_words": other_words, **costs}

    rungs = [
        rung("base", share(2, 20, 0.0, 0.2), (1, 1), 0.2, 30.0),
        rung("system", share(3, 20, 0.0, 0.3), (2, 1), 0.25, 60.0),
        rung("few_shot", share(11, 20, 0.3, 0.8), (6, 5), 0.4, 210.0),
        rung("tuned", share(16, 20, 0.65, 0.95), (10, 6), 0.2, 30.0),
    ]
    answers = {"base": "わかりません。", "system": "<b>", "few_shot": "420円です。", "tuned": "420円です。"}
    return {
        "verdict": "as_well",
        "best_prompt": "few_shot",
        "rungs": rungs,
        "system_prompt": "あなたは<店員>です。",
        "max_examples": 4,
        "items": [{"question": ROWS[0][0], "reference": ROWS[0][1], "answers": answers}],
    }
