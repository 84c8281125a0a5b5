"""Memory and disk arithmetic of a training run: what it needs at least, and which settings need less."""

from __future__ import annotations

import errno
from typing import Any, Final

from llmlora.core.config import MOST_MICRO_BATCHES, TrainConfig
from llmlora.core.next_run import settings_words

OUT_OF_MEMORY_WORDS: Final = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "bad_alloc",
    "failed to map segment",
)
SMALLEST_LENGTH: Final = 64
FLOAT32_BYTES: Final = 4
BITS_IN_LAYERS: Final = 4.5  # per weight of a base that is held in blocks: Q4_K
BITS_AT_ENDS: Final = 6.5625  # of embedding and output layer: Q6_K
ADAMW_FACTOR: Final = 3  # the weight and its two moments


def is_memory_error(error: BaseException) -> bool:
    """Tell whether an exception of any library means that memory ran out."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return tells_of_memory(str(error))


def tells_of_memory(text: str) -> bool:
    """Tell whether a message or the end of a log means that memory ran out."""
    return any(word in text.lower() for word in OUT_OF_MEMORY_WORDS)


def least_memory_bytes(num_parameters: int, num_trained: int, method: str, bytes_in_blocks: int = 0) -> int:
    """Return the bytes that weights, gradients and optimizer cannot do without; activations come on top.

    A frozen base takes 2 bytes per weight at best, or what its blocks take; trained weights are float32 with a gradient
    and two moments.
    """
    frozen = {"full": 0, "lora": 2 * num_parameters, "qlora": bytes_in_blocks}[method]
    return frozen + num_trained * FLOAT32_BYTES * (ADAMW_FACTOR + 1)


def disk_bytes(num_trained: int, num_kept: int, data_bytes: int) -> int:
    """Return about what a run writes at its peak.

    Checkpoints hold weights and moments in float32, and one more than is kept exists while it is written; then comes
    the result, and the prepared rows: 8 bytes per token of about 2 bytes of text, so four times the data file.
    """
    weights = num_trained * FLOAT32_BYTES
    return weights * ADAMW_FACTOR * (num_kept + 1) + weights + 4 * data_bytes + (8 << 20)


def smaller_values(config: TrainConfig, least_length: int | None = None) -> list[dict[str, Any]]:
    """Return settings that need less memory, mildest first: what keeps the result's meaning, then what changes it.

    A smaller micro-batch with more accumulation gives the same effective batch. `least_length` is the smallest
    max_length with which the rows can still be trained on; while it is not known, no shorter one is proposed.
    """
    proposals: list[dict[str, Any]] = []
    batch, total = config.per_device_train_batch_size, config.effective_batch_size
    equal = [size for size in range(1, batch // 2 + 1) if batch % size == 0 and total // size <= MOST_MICRO_BATCHES]
    if equal:
        smaller = max(equal)
        proposals.append(
            {"per_device_train_batch_size": smaller, "gradient_accumulation_steps": total // smaller},
        )
    if not config.gradient_checkpointing:
        proposals.append({"gradient_checkpointing": True})
    if batch > 1 and not equal:
        proposals.append({"per_device_train_batch_size": batch // 2})
    shorter = max(SMALLEST_LENGTH, config.max_length // 2, least_length or config.max_length)
    if shorter < config.max_length:
        proposals.append({"max_length": shorter})
    if config.method != "full" and config.r > 1 and config.init_adapter is None:
        proposals.append({"r": config.r // 2})
    if config.method == "lora":
        proposals.append({"method": "qlora"})
    return proposals


def smaller_settings(config: TrainConfig, least_length: int | None = None) -> list[str]:
    """Return what `smaller_values` does as `--set` words."""
    return [settings_words(values) for values in smaller_values(config, least_length)]
