"""Train on disks of twenty sizes, all too small: a clear end, nothing lost, and it goes on after space is freed."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from cli.command_line import write_data
from llmlora.core.events import read_job_events, step_history
from llmlora.core.job import write_job
from llmlora.core.layout import checkpoint_dirs
from llmlora.core.publish import read_manifest, sha256_file
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import TrainRequest
from tiny_models import tiny_model

KILOBYTES = (
    96, 128, 192, 256, 384, 512, 768, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 6500, 7000, 8000, 9000, 10000,
)  # fmt: skip
SETTINGS = {"num_train_epochs": 4, "save_steps": 3, "dtype": "float32", "r": 64}


@contextmanager
def small_disk(place, kilobytes):
    """Mount an empty disk of some kilobytes; yields a function that makes it large."""
    place.mkdir(exist_ok=True)

    def mount(size, *options):
        words = ["mount", "-t", "tmpfs", "-o", ",".join([*options, f"size={size}k"]), "tmpfs", str(place)]
        return subprocess.run(words, capture_output=True).returncode == 0

    if not mount(kilobytes):
        pytest.skip("mounting needs root; tests/engine/test_resume.py injects a full disk at every call instead")
    try:
        yield lambda: mount(200_000, "remount")
    finally:
        subprocess.run(["umount", str(place)], check=True)


def work(folder):
    return subprocess.run([sys.executable, "-m", "llmlora.worker", "train", str(folder)], env=os.environ).returncode


def losses(folder):
    return [(entry["step"], entry["loss"]) for entry in step_history(folder)]


def adapter_hash(folder):
    return sha256_file(folder / "adapter" / "adapter_model.safetensors")


@pytest.mark.gate
def test_a_disk_of_any_size_that_is_too_small(tmp_path):
    base = tiny_model("llama", tmp_path / "base")
    job = plan_training(TrainRequest(str(base), write_data(tmp_path), settings=SETTINGS)).job
    whole = tmp_path / "whole"
    whole.mkdir()
    write_job(whole, job)
    assert work(whole) == 0
    for kilobytes in KILOBYTES:
        with small_disk(tmp_path / "disk", kilobytes) as enlarge:
            folder = tmp_path / "disk" / "job"
            folder.mkdir()
            write_job(folder, job)
            assert work(folder) == 1, f"{kilobytes} kB were enough"
            assert list(read_job_events(folder))[-1]["error"]["code"] == "disk_full"
            for _, _, path in checkpoint_dirs(folder):
                assert read_manifest(path) is not None, f"{kilobytes} kB: {path.name} is not whole"
            assert enlarge()
            assert work(folder) == 0
            assert (adapter_hash(folder), losses(folder)) == (adapter_hash(whole), losses(whole))
            assert not list(folder.rglob(".tmp-*"))
