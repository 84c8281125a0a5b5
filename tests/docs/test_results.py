"""The committed results that the documents rest on, judged as today's code judges."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from docs.pages import DOCS, ROOT, name_of, read, table_rows
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
    (stitched,) = result("2026-12-01-stitched-smollm2")["files"]
    kept = of.format(stitched["num_kept"], stitched["num_known"])
    expected[f"`{' && '.join(result('2026-12-01-stitched-smollm2')['command'][:2])}`"] = [f"{stitched['kl']:.3f}", kept]
    assert set(expected) == set(cells) - {"`llmlora doctor`"}
    for command, numbers in expected.items():
        assert not [number for number in numbers if number not in cells[command]], command


Quoted = Callable[[dict[str, Any]], list[float]]
RESULT_FILE = re.compile(r"benchmarks/results/([\w-]+)\.json")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*")


def exported(found: dict[str, Any], model: str, *kinds: str) -> list[float]:
    """Return the facts that files of a model kept, and of how many, once."""
    files = {entry["file"]: entry for entry in found["models"][model]}
    kept = [files[f"model-{kind}.gguf"]["facts_kept"] for kind in kinds]
    return [files["model-F16.gguf"]["facts_known"], *kept]


def one_run(found: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """Return the run with these values."""
    (run,) = (run for run in found["runs"] if all(run[name] == value for name, value in wanted.items()))
    return dict(run)


def of_estimates(found: dict[str, Any]) -> list[float]:
    shares = [run["said"]["memory_bytes"] / run["peak_memory_bytes"] for run in found["runs"]]
    peaks = [
        run["peak_memory_bytes"] / 1e9 for run in found["runs"] if run["settings"] in ("num_train_epochs=10", GPU24)
    ]
    return [min(shares), max(shares), *peaks]


def of_quality(found: dict[str, Any]) -> list[float]:
    (run,) = (run for run in found["runs"] if run["model"] == "nano")
    kinds = [run["quality"][kind] for kind in ("term_accuracy", "consistency", "safety")]
    counts = [kind[side]["carried"] for kind in kinds for side in ("base", "tuned")]
    return [run["facts"]["as_trained"], *counts, *(kind["base"]["asked"] for kind in kinds)]


def of_forgetting(found: dict[str, Any]) -> list[float]:
    told = [run for runs in found["models"].values() for name, run in runs.items() if name not in ("none", *UNTOLD)]
    return [max(0.0, run["worst_rise"]) for run in told]


def of_advice(found: dict[str, Any]) -> list[float]:
    followed = [one for entry in found["results"] for one in entry["followed"]]
    led_back = [one["facts"] for one in followed if one["advice"] not in ("surface", "damaged", "too_long")]
    counts = [sum(facts[side] for facts in led_back) for side in (0, 1)]
    return [len(followed), found["rows_per_data_set"], len(led_back), *counts]


def of_ladder(found: dict[str, Any]) -> list[float]:
    counts = [rung[kind] for rung in found["rungs"] for kind in ("as_trained", "other_words")]
    tokens = [rung["prompt_tokens_per_answer"] for rung in found["rungs"]]
    return [*(part for count in counts for part in (count["carried"], count["asked"])), *tokens]


def of_trained_rung(found: dict[str, Any]) -> list[float]:
    tuned = found["rungs"][-1]
    counts = [tuned[kind][part] for kind in ("as_trained", "other_words") for part in ("carried", "asked")]
    return [tuned["facts"]["asked"], *counts]


def of_more_steps(found: dict[str, Any]) -> list[float]:
    by_epochs = [one_run(found, rows=100, epochs=epochs) for epochs in (12.0, 22.0, 30.0)]
    return [by_epochs[0]["facts"], *(run["steps"] for run in by_epochs), *(run["as_asked"] for run in by_epochs[:2])]


def of_real_models(found: dict[str, Any]) -> list[float]:
    smollm2, gemma3 = found["runs"][:2]
    counts = ("as_asked", "facts", "in_other_words", "asked_in_other_words")
    general = [smollm2["general_after"], smollm2["general"], gemma3["general_before"], gemma3["general_after"]]
    return [*(run[name] for run in (smollm2, gemma3) for name in counts), *general]


def of_other_wordings(found: dict[str, Any]) -> list[float]:
    counts = [run["in_other_words"] for run in found["runs"] if run["asked_in_other_words"] == 60]
    return [60, min(counts), max(counts)]


def of_narrow_adapter(found: dict[str, Any]) -> list[float]:
    runs = [one_run(found, data="pottery_ja", settings=f"preset={name}") for name in ("recommended", "balanced")]
    return [run[name] for run in runs for name in ("as_asked", "steps")]


def of_parameters(found: dict[str, Any]) -> list[float]:
    one = found["runs"][0]
    return [one["rows"], one["facts"], one["learning_rate"], one["epochs"], one["steps"]]


GPU24 = "training_preset=gpu24"
# Runs that the table of forgetting leaves to other sentences.
UNTOLD = ("half the rate, twice as long, level 2", "weight decay, level 2")
# What pages quote of results, by page and file. In a table that is made of the file, no number is written by hand.
QUOTED: dict[tuple[str, str], Quoted | None] = {
    ("README", "2026-11-29-export-verdicts"): lambda found: exported(found, "gemma3", "Q8_0", "Q4_K_M"),
    ("docs/concepts/custom_dataset_creation", "2026-11-30-presets"): of_other_wordings,
    ("docs/concepts/evaluation", "2026-12-01-quality"): of_quality,
    ("docs/concepts/evaluation", "2026-11-30-forgetting"): of_forgetting,
    ("docs/concepts/evaluation", "2026-12-01-advice"): of_advice,
    ("docs/guide/faq", "2026-11-29-real-model-steps"): lambda found: [run["minutes"] for run in found["runs"][:2]],
    ("docs/guide/faq", "2026-11-29-export-verdicts"): lambda found: [
        *exported(found, "smollm2", "Q4_K_M"),
        *exported(found, "gemma3", "Q8_0", "Q4_K_M"),
    ],
    ("docs/guide/memory", "2026-11-29-estimates"): of_estimates,
    ("docs/guide/memory", "2026-11-26-gpu-train-speed"): lambda found: [found["1b"]["peak_gpu_memory_bytes"] / 1e9],
    ("docs/guide/ollama-and-tuning", "2026-11-29-export-verdicts"): lambda found: exported(
        found, "gemma3", "Q8_0", "Q4_K_M"
    ),
    ("docs/guide/parameters", "2026-11-30-presets"): of_narrow_adapter,
    ("docs/guide/parameters", "2026-12-01-parameters"): of_parameters,
    ("docs/guide/prompt-or-tune", "2026-11-30-ladder"): of_ladder,
    ("docs/guide/prompt-or-tune", "2026-11-30-ladder-smollm2"): of_trained_rung,
    ("docs/reference/presets", "2026-12-01-rows"): of_more_steps,
    ("docs/reference/presets", "2026-11-29-real-model-steps"): of_real_models,
    ("docs/reference/presets", "2026-11-30-presets"): None,
    ("docs/reference/presets", "2026-12-01-townsfolk"): None,
}


def quoting_pages(suffix: str) -> Iterator[tuple[str, str]]:
    """Yield page and file of every quotation in README, guides, concepts and reference of a language."""
    folders = ("guide", "concepts", "examples", "reference")
    pages = [ROOT / f"README{suffix}", *(page for name in folders for page in sorted((DOCS / name).glob(f"*{suffix}")))]
    for page in pages:
        if page.name.endswith(".ja.md") == (suffix == ".ja.md"):
            for file in RESULT_FILE.findall(page.read_text(encoding="utf-8")):
                yield name_of(page).removesuffix(suffix), file


@pytest.mark.parametrize("suffix", [".md", ".ja.md"])
def test_every_quotation_of_a_result_is_held_to_it(suffix: str) -> None:
    assert set(QUOTED) == set(quoting_pages(suffix))


def quoting(text: str, file: str) -> str:
    """Return the paragraphs that name a file, with the table below one, without names of files and code."""
    blocks = text.split("\n\n")
    named = [number for number, block in enumerate(blocks) if f"{file}.json" in block]
    tables = [number + 1 for number in named if blocks[number + 1 : number + 2] and blocks[number + 1].startswith("|")]
    found = "\n".join(blocks[number] for number in sorted({*named, *tables}))
    return re.sub(r"`[^`]*`|\]\([^)]*\)|\d+ ?[BM]\b|\bQ\d\w*|\bF16", "", found)


def take(value: float, numbers: list[str]) -> bool:
    """Take a number that is this value, rounded, out of those of a text; tells whether there is one.

    A tenth of the value is the most that rounding may take: 0 is not a rounded 0.3.
    """
    for number in numbers:
        decimals = len(number.partition(".")[2])
        if abs(float(number) - value) <= min(0.5 * 10**-decimals, 0.1 * value) + 1e-9:
            numbers.remove(number)
            return True
    return False


@pytest.mark.parametrize("language", ["", ".ja"])
@pytest.mark.parametrize(("page", "file"), [key for key, quoted in QUOTED.items() if quoted])
def test_quoted_numbers_are_those_that_were_measured(page: str, file: str, language: str) -> None:
    """Each stands in the paragraph that names the file, and as often as it was measured; in both languages."""
    quoted = QUOTED[page, file]
    assert quoted is not None
    numbers = [number.replace(",", "") for number in NUMBER.findall(quoting(read(f"{page}{language}.md"), file))]
    numbers.sort(key=lambda number: -len(number.partition(".")[2]))
    missing = [value for value in quoted(result(file)) if not take(value, numbers)]
    assert not missing, numbers


def test_the_charts_show_what_is_said_of_them() -> None:
    """Too low, right and too high a rate; a rank too small; what dropout and length do."""
    charts = runpy.run_path(str(DOCS / "charts.py"))
    runs, one = charts["runs"](), charts["ONE"]

    def run(old: str = "", new: str = "") -> dict[str, Any]:
        return dict(runs[one.replace(old, new) if old else one + new])

    usual, wide, much_dropout = run(), run(new=" r=32 lora_alpha=64"), run(new=" lora_dropout=0.5")
    low, high, narrow = run("=0.002", "=0.0001"), run("=0.002", "=0.03"), run(new=" r=1 lora_alpha=2")
    assert [known["as_asked"] for known in (low, high, narrow)] == [0, 0, 0]
    assert usual["as_asked"] == wide["as_asked"] == usual["facts"]
    assert low["losses"]["25"] > 8
    assert 5 < high["losses"]["25"] < high["losses"]["5"] < 7
    assert usual["losses"]["25"] < 0.1
    for epoch in ("10", "15"):
        assert wide["losses"][epoch] < usual["losses"][epoch] < narrow["losses"][epoch]
        assert usual["losses"][epoch] < much_dropout["losses"][epoch]
    by_length = [run("epochs=25", f"epochs={number}")["as_asked"] for number in (3, 8, 15)]
    assert by_length == [0, 0, 6], "as the pictures' words say"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_chart_stands_on_the_page_about_parameters_with_words(language: str) -> None:
    page = read("docs", "guide", "parameters.ja.md" if language == "ja" else "parameters.md")
    shown = re.findall(rf"!\[(.+?)\]\(\.\./images/([\w-]+)\.{language}\.svg\)", page)
    drawn = {path.name.split(".")[0] for path in (DOCS / "images").glob(f"*.{language}.svg")}
    assert {name for _, name in shown} == drawn == set(runpy.run_path(str(DOCS / "charts.py"))["CHARTS"])
    assert all(len(words) > 30 for words, _ in shown)
