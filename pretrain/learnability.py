"""How well nano learns the bundled lessons, through llmlora itself: `python -m pretrain.learnability [--base FOLDER]`.

Writes `learnability.json`, which the model card shows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from llmlora.services.demo import asset_path
from llmlora.services.evaluate import evaluate
from llmlora.services.plan_training import plan_training
from llmlora.services.train import start_training
from llmlora.services.train_request import TrainRequest

OUT = Path(__file__).parent / "learnability.json"
LESSONS: list[tuple[str, str, dict[str, Any]]] = [
    ("level1_basic_qa", "recommended, r 4, alpha 8", {"r": 4, "lora_alpha": 8}),
    ("level2_practical_knowledge", "recommended, r 8, alpha 16", {"r": 8, "lora_alpha": 16}),
    ("level3_advanced_medical", "recommended, r 16, alpha 32", {"r": 16, "lora_alpha": 32}),
    (
        "level1_basic_qa",
        "light preset for large models: r 4, alpha 8, dropout 0.1, q and v, rate 5e-5, 1 epoch, batch 2",
        {
            "r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "target_modules": ["q_proj", "v_proj"], "learning_rate": 5e-5,
            "num_train_epochs": 1, "per_device_train_batch_size": 2, "max_length": 512,
        },
    ),
]  # fmt: skip
NOTES = """The last row uses settings that are common for models a thousand times as large; nano learns nothing from one such pass. The
recommended values are what `llmlora train --model nano` takes when nothing is said (learning rate from `llmlora.json`: higher ones, up to
0.005, answer more reworded questions, but forget more). Reworded questions are answered less often: so small a model memorises an answer
to a wording more than a fact."""


def measure(base: str, name: str, label: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Train on one lesson and return what was learned."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "job"
        planned = plan_training(TrainRequest(base, asset_path("datasets", f"{name}.json"), settings=settings))
        trained = start_training(planned, folder)
        report = evaluate(folder, asset_path("questions", f"{name}.jsonl"), check_forgetting=False)
    items = report["items"]
    return {
        "dataset": name,
        "settings": label,
        "learning_rate": planned.job.train.learning_rate,
        "epochs": planned.job.train.num_train_epochs,
        "rows": len(items),
        "before": report["facts"]["questions_carried_before"],
        "after": report["facts"]["questions_carried"],
        "stopped": sum(item["tuned"]["finish_reason"] == "stop" for item in items),
        "paraphrases": _reworded(items),
        "final_loss": trained.get("final_loss"),
        "seconds": trained["training_seconds"],
        "missed": [[item["reference"], item["tuned"]["text"]] for item in items if not all(f["tuned"] for f in item["facts"])],
    }  # fmt: skip


def _reworded(items: list[dict[str, Any]]) -> str:
    hits = sum(fact["paraphrase_hits"] for item in items for fact in item["facts"])
    return f"{hits} of {sum(fact['num_paraphrases'] for item in items for fact in item['facts'])}"


def main() -> None:
    """Measure every lesson and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="nano")
    base = parser.parse_args().base
    runs = []
    for name, label, settings in LESSONS:
        runs.append(measure(base, name, label, settings))
        print(json.dumps(runs[-1], ensure_ascii=False), flush=True)
    OUT.write_text(json.dumps({"runs": runs, "notes": NOTES}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
