"""A job whose page is reloaded while it trains, and the curve that the page shows of it at the end."""

from __future__ import annotations

import json
from pathlib import Path

from served import serving
from web.browser import add_dataset, ask, run_script


def reload_while_training(home: Path, times: int, epochs: int) -> None:
    """Train on 5 rows, one step each; the table of the curve has to have every step's loss as `events.jsonl` has it."""
    assert epochs * 5 <= 200  # the table of a longer curve leaves steps out
    with serving(home) as server:
        wish = {"base_model": "nano", "dataset_id": add_dataset(server, "基本Q&A"), "name": "再読み込み"}
        job_id = str(ask(server, "/api/training/jobs", {**wish, "settings": {"num_train_epochs": epochs}})["id"])
        finished = run_script("reloads.mjs", server, job_id, str(times), timeout=400)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    shown = json.loads(finished.stdout)
    assert shown["numRunning"] > 0
    written = home / "jobs" / job_id / "runs" / "1" / "events.jsonl"
    events = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    losses = [(str(event["step"]), event["metrics"]["loss"]) for event in events if event["type"] == "step"]
    assert [step for step, _ in shown["curve"]] == [step for step, _ in losses]
    for (step, loss), (_, measured) in zip(shown["curve"], losses, strict=True):
        assert abs(float(loss) - measured) <= 0.006 * max(1, measured), step
