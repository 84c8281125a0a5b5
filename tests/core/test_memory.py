"""Memory and disk arithmetic, and the settings proposed when memory ran out."""

import errno

import pytest

from llmlora.core.config import TrainConfig, build_config
from llmlora.core.memory import disk_bytes, is_memory_error, least_memory_bytes, smaller_settings


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("std::bad_alloc"), True),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (RuntimeError("size mismatch for lm_head.weight"), False),
    ],
)
def test_lack_of_memory_is_recognised_in_any_librarys_words(error, expected):
    assert is_memory_error(error) == expected


LEAST = 20  # tokens that the rows of these tests need


def applied(proposal, config):
    words = dict(word.split("=") for word in proposal.split() if "=" in word)
    return build_config({**config.model_dump(), **words})


@pytest.mark.parametrize(("batch", "accumulation"), [(8, 1), (6, 2), (3, 1), (7, 4), (2, 16), (4096, 1)])
def test_a_smaller_micro_batch_keeps_the_effective_batch(batch, accumulation):
    config = TrainConfig(per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation)
    smaller = applied(smaller_settings(config)[0], config)
    assert smaller.effective_batch_size == config.effective_batch_size
    assert smaller.per_device_train_batch_size <= batch // 2


def test_every_proposal_is_a_setting_that_needs_less():
    config = TrainConfig(max_length=100, r=9)
    proposals = smaller_settings(config, LEAST)
    assert len(proposals) == 5
    assert applied(proposals[4], config).method == "qlora"
    assert applied(proposals[1], config).gradient_checkpointing
    assert applied(proposals[2], config).max_length == 64  # never below what a short answer needs
    assert applied(proposals[3], config).r == 4


@pytest.mark.parametrize(("least", "proposed"), [(20, "500"), (600, "600"), (1000, None), (None, None)])
def test_no_length_is_proposed_that_leaves_a_row_without_an_answer(least, proposed):
    words = " ".join(smaller_settings(TrainConfig(max_length=1000), least))
    assert (f"max_length={proposed}" in words) if proposed else "max_length" not in words


def test_what_is_already_smallest_is_not_proposed():
    smallest = TrainConfig(
        method="qlora", per_device_train_batch_size=1, gradient_checkpointing=True, max_length=64, r=1
    )
    assert smaller_settings(smallest, LEAST) == []
    assert smaller_settings(TrainConfig(method="full", per_device_train_batch_size=1, max_length=64), LEAST) == [
        "--set gradient_checkpointing=true"
    ]


def test_applying_the_proposals_again_and_again_ends():
    config = TrainConfig(per_device_train_batch_size=12, max_length=2048, r=100)
    for _ in range(40):
        proposals = smaller_settings(config, LEAST)
        if not proposals:
            break
        config = applied(proposals[0], config)
    assert smaller_settings(config, LEAST) == []
    assert config.effective_batch_size == 12


def test_the_least_memory_of_full_training_is_sixteen_bytes_per_weight():
    assert least_memory_bytes(1000, 1000, "full") == 16_000
    assert least_memory_bytes(1000, 10, "lora") == 2_000 + 160
    assert least_memory_bytes(1000, 10, "qlora", 600) == 600 + 160


def test_the_disk_holds_every_kept_checkpoint_and_one_more():
    more = disk_bytes(1_000_000, 3, 0) - disk_bytes(1_000_000, 2, 0)
    assert more == 12_000_000  # weights and two moments, in float32
    assert disk_bytes(1_000_000, 2, 10**6) - disk_bytes(1_000_000, 2, 0) == 4 * 10**6
