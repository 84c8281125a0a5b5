"""How near a plan with a probe comes to the run: time within 25 %, memory within 15 %, on six configurations.

    python benchmarks/estimates.py   # writes results/<date>-probes.json

Each is planned with `--probe`, then trained, in a workspace of its own. What else runs on the machine is written down:
a load that changes between the two is no fault of the plan.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from llmlora.services.plan_training import plan_training
from llmlora.services.train import start_training
from llmlora.services.train_request import training_request
from llmlora.services.training_plan import request_plan

ROOT = Path(__file__).resolve().parent.parent
TIME_WITHIN, MEMORY_WITHIN = 0.25, 0.15
SHOP = ROOT / "tests" / "export" / "shop_rows_ja.jsonl"
SUPPORT = ROOT / "tests" / "export" / "support_rows_en.jsonl"
CONFIGURATIONS: dict[str, tuple[str, Path, dict[str, Any]]] = {
    "recommended": ("nano", SHOP, {"num_train_epochs": 12}),
    "large batch": ("nano", SHOP, {"per_device_train_batch_size": 8, "num_train_epochs": 40}),
    "accumulation": ("nano", SUPPORT, {"gradient_accumulation_steps": 4, "num_train_epochs": 20}),
    "held out": ("nano", SHOP, {"validation_split": 0.2, "num_train_epochs": 10}),
    "checkpointing": ("nano", SUPPORT, {"gradient_checkpointing": True, "num_train_epochs": 10}),
    "full": ("nano", SHOP, {"method": "full", "num_train_epochs": 6, "per_device_train_batch_size": 4}),
}


def measure(name: str) -> dict[str, Any]:
    """Return what a configuration was said to take, and what it took."""
    model, data, settings = CONFIGURATIONS[name]
    request = training_request(model, data, settings=settings)
    load = os.getloadavg()[0]
    said = request_plan(request, is_probed=True)["probe"]
    began = time.monotonic()
    result = start_training(plan_training(request))
    seconds = time.monotonic() - began
    return {
        "configuration": name,
        "steps": result["num_steps"],
        "said_seconds": said["seconds"],
        "seconds": round(seconds, 1),
        "time_off": round(said["seconds"] / seconds - 1, 3),
        "said_memory_bytes": said["memory_bytes"],
        "memory_bytes": result["peak_memory_bytes"],
        "memory_off": round(said["memory_bytes"] / result["peak_memory_bytes"] - 1, 3),
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
    }


def main() -> None:
    """Measure all configurations and write one JSON document."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["LLMLORA_HOME"] = home
        runs = [measure(name) for name in CONFIGURATIONS]
    document = {
        "command": "python benchmarks/estimates.py",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "limits": {"time": TIME_WITHIN, "memory": MEMORY_WITHIN},
        "runs": runs,
    }
    print(json.dumps(document, indent=2))
    target = ROOT / "benchmarks" / "results" / f"{document['date']}-probes.json"
    target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
