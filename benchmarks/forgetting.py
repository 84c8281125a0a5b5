"""What planted runs cost: none, mild, as recommended, over-trained and wrecked, on nano and on two real models.

    PYTHONPATH=src:tests python benchmarks/forgetting.py [--models nano smollm2 gemma3] [--out FILE.json]

The thresholds of the forgetting check are read off these numbers (docs/concepts/evaluation.md). Each run is trained and
evaluated as a user would, with one setting planted; the change of a seed is the noise floor.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, cast

from llmlora.core.errors import LlmloraError
from llmlora.services.evaluate import evaluate
from llmlora.services.train import train
from real_models import Name, real_model

DATASETS = Path(str(resources.files("llmlora"))) / "assets" / "datasets"
LEVEL1, LEVEL2 = "level1_basic_qa.json", "level2_practical_knowledge.json"
SUPPORT, SUPPORT_EN = "customer_support.jsonl", "support_en.jsonl"
MAX_QUESTIONS = 10
Runs = dict[str, tuple[str, dict[str, Any]]]
NANO: Runs = {
    "none": (LEVEL2, {"learning_rate": 1e-9, "max_steps": 2}),
    "mild": (LEVEL2, {"learning_rate": 2e-4, "num_train_epochs": 1}),
    "mild, other seed": (LEVEL2, {"learning_rate": 2e-4, "num_train_epochs": 1, "seed": 7}),
    "recommended, level 1": (LEVEL1, {}),
    "recommended, level 2": (LEVEL2, {}),
    "recommended, level 2, other seed": (LEVEL2, {"seed": 7}),
    "half the rate, twice as long, level 2": (LEVEL2, {"learning_rate": 1e-3, "num_train_epochs": 60}),
    "weight decay, level 2": (LEVEL2, {"weight_decay": 0.1}),
    "recommended, support": (SUPPORT, {}),
    "general rows, level 2": (LEVEL2, {"general_share": 0.5}),
    "general rows, support": (SUPPORT, {"general_share": 0.5}),
    "over-trained": (LEVEL1, {"learning_rate": 2e-2, "num_train_epochs": 30}),
    "wrecked": (LEVEL2, {"learning_rate": 6e-2, "num_train_epochs": 10}),
}
REAL: Runs = {
    "mild": (SUPPORT_EN, {"learning_rate": 2e-5, "max_steps": 8}),
    "mild, other seed": (SUPPORT_EN, {"learning_rate": 2e-5, "max_steps": 8, "seed": 7}),
    "30 steps": (SUPPORT_EN, {"max_steps": 30}),
    "recommended": (SUPPORT_EN, {}),
    "recommended, other seed": (SUPPORT_EN, {"seed": 7}),
    "general rows": (SUPPORT_EN, {"general_share": 0.5}),
    "75 steps": (SUPPORT_EN, {"max_steps": 75}),
    "100 steps": (SUPPORT_EN, {"max_steps": 100}),
    "over-trained": (SUPPORT_EN, {"learning_rate": 3e-3, "max_steps": 40}),
    "wrecked": (SUPPORT_EN, {"learning_rate": 3e-2, "max_steps": 12}),
}


def main() -> None:
    """Train and evaluate every planted run and write what each measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["nano", "smollm2", "gemma3"])
    parser.add_argument("--runs", nargs="+", help="names of runs; all by default")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = json.loads(options.out.read_text()) if options.out and options.out.exists() else {}
    results |= {
        "command": "PYTHONPATH=src:tests python benchmarks/forgetting.py",
        "date": str(datetime.now(UTC).date()),
    }
    for model in options.models:
        runs = NANO if model == "nano" else REAL
        for name, (data, settings) in runs.items():
            if options.runs and name not in options.runs:
                continue
            found = measured(model, data, settings)
            results.setdefault("models", {}).setdefault(model, {})[name] = found
            print(model, name, json.dumps(found, ensure_ascii=False), flush=True)
            if options.out:
                options.out.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")


def measured(model: str, data: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the check's measures after one run; a run that ended with an error says which."""
    base = "nano" if model == "nano" else str(real_model(cast(Name, model)))
    with tempfile.TemporaryDirectory() as folder:
        try:
            trained = train(base, DATASETS / data, out=Path(folder) / "job", dtype="float32", **settings)
            report = evaluate(Path(folder) / "job", max_questions=MAX_QUESTIONS, check_quality=False)
        except LlmloraError as error:
            return {"data": data, **settings, "error": error.code}
    return {"data": data, **settings, **found_in(report, trained)}


def found_in(report: dict[str, Any], trained: dict[str, Any]) -> dict[str, Any]:
    """Return the measures of an evaluation, beside what the run says of itself."""
    check, facts = report["forgetting"], report["facts"]
    rises = {
        f"{group['lang']} {group['kind']}": round(group["tuned_loss"] - group["base_loss"], 3)
        for group in check["groups"]
    }
    general, untaught, drift = check["general"], check["untaught"], check["drift"]
    return {
        "light": check["light"],
        "lights": check["lights"],
        "worst_rise": max(rises.values()),
        "rises": rises,
        "mean_change": check["loss_change"],
        "spoilt": [drift["newly_broken"] + drift["echoes"], drift["num_questions"]],
        "changed": [len(general["changed"]), general["right_before"]],
        "changed_answers": [[entry["question"], entry["tuned"]] for entry in general["changed"]],
        "invented": [len(untaught["new"]), untaught["num_questions"]],
        "invented_by_base": untaught["base"],
        "facts": [facts["remembered"], facts["total"]],
        "in_other_words": [facts["in_other_words"], facts["asked_in_other_words"]],
        "steps": trained["num_steps"],
        "loss": trained["final_loss"],
        "seconds": trained["seconds"],
    }


if __name__ == "__main__":
    main()
