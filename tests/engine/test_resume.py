"""Whatever interrupts a run, going on gives the uninterrupted result to the bit: losses, weights and moments."""

import errno
import random
import shutil

import pytest
from safetensors.torch import load_file, save_file

from engine.crashes import Killed, dying_at
from engine.engine_runs import MemoryRows, StopAfter, losses, run_job, tiny_llama, trained_weights
from llmlora.core.config import VALUES_IN_OLDER_JOBS
from llmlora.core.errors import Conflict, DiskFull, Stopped
from llmlora.core.events import read_job_events, step_history
from llmlora.core.job import stored_settings
from llmlora.core.layout import checkpoint_dirs
from llmlora.core.publish import (
    is_disk_full,
    publishing_dir,
    read_json,
    read_manifest,
    sha256_file,
    sha256_json,
    write_json,
)
from llmlora.engine.batch import Subset
from llmlora.engine.checkpoint import OPTIMIZER_FILE, STATE_FILE, WEIGHTS_FILE, find_checkpoint, prune_checkpoints

# PEFT's advice about tied output layers; the tiny model is tied, and one variant trains lm_head in full
pytestmark = pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")
ROWS = MemoryRows(17)
STAGES = [{"learning_rate": 1e-2, "epochs": 1.5}, {"learning_rate": 1e-3, "epochs": 1}]
VARIANTS = {
    "lora with dropout": {"lora_dropout": 0.1},
    "full": {"method": "full", "learning_rate": 1e-3, "weight_decay": 0.1},
    "accumulation": {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4, "lora_dropout": 0.1},
    "padded": {"packing": False, "lora_dropout": 0.1},
    "steps and cosine": {"save_steps": 2, "lr_scheduler_type": "cosine", "warmup_steps": 3},
    "dora": {"use_dora": True, "save_steps": 3},
    "qlora": {"method": "qlora", "lora_dropout": 0.1},
    "rslora": {"use_rslora": True, "target_modules": ["q_proj", "v_proj"]},
    "modules to save": {"modules_to_save": ["lm_head"], "layers": [1]},
    "staged": {"lr_scheduler_type": "staged", "stages": STAGES, "save_steps": 1},
    "fractional epochs": {"num_train_epochs": 2.3, "save_steps": 4},
    "checkpointing": {"gradient_checkpointing": True, "lora_dropout": 0.1},
    "validation": {"held_out": True, "eval_steps": 2, "save_steps": 3},
    "early stopping": {"held_out": True, "early_stopping_patience": 1, "early_stopping_min_delta": 0.5},
    "best of all": {"held_out": True, "load_best_model_at_end": True, "eval_steps": 1},
    "from an adapter": {"init_adapter": True, "lora_dropout": 0.1},
}


class Bench:
    """Runs variants of one job, and keeps the uninterrupted run of each."""

    def __init__(self, folder):
        self.folder, self.base, self.whole_runs = folder, tiny_llama(folder), {}

    def run(self, folder, settings, stop=False):
        settings = dict(settings)
        rows, held_out = ROWS, None
        if settings.pop("held_out", False):
            rows, held_out = Subset(ROWS, range(12)), Subset(ROWS, range(12, 17))
        if settings.get("init_adapter"):
            settings["init_adapter"] = str(self.adapter())
        return run_job(self.base, folder, rows, eval_rows=held_out, stop=stop, **settings)

    def adapter(self):
        if not (self.folder / "adapter").exists():
            first = run_job(self.base, self.folder / "first", ROWS, max_steps=3)
            first.model.save_pretrained(self.folder / "adapter")
        return self.folder / "adapter"

    def whole(self, name):
        """Return the folder of the uninterrupted run and how often it touched the disk."""
        if name not in self.whole_runs:
            self.adapter()  # made before anything is counted
            folder = self.folder / f"whole-{len(self.whole_runs)}"
            with dying_at() as calls:
                self.run(folder, VARIANTS[name])
            self.whole_runs[name] = (folder, calls.count)
        return self.whole_runs[name]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("resume"))


def outcome(folder):
    """Return everything that must be the same: each loss as hex, each measurement, the last weights and moments."""
    steps = [(entry["step"], entry["loss"].hex(), entry["grad_norm"].hex()) for entry in step_history(folder)]
    measured = {
        event["step"]: event["metrics"]["eval_loss"].hex()
        for event in read_job_events(folder)
        if event["type"] == "evaluation"
    }
    last = checkpoint_dirs(folder)[-1][2]
    hashes = {name: sha256_file(last / name) for name in ("weights.safetensors", "optimizer.safetensors")}
    state = read_json(last / "state.json")
    del state["seconds"]
    return {"steps": steps, "measured": measured, "hashes": hashes, "state": state}


