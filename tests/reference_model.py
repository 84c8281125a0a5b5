"""What a model folder says through transformers in float32: the truth that GGUF files are compared with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from llmlora.gguf.writer import FloatType, write_gguf
from llmlora.weights.folder_source import FolderSource

END_TOKENS = ("<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "</s>", "<eos>", "<end_of_turn>")
# Largest difference of log-probabilities over the whole vocabulary in an F32 file. llama.cpp looks GELU up in a table
# of 16-bit floats, which costs more than all the rest.
EXACT, EXACT_WITH_GELU = 5e-5, 5e-3
# The same in an F16 file.
HALF = 2e-2


def load_reference(folder: Path) -> Any:
    """Return the folder's model in float32, ready to answer."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@torch.inference_mode()
def logprobs_of(model: Any, contexts: Sequence[Sequence[int]]) -> np.ndarray:
    """Return next-token log-probabilities, shape (contexts, vocabulary)."""
    rows = [model(torch.tensor([list(context)])).logits[0, -1].float().log_softmax(-1) for context in contexts]
    return torch.stack(rows).numpy()


@torch.inference_mode()
def greedy_shortfall(model: Any, context: Sequence[int], chosen: Sequence[int], banned: Sequence[int] = ()) -> float:
    """Return by how much (in logits) the worst chosen token falls short of the likeliest at its place.

    0 for the model's own greedy choices; a near tie costs no more than the file's inexactness, so a limit of twice the
    largest difference of log-probabilities is fair.
    """
    ids = [*context, *chosen]
    logits = model(torch.tensor([ids])).logits[0, len(context) - 1 : -1].float()
    logits[:, list(banned)] = -torch.inf
    taken = logits.gather(1, torch.tensor(chosen)[:, None])[:, 0]
    return float((logits.max(dim=-1).values - taken).max())


def end_ids(folder: Path) -> list[int]:
    """Return the ids of tokens that llama.cpp stops at, and never chooses when it is told not to stop."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found = (tokenizer.token_to_id(name) for name in END_TOKENS)
    return [token for token in found if token is not None]


def random_contexts(vocab_size: int, lengths: Sequence[int] = (3, 17, 60), seed: int = 0) -> list[list[int]]:
    """Return token ids drawn at random; the first few, which are special in every tokenizer, are left out."""
    random = np.random.default_rng(seed)
    return [random.integers(8, vocab_size, length).tolist() for length in lengths]


def config_of(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def export(folder: Path, output: Path, file_type: FloatType = "F32") -> Path:
    """Write a model folder as GGUF and return the file."""
    write_gguf(FolderSource(folder), config_of(folder), folder, output, file_type, "llmlora-test")
    return output
