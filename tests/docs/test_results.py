"""The committed results that the documents rest on, judged as today's code judges."""

from __future__ import annotations

import json
from typing import Any

import pytest

from docs.pages import ROOT, read, table_rows
from llmlora.evaluation.measuring.forgetting import YELLOW, traffic_lights, worst_light

RESULTS = ROOT / "benchmarks" / "results"


def result(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


RUNS: dict[str, dict[str, dict[str, Any]]] = result("2026-11-30-forgetting")["models"]
SMALLEST_SHARE = 0.8
# Gemma's file has no chat template: what it says to a plain question breaks easily, one of 12 here; the page says so.
FALSE_ALARMS = {("gemma3", "mild")}


def test_a_preset_teaches_or_says_before_that_it_will_not() -> None:
    runs = result("2026-11-30-presets")["runs"]
    silent = [run for run in runs if not run["said"]["warnings"]]
    assert len({run["settings"] for run in silent}) >= 5
    assert not [run for run in silent if run["as_asked"] < SMALLEST_SHARE * run["facts"]]
    assert all(run["steps"] == run["said"]["num_steps"] for run in runs)


def test_the_recommended_steps_teach_ten_rows_and_a_hundred() -> None:
    runs = [run for run in result("2026-12-01-rows")["runs"] if run["settings"] == "preset=recommended"]
    assert sorted(run["rows"] for run in runs) == [10, 20, 50, 100]
    assert not [run for run in runs if run["said"]["warnings"]]
    assert not [run for run in runs if run["as_asked"] < SMALLEST_SHARE * run["facts"]]


def measures(run: dict[str, Any]) -> dict[str, float]:
    """Return the four measures of a recorded run."""
    shares = {f"{name}_share": run[name][0] / (run[name][1] or 1) for name in ("spoilt", "changed", "invented")}
    return {"loss_rise": run["worst_rise"], **shares}


@pytest.mark.parametrize("model", RUNS)
def test_planted_runs_are_judged_as_what_they_are(model: str) -> None:
    for name, run in RUNS[model].items():
        assert run["light"] == worst_light(traffic_lights(measures(run)).values())
        if name.startswith(("none", "mild")):
            assert run["light"] == ("yellow" if (model, name) in FALSE_ALARMS else "green")
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


def test_general_rows_are_no_help_to_a_real_model() -> None:
    """They are in the bundled model's words; the advice keeps to that one (evaluation/advising/advice.py)."""
    without, beside = (RUNS["smollm2"][name] for name in ("recommended", "general rows"))
    assert beside["facts"] == without["facts"] == [21, 21]
    assert (beside["changed"], beside["invented"]) == (without["changed"], without["invented"])
    assert beside["worst_rise"] > without["worst_rise"]


def newest(name: str) -> dict[str, Any]:
    """Return the newest results of a kind: their names begin with the date."""
    found = [path for path in RESULTS.glob(f"*-{name}.json") if path.stem[11:] == name]
    return dict(json.loads(max(found).read_text(encoding="utf-8")))


def readme_cells(language: str) -> dict[str, str]:
    """Return the numbers of a README by the command beside them."""
    text = read(f"README{language}.md").split("<!-- numbers:begin -->")[1].split("<!-- numbers:end -->")[0]
    return {row[2]: row[1].replace("問中", "中") for row in table_rows(text)}


@pytest.mark.parametrize(("language", "of"), [("", "{0} of {1}"), (".ja", "{1} 中 {0}")])
def test_the_numbers_of_the_readme_are_those_that_were_measured(language: str, of: str) -> None:
    cells = readme_cells(language)
    speed, gpu, demo = newest("train-speed"), newest("gpu-train-speed")["1b"], newest("demo")
    lessons = json.loads((ROOT / "pretrain" / "learnability.json").read_text(encoding="utf-8"))["runs"][:2]
    gates = result("2026-11-26-gates")["measured"]
    shares = [(run["after"], run["rows"]) for run in lessons]
    shares += [tuple(int(number) for number in run["paraphrases"].split(" of ")) for run in lessons]
    expected = {
        "`time make demo`": [f"{demo['seconds']:.0f} "],
        "`llmlora verify demo-output/export --json`": [f"{demo['max_diff']:.3f}", f"{demo['max_kl']:.1e}"],
        "`make bench`": [
            f"{speed['tokens_per_second']:.0f} ",
            f"{speed['peak_memory_bytes'] / 1e9:.1f} GB",
            f"{100 * speed['share_of_product_limit']:.0f} %",
        ],
        "`python benchmarks/train_speed.py --shape 1b --batch 16 --steps 20`": [
            f"{gpu['tokens_per_second']:,.0f} ",
            f"{gpu['peak_gpu_memory_bytes'] / 1e9:.1f} GB",
        ],
        "`python -m pretrain.learnability`": [of.format(*share) for share in shares],
        "`make gates`": [f"{gates['check 2.00 GB, 6,387,000 rows']['memory_mib']} MiB"],
    }
    assert set(expected) == set(cells) - {"`llmlora doctor`"}
    for command, numbers in expected.items():
        assert not [number for number in numbers if number not in cells[command]], command
