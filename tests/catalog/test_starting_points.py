"""The curated list says of every model what the issue asks for, in values that commands take."""

from __future__ import annotations

from datetime import date

from llmlora.catalog.ollama_name import OllamaName
from llmlora.catalog.starting_points import starting_points
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS

FIELDS = {
    "id", "languages", "num_parameters", "license", "gated", "ollama", "preset", "training_preset", "source", "date",
    "confirmed",
}  # fmt: skip
ASKED_FOR = (
    "llm-jp-3-150m", "llm-jp-3-440m", "llm-jp-3-980m", "sarashina2.2-0.5b", "sarashina2.2-1b", "TinySwallow-1.5B",
    "Qwen2.5-0.5B", "Qwen3-1.7B", "gemma-3-270m", "gemma-3-1b", "Llama-3.2-1B", "Swallow", "ELYZA", "rinna", "calm3",
    "Llama-2-7b", "DeepSeek-R1-Distill-Qwen-32B",
)  # fmt: skip


def test_every_entry_is_complete() -> None:
    for entry in starting_points():
        assert set(entry) == FIELDS
        assert entry["source"].endswith(entry["id"])
        assert date.fromisoformat(entry["date"])
        assert entry["preset"] in LORA_PRESETS
        assert entry["training_preset"] is None or entry["training_preset"] in TRAINING_PRESETS
        assert entry["license"] and entry["num_parameters"] > 1e8
        assert entry["ollama"] is None or str(OllamaName.parse(entry["ollama"])) == entry["ollama"]


def test_what_was_asked_for_is_there_and_japanese_comes_first() -> None:
    ids = [entry["id"] for entry in starting_points()]
    assert len(set(ids)) == len(ids)
    assert all(any(name in entry for entry in ids) for name in ASKED_FOR)
    assert all("ja" in entry["languages"] for entry in starting_points()[:10])