def killed_and_resumed(bench, folder, name, point):
    with pytest.raises(Killed), dying_at(point):
        bench.run(folder, VARIANTS[name])
    bench.run(folder, VARIANTS[name])
    leftovers = [path.name for path in (folder / "runs").glob("*/checkpoints/.tmp-*")]
    assert leftovers == []
    return outcome(folder)


@pytest.mark.parametrize("name", VARIANTS)
def test_killed_and_resumed_equals_uninterrupted(bench, tmp_path, name):
    whole, num_calls = bench.whole(name)
    point = random.Random(name).randint(num_calls // 3, num_calls)
    assert killed_and_resumed(bench, tmp_path / "killed", name, point) == outcome(whole)


@pytest.mark.gate
@pytest.mark.parametrize("name", VARIANTS)
def test_killed_at_three_moments_each(bench, tmp_path, name):
    whole, num_calls = bench.whole(name)
    dice = random.Random(f"gate {name}")
    for third in range(3):
        point = dice.randint(1 + third * num_calls // 3, (third + 1) * num_calls // 3)
        killed = killed_and_resumed(bench, tmp_path / f"killed-{third}", name, point)
        assert killed == outcome(whole), f"killed at call {point} of {num_calls}"


@pytest.mark.gate
def test_killed_at_every_write_fsync_and_rename(bench, tmp_path):
    """The crash-point sweep of checkpoints (S3): each call of a run that saves after every second step."""
    whole, num_calls = bench.whole("steps and cosine")
    assert num_calls > 100
    for point in range(1, num_calls + 1):
        killed = killed_and_resumed(bench, tmp_path / "killed", "steps and cosine", point)
        assert killed == outcome(whole), f"killed at call {point} of {num_calls}"
        shutil.rmtree(tmp_path / "killed")


def full_and_resumed(bench, folder, point):
    """Let the disk be full at one call; return the outcome after going on, and what the failure was."""
    settings = VARIANTS["steps and cosine"]
    with dying_at(point, OSError(errno.ENOSPC, "No space left on device")), pytest.raises(Exception) as caught:
        bench.run(folder, settings)
    assert is_disk_full(caught.value) or isinstance(caught.value, DiskFull), repr(caught.value)
    for events in folder.glob("runs/*/events.jsonl"):
        assert events.read_bytes()[-1:] in (b"", b"\n"), "half a line"
    for _, _, path in checkpoint_dirs(folder):
        assert read_manifest(path) is not None, f"{path.name} is not whole"
    bench.run(folder, settings)
    return outcome(folder)


@pytest.mark.parametrize("share", [0.1, 0.35, 0.6, 0.85, 1.0])
def test_a_full_disk_costs_nothing_that_was_there(bench, tmp_path, share):
    whole, num_calls = bench.whole("steps and cosine")
    assert full_and_resumed(bench, tmp_path / "full", max(1, int(num_calls * share))) == outcome(whole)


@pytest.mark.gate
def test_a_full_disk_at_every_call(bench, tmp_path):
    whole, num_calls = bench.whole("steps and cosine")
    for point in range(1, num_calls + 1):
        assert full_and_resumed(bench, tmp_path / "full", point) == outcome(whole), f"call {point} of {num_calls}"
        shutil.rmtree(tmp_path / "full")


def test_killed_twice_the_second_time_while_resuming(bench, tmp_path):
    whole, num_calls = bench.whole("steps and cosine")
    settings = VARIANTS["steps and cosine"]
    for point in (num_calls // 2, num_calls // 4):
        with pytest.raises(Killed), dying_at(point):
            bench.run(tmp_path / "job", settings)
    bench.run(tmp_path / "job", settings)
    assert outcome(tmp_path / "job") == outcome(whole)


@pytest.mark.parametrize("looks", [1, 7, 13])
def test_stopped_and_resumed_equals_uninterrupted(bench, tmp_path, looks):
    whole, _ = bench.whole("lora with dropout")
    with pytest.raises(Stopped) as caught:
        bench.run(tmp_path / "stopped", VARIANTS["lora with dropout"], stop=StopAfter(looks))
    assert caught.value.has_checkpoint == (caught.value.params["step"] > 0)
    resumed = bench.run(tmp_path / "stopped", VARIANTS["lora with dropout"])
    assert outcome(tmp_path / "stopped") == outcome(whole)
    assert resumed.summary()["final_loss"] == pytest.approx(losses(whole)[-1], abs=1)


@pytest.mark.parametrize("looks", range(1, 12, 2))
def test_a_stop_inside_an_evaluation_is_measured_again(bench, tmp_path, looks):
    """Evaluations look for a stop too; what they had not finished is owed to the next attempt, never left out."""
    whole, _ = bench.whole("validation")
    with pytest.raises(Stopped):
        bench.run(tmp_path / "stopped", VARIANTS["validation"], stop=StopAfter(looks))
    bench.run(tmp_path / "stopped", VARIANTS["validation"])
    assert outcome(tmp_path / "stopped") == outcome(whole)


def test_a_finished_run_stays_finished(bench, tmp_path):
    """The worker may die between the last step and the published adapter: going on takes no further step."""
    name = "early stopping"
    whole, _ = bench.whole(name)
    copy = shutil.copytree(whole, tmp_path / "job")
    again = bench.run(copy, VARIANTS[name])
    assert again.state.is_finished
    assert outcome(copy) == outcome(whole)
    assert not [event for event in read_job_events(copy) if event["run"] == 2 and event["type"] == "step"]


@pytest.fixture(scope="module")
def two_checkpoints(bench):
    """A stopped job with the checkpoints of steps 2 and 4, and its settings as they are stored."""
    folder = bench.folder / "two"
    with pytest.raises(Stopped):
        bench.run(folder, {"save_steps": 2}, stop=StopAfter(4))
    found = checkpoint_dirs(folder)
    assert [step for step, _, _ in found] == [2, 4]
    return folder, stored_settings(folder)


def damage(path, kind):
    data = path.read_bytes()
    if kind == "missing":
        path.unlink()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "half":
        path.write_bytes(data[: len(data) // 2])
    else:
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


FILES = ("weights.safetensors", "optimizer.safetensors", "state.json", "MANIFEST.json")
DAMAGES = ("missing", "empty", "half", "bit flip")


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("both", [False, True], ids=["the newest", "both"])
def test_damage_is_found_and_passed_over(two_checkpoints, tmp_path, file, kind, both):
    """S4: 8 files (the four of both checkpoints), each damaged in four ways."""
    folder, settings = two_checkpoints
    job = shutil.copytree(folder, tmp_path / "job")
    older, newer = (path for _, _, path in checkpoint_dirs(job))
    damage(newer / file, kind)
    if both:
        damage(older / file, kind)
    path, damaged = find_checkpoint(job, settings)
    assert path == (None if both else older)
    assert damaged == (2 if both else 1)
    assert [entry for _, _, entry in checkpoint_dirs(job)] == ([] if both else [older])


def test_a_run_goes_on_from_the_whole_checkpoint_and_says_so(bench, two_checkpoints, tmp_path):
    folder, _ = two_checkpoints
    job = shutil.copytree(folder, tmp_path / "job")
    damage(checkpoint_dirs(job)[-1][2] / "weights.safetensors", "bit flip")
    resumed = bench.run(job, {"save_steps": 2})
    whole = run_job(bench.base, tmp_path / "whole", ROWS, save_steps=2)
    left, right = trained_weights(whole), trained_weights(resumed)
    assert all(bool((left[name] == right[name]).all()) for name in left)
    warnings = [event for event in read_job_events(job) if event["type"] == "warning"]
    assert [(event["code"], event["params"]) for event in warnings] == [
        ("damaged_checkpoint", {"count": 1, "resumed_step": 2})
    ]


def test_damaged_checkpoints_never_push_out_whole_ones(two_checkpoints, tmp_path):
    """With step 4 damaged, the next save must not count it among the two that are kept."""
    folder, settings = two_checkpoints
    job = shutil.copytree(folder, tmp_path / "job")
    older, newer = (path for _, _, path in checkpoint_dirs(job))
    damage(newer / "state.json", "half")
    find_checkpoint(job, settings)
    (job / "runs" / "2" / "checkpoints").mkdir(parents=True)
    shutil.copytree(older, job / "runs" / "2" / "checkpoints" / "step-00000003")
    prune_checkpoints(job, 2)
    assert [step for step, _, _ in checkpoint_dirs(job)] == [2, 3]


def test_changed_settings_are_refused_instead_of_starting_over(two_checkpoints, tmp_path):
    folder, settings = two_checkpoints
    job = shutil.copytree(folder, tmp_path / "job")
    with pytest.raises(Conflict) as caught:
        find_checkpoint(job, {**settings, "seed": 1, "lora_alpha": 99})
    assert caught.value.code == "config_changed"
    assert caught.value.params["names"] == "lora_alpha, seed"
    assert [step for step, _, _ in checkpoint_dirs(job)] == [2, 4]


def written_by_an_older_version(folder):
    """Rewrite a stopped job as a version wrote it that had no `packing` and listed its settings in another order."""
    config = read_json(folder / "config.json")
    settings = {name: config["train"][name] for name in reversed(config["train"]) if name != "packing"}
    write_json(folder / "config.json", {**config, "train": settings})
    for _, _, checkpoint in checkpoint_dirs(folder):
        manifest = read_json(checkpoint / "MANIFEST.json")
        del manifest["train"], manifest["manifest_sha256"]
        write_json(checkpoint / "MANIFEST.json", {**manifest, "config_digest": sha256_json(settings)})
    return settings


def test_a_job_of_an_older_version_goes_on_to_the_bit(bench, tmp_path, monkeypatch):
    """Settings that came later have in it what it did without them, here `packing: false`, the old behaviour."""
    whole, _ = bench.whole("padded")
    folder = tmp_path / "old"
    with pytest.raises(Stopped):
        bench.run(folder, VARIANTS["padded"], stop=StopAfter(6))
    settings = written_by_an_older_version(folder)
    monkeypatch.setitem(VALUES_IN_OLDER_JOBS, "packing", False)
    bench.run(folder, {})
    assert outcome(folder) == outcome(whole)
    assert any(event.get("name") == "resuming" for event in read_job_events(folder))
    assert stored_settings(folder) == settings, "a resume leaves the stored settings as they are"


def test_a_changed_setting_of_an_older_job_is_still_refused(two_checkpoints, tmp_path):
    job = shutil.copytree(two_checkpoints[0], tmp_path / "job")
    settings = written_by_an_older_version(job)
    assert find_checkpoint(job, settings)[0] is not None
    with pytest.raises(Conflict):
        find_checkpoint(job, {**settings, "seed": 1})


def test_no_checkpoint_means_starting_over(bench, tmp_path):
    name = "lora with dropout"
    whole, _ = bench.whole(name)
    with pytest.raises(Stopped):
        bench.run(tmp_path / "stopped", VARIANTS[name], stop=StopAfter(4))
    shutil.rmtree(tmp_path / "stopped" / "runs" / "1" / "checkpoints")
    bench.run(tmp_path / "stopped", VARIANTS[name])
    assert outcome(tmp_path / "stopped") == outcome(whole)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("versions", {"torch": "1.0"}),  # of another major version
        ("versions", {"transformers": "99.0.0"}),
        ("plan", {"device": "mps"}),
    ],
    ids=["torch", "transformers", "device"],
)
def test_other_versions_or_a_device_that_is_gone_go_on_and_say_that_it_is_inexact(
    bench, two_checkpoints, tmp_path, part, change
):
    folder, _ = two_checkpoints
    job = shutil.copytree(folder, tmp_path / "job")
    record = job / "runs" / "1" / "environment.json"
    environment = read_json(record)
    write_json(record, {**environment, part: {**environment[part], **change}})
    resumed = bench.run(job, {"save_steps": 2})
    assert resumed.plan.device != "mps"
    assert resumed.state.step == len(losses(job)) == 15
    events = list(read_job_events(job))
    assert [event["params"]["exact"] for event in events if event.get("name") == "resuming"] == [False]
    assert [event["code"] for event in events if event["type"] == "warning"] == ["inexact_resume"]


@pytest.mark.parametrize("fault", ["another name", "another shape", "one more"])
def test_a_checkpoint_whose_weights_do_not_fit_is_refused_whole(bench, two_checkpoints, tmp_path, fault):
    """As another version of the libraries may name or shape them; the checkpoint itself is whole."""
    job = shutil.copytree(two_checkpoints[0], tmp_path / "job")
    newest = checkpoint_dirs(job)[-1][2]
    weights = load_file(newest / WEIGHTS_FILE)
    name = min(weights)
    if fault == "another shape":
        weights[name] = weights[name][:1].contiguous()  # one that would be spread over all rows
    else:
        weights["other.weight"] = weights.pop(name) if fault == "another name" else weights[name].clone()
    manifest = {key: value for key, value in read_manifest(newest).items() if key != "files"}
    with publishing_dir(newest, manifest) as folder:
        for file in (OPTIMIZER_FILE, STATE_FILE):
            shutil.copy(newest / file, folder)
        save_file(weights, folder / WEIGHTS_FILE)
    with pytest.raises(Conflict) as caught:
        bench.run(job, {"save_steps": 2})
    assert caught.value.code == "checkpoint_other_weights"
    assert caught.value.params["names"].split(", ")[0] in {name, "other.weight"}


def test_a_run_killed_before_it_recorded_anything_is_no_obstacle(bench, two_checkpoints, tmp_path):
    folder, _ = two_checkpoints
    job = tmp_path / "job"
    (job / "runs" / "1").mkdir(parents=True)
    shutil.copytree(folder / "runs" / "1", job / "runs" / "2")
    resumed = bench.run(job, {"save_steps": 2})
    events = list(read_job_events(job))
    assert [event["params"]["exact"] for event in events if event.get("name") == "resuming"] == [True]
    assert resumed.state.step == 15
