"""Gates: pretrained GGUF files as bases, from Ollama's store and from a package, through the whole main job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmlora.core.events import step_history
from llmlora.export.base_check import check_opened
from llmlora.services.demo import plan_demo, run_demo
from llmlora.services.evaluate import evaluate
from llmlora.services.export import export_model
from llmlora.services.merge import merge
from llmlora.services.train import train
from llmlora.weights.base import open_gguf
from ollama_store import OllamaStore
from real_models import Name, original_gguf

pytestmark = [pytest.mark.gate, pytest.mark.timeout(3600), pytest.mark.usefixtures("home")]
SHOP = Path(__file__).resolve().parents[2] / "benchmarks" / "data"


def test_gemma_is_the_model_that_llamacpp_runs() -> None:
    """Its file is Q4_K_M: what llama.cpp rounds costs 0.02, what we read 5e-5."""
    measured = check_opened(open_gguf(original_gguf("gemma3")))
    assert measured["tokenizer"]["num_different"] == 0
    assert measured["unrounded"]["max_kl"] < 1e-3


def test_gemma_goes_the_whole_way_from_ollamas_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = OllamaStore(tmp_path / "store")
    monkeypatch.setenv("OLLAMA_MODELS", str(store.root))
    store.add("registry.ollama.ai/library/gemma3/270m", store.manifest([("model", original_gguf("gemma3"))]))
    before = sorted((path.name, path.stat().st_mtime_ns) for path in store.root.rglob("*"))
    job = tmp_path / "job"
    train("ollama:gemma3:270m", SHOP / "shop_ja.jsonl", out=job)
    facts = evaluate(job, SHOP / "shop_ja_questions.jsonl", check_forgetting=False)["facts"]
    assert facts["questions_carried"] >= 0.8 * facts["questions_with_facts"]
    assert merge(job, tmp_path / "merged")["num_tensors"] > 100
    assert export_model(job, tmp_path / "out", ("Q8_0",))["verify"]["ok"]
    assert sorted((path.name, path.stat().st_mtime_ns) for path in store.root.rglob("*")) == before


@pytest.mark.parametrize("name", ["smollm2", "gemma3"])
def test_a_real_model_trains_to_the_same_losses_in_its_own_blocks(name: Name, tmp_path: Path) -> None:
    settings = {"max_steps": 6, "dtype": "bfloat16", "learning_rate": 1e-3}
    found = {}
    for method in ("lora", "qlora"):
        train(str(original_gguf(name)), SHOP / "shop_ja.jsonl", out=tmp_path / method, method=method, **settings)
        found[method] = [step["loss"] for step in step_history(tmp_path / method)]
    print(found)
    assert len(found["qlora"]) == 6
    assert found["qlora"] == pytest.approx(found["lora"], abs=1e-3)
    assert found["qlora"][-1] < found["qlora"][0]


def test_the_demo_teaches_smollm2_its_ten_rows(tmp_path: Path) -> None:
    planned = plan_demo(tmp_path / "demo", "smollm2")
    result = run_demo(planned, tmp_path / "demo", lambda event: None, lambda stage: None)
    facts = result.evaluation["facts"]
    assert facts["questions_carried"] >= 8
    assert facts["questions_with_facts"] == 10
    assert result.export["verify"]["ok"]
    assert "$6.99" in result.answer
    assert json.loads(json.dumps(result.to_dict()))["base_model"] == "smollm2"
