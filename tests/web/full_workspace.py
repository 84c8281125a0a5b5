"""A workspace in which every page has something to show: jobs that ended well and badly, an export, a registration."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fake_ollama.server import FakeOllama
from served import Served, serving
from web.browser import ENDED, add_dataset, ask, run_to_its_end, train

FEW_STEPS = 10  # that make a curve
PROBLEMS = [
    {"instruction": "営業時間は？", "output": "午前9時から午後7時までです。"},
    {"instruction": "営業時間は？", "output": "午前9時から午後7時までです。"},
    {"instruction": "定休日は？", "output": ""},
    {"instruction": "連絡先は？", "output": "taro@example.com へどうぞ。"},
    {"instruction": "席はいくつ？", "output": "24席あります。"},
]


@contextmanager
def full_workspace(home: Path) -> Iterator[tuple[Served, list[str]]]:
    """Serve such a workspace beside an Ollama, and give the server and the addresses of the pages of what it holds."""
    with FakeOllama(home / "ollama") as ollama, serving(home / "work", OLLAMA_HOST=ollama.url) as server:
        yield server, fill(server)


@contextmanager
def busy_workspace(home: Path) -> Iterator[tuple[Served, list[str]]]:
    """Serve such a workspace with a long job at work, one that waits, one that was canceled and one that failed.

    None outlives its server.
    """
    with full_workspace(home) as (server, pages):
        large = add_dataset(server, "実用技術知識Q&A", "level2_practical_knowledge.json")
        wish = {"base_model": "nano", "dataset_id": large, "settings": {"num_train_epochs": 400}}
        failed = fail(server, home / "work", wish)
        names = ("実用技術知識モデル", "実用技術知識モデル_v2")
        jobs = [ask(server, "/api/training/jobs", {**wish, "name": name})["id"] for name in names]
        try:
            wait_for_curve(server, jobs[0])
            yield server, [*pages, *(f"/jobs/{job}" for job in (*jobs, failed)), f"/jobs/{failed}?tab=diagnosis"]
        finally:
            for job in reversed(jobs):
                end(server, job)


def fail(server: Served, workspace: Path, wish: dict[str, Any]) -> str:
    """Queue a job behind another one, break its data before its turn comes, and return its id when it has failed."""
    own = {"dataset_id": add_dataset(server, "途中で切れるデータ"), "name": "途中で切れたデータのモデル"}
    first, broken = (ask(server, "/api/training/jobs", {**wish, **more})["id"] for more in ({"name": "試し"}, own))
    config = json.loads((workspace / "jobs" / broken / "config.json").read_text(encoding="utf-8"))
    (workspace / config["data"]["path"]).write_text('{"messages": [', encoding="utf-8")
    end(server, first)
    while ask(server, f"/api/jobs/{broken}")["status"] not in ENDED:
        time.sleep(0.2)
    return str(broken)


def wait_for_curve(server: Served, job: str) -> None:
    """Wait until a job has a curve to show."""
    while (ask(server, f"/api/training/jobs/{job}/progress")["step"] or 0) < FEW_STEPS:
        time.sleep(0.2)


def end(server: Served, job: str) -> None:
    """Cancel a job where it has not ended by itself, and wait until its worker has."""
    if ask(server, f"/api/jobs/{job}")["status"] not in ENDED:
        ask(server, f"/api/jobs/{job}/cancel", {})
    while ask(server, f"/api/jobs/{job}")["status"] not in ENDED:
        time.sleep(0.2)


def fill(server: Served) -> list[str]:
    """Do all work there is once, and return the addresses of the pages of what came of it."""
    data = add_dataset(server, "レベル1 基本Q&A")
    bad = ask(server, "/api/datasets", {"name": "問題のあるデータ", "examples": PROBLEMS})["id"]
    good = train(server, data, "基本Q&A", num_train_epochs=20)
    weak = train(server, data, "基本Q&A 弱い設定", num_train_epochs=5, r=4)
    thorough = {"rewrite": True, "check_forgetting": True, "check_quality": True, "ladder": True}
    facts_alone = {"check_forgetting": False, "check_quality": False}
    for wish in ({"job_id": good, **thorough}, {"job_id": weak, **facts_alone}):
        run_to_its_end(server, ask(server, "/api/evaluations", wish)["id"])
    wish = {"job_id": good, "quantizations": ["Q8_0", "Q4_K_M"]}
    export = run_to_its_end(server, ask(server, "/api/exports", wish)["id"])
    ask(server, f"/api/jobs/{good}/passport", {})
    run_to_its_end(server, ask(server, "/api/ollama/register", {"job_id": export, "name": "kihon-qa"})["id"])
    long_words = add_dataset(server, "医療専門知識データセット", "level3_advanced_medical.json")
    more = [f"/jobs/{weak}", f"/datasets/{long_words}", f"/datasets/{long_words}?tab=preview"]
    return [*_of_job(good), *_of_dataset(data, bad), f"/exports/{export}", *_of_both(good, weak), *more]


def _of_job(job: str) -> Iterator[str]:
    yield f"/jobs/{job}"
    yield from (f"/jobs/{job}?tab={tab}" for tab in ("diagnosis", "evaluation", "samples", "log", "settings", "files"))
    yield from (f"/exports/new?job={job}", f"/jobs/new?from={job}")


def _of_dataset(data: str, bad: str) -> Iterator[str]:
    yield f"/datasets/{data}"
    yield from (f"/datasets/{data}?tab={tab}" for tab in ("preview", "stats", "split", "users"))
    yield f"/datasets/{bad}?tab=check"


def _of_both(good: str, weak: str) -> Iterator[str]:
    yield f"/compare?jobs={good},{weak}"
    yield f"/chat?models=job:{good}@base,job:{good}"
