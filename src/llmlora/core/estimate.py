"""About how long a run takes on a CPU and how much memory it needs, from counts alone.

The constants fit measured runs (benchmarks/results/2026-11-29-estimates.json). What a row and a machine make of them
differs, so the time is a range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from llmlora.core.config import TrainConfig
from llmlora.core.memory import ADAMW_FACTOR, FLOAT32_BYTES

BYTES_PER_TOKEN: Final = 3.3  # of UTF-8 text, Japanese and English alike
TEMPLATE_TOKENS: Final = 12
PASSES_FROZEN: Final = 4  # operations per weight and token: forward 2, gradients of the activations 2
PASSES_FULL: Final = 6  # and the gradients of the weights
RECOMPUTED: Final = 2  # the forward pass once more, for checkpointing
ATTAINED: Final = 0.5  # of the speed of large products, by the small ones of few rows
LAYER_SECONDS: Final = 0.01  # one layer's fixed cost per micro-batch, however few its tokens
START_SECONDS: Final = 4.0  # libraries, tokenising, publishing
LOADED_BYTES_PER_SECOND: Final = 200e6
LEARNED_SHARE: Final = 0.5  # of the tokens; the output layer computes no others
# The range: from a little faster than estimated while half of what else runs goes on, to slower beside all of it.
FASTER: Final = 1.3
SLOWER: Final = 1.5
SHARING: Final = 1.1
RUNTIME_BYTES: Final = 420_000_000  # Python, PyTorch and transformers, before any model
SAVED_ACTIVATIONS: Final = 3  # numbers kept per output of a linear layer
LOGIT_COPIES: Final = 2
BLOCKS_PER_SECOND: Final = 1e9  # weights that come out of blocks, on one core


@dataclass(frozen=True, slots=True)
class Workload:
    """What decides time and memory, beside the settings: sizes of the model, the rows and the run."""

    num_parameters: int
    num_trained: int
    num_layers: int
    num_outputs: int  # of all linear layers together
    num_layer_weights: int  # of all linear layers together
    vocab_size: int
    bytes_in_blocks: int  # of the base, where it stays in blocks
    num_rows: int
    num_steps: int
    steps_per_epoch: int
    bytes_per_row: float

    @property
    def num_head_weights(self) -> int:
        """The weights of the output layer, or of the embeddings, which are the same size."""
        return max(0, self.num_parameters - self.num_layer_weights)

    @property
    def tokens_per_row(self) -> float:
        """About how many tokens a row has."""
        return self.bytes_per_row / BYTES_PER_TOKEN + TEMPLATE_TOKENS


@dataclass(frozen=True, slots=True)
class Speed:
    """What this machine does: products per second in billions of operations, weight bytes, and how busy it is.

    `slowdown` is how many times as long everything takes because of what else runs now.
    """

    gflops: float
    bytes_per_weight: int
    slowdown: float = 1.0


def estimated_seconds(work: Workload, config: TrainConfig, speed: Speed) -> tuple[float, float]:
    """Return from when to when a run probably ends, in seconds from its start."""
    num_row_passes = work.num_steps / work.steps_per_epoch * work.num_rows
    micro_batches = max(work.num_steps, num_row_passes / config.per_device_train_batch_size)
    passes = PASSES_FULL if config.method == "full" else PASSES_FROZEN
    if config.gradient_checkpointing:
        passes += RECOMPUTED
    weights = work.num_layer_weights + LEARNED_SHARE * work.num_head_weights
    operations = passes * weights * min(work.tokens_per_row, config.max_length) * num_row_passes
    computing = operations / (ATTAINED * speed.gflops * 1e9) + micro_batches * work.num_layers * LAYER_SECONDS
    if config.method == "qlora":
        computing += micro_batches * (passes // 2) * work.num_parameters / BLOCKS_PER_SECOND
    seconds = START_SECONDS + work.num_parameters * FLOAT32_BYTES / LOADED_BYTES_PER_SECOND + computing
    low, high = max(1.0, speed.slowdown / 2) / FASTER, max(SLOWER, speed.slowdown * SHARING)
    return seconds * low, seconds * high


def estimated_memory(work: Workload, config: TrainConfig, speed: Speed) -> int:
    """Return about how many bytes of memory a run needs at its peak; measured runs stay within a quarter of it."""
    rows = min(work.num_rows, config.per_device_train_batch_size)
    tokens = rows * min(work.tokens_per_row, config.max_length)
    kept = 1 / max(1, work.num_layers) if config.gradient_checkpointing else 1
    return round(
        RUNTIME_BYTES
        + _weight_bytes(work, config.method, speed.bytes_per_weight)
        + work.num_trained * FLOAT32_BYTES * (ADAMW_FACTOR + 1)
        + tokens * work.num_outputs * SAVED_ACTIVATIONS * FLOAT32_BYTES * kept
        + tokens * work.vocab_size * LOGIT_COPIES * FLOAT32_BYTES
    )


def _weight_bytes(work: Workload, method: str, bytes_per_weight: int) -> int:
    """Return the bytes of the weights that are computed with, those that train left out.

    Layers count twice: the libraries that multiply keep a copy of the weights in an order of their own. Of a base in
    blocks one matrix at a time is there as numbers, at most the output layer.
    """
    if method == "qlora":
        return work.bytes_in_blocks + 2 * work.num_head_weights * bytes_per_weight
    frozen = 0 if method == "full" else work.num_parameters
    return (frozen + work.num_layer_weights) * bytes_per_weight
