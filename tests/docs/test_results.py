"""The committed results that the documents rest on, judged as today's code judges."""

from __future__ import annotations

import json
from typing import Any

import pytest

from docs.pages import ROOT
from llmlora.evaluation.measuring.forgetting import YELLOW, traffic_lights, worst_light

RESULTS = ROOT / "benchmarks" / "results"


def result(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


RUNS: dict[str, dict[str, dict[str, Any]]] = result("2026-11-30-forgetting")["models"]
SMALLEST_SHARE = 0.8


def test_a_preset_teaches_or_says_before_that_it_will_not() -> None:
    runs = result("2026-11-30-presets")["runs"]
    silent = [run for run in runs if not run["said"]["warnings"]]
    assert len({run["settings"] for run in silent}) >= 5
    assert not [run for run in silent if run["as_asked"] < SMALLEST_SHARE * run["facts"]]
    assert all(run["steps"] == run["said"]["num_steps"] for run in runs)


def measures(run: dict[str, Any]) -> dict[str, float]:
    """Return the four measures of a recorded run."""
    shares = {f"{name}_share": run[name][0] / (run[name][1] or 1) for name in ("spoilt", "changed", "invented")}
    return {"loss_rise": run["worst_rise"], **shares}


@pytest.mark.parametrize("model", RUNS)
def test_planted_runs_are_judged_as_what_they_are(model: str) -> None:
    for name, run in RUNS[model].items():
        assert run["light"] == worst_light(traffic_lights(measures(run)).values())
        if name.startswith(("none", "mild")):
            assert run["light"] == "green"
        if name in ("over-trained", "wrecked"):
            assert run["light"] == "red"


def test_another_seed_moves_the_worst_kind_by_less_than_what_is_yellow() -> None:
    seeds = [(run, runs[name.removesuffix(", other seed")]) for runs in RUNS.values() for name, run in runs.items()]
    assert sum(run is not other for run, other in seeds) >= 2
    assert all(abs(run["worst_rise"] - other["worst_rise"]) < YELLOW["loss_rise"] for run, other in seeds)


def test_general_rows_lose_no_fact_and_harm_less() -> None:
    without, beside = (RUNS["nano"][f"{name}, level 2"] for name in ("recommended", "general rows"))
    assert beside["facts"] == without["facts"] == [10, 10]
    assert beside["in_other_words"] == without["in_other_words"]
    assert beside["worst_rise"] < 0.5 * without["worst_rise"]
    assert beside["changed"][0] < without["changed"][0]
