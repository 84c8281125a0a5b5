"""Upload, train, merge and export on disks of twenty sizes, all too small.

A clear end, nothing lost, and it goes on after space is freed.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from api.clients import application, signed_in
from cli.command_line import write_data
from llmlora.core.events import read_job_events, step_history
from llmlora.core.job import read_job, write_job
from llmlora.core.layout import checkpoint_dirs
from llmlora.core.publish import read_manifest, sha256_file
from llmlora.export import sizes
from llmlora.services import room
from llmlora.services.export import PlannedExport, write_export
from llmlora.services.merge import PlannedMerge
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import TrainRequest
from llmlora.services.work_folder import write_work
from llmlora.worker.__main__ import main as worker
from tiny_jobs import tiny_job
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
        deadline = time.monotonic() + 10  # children that check files go a moment after who started them
        while subprocess.run(["umount", str(place)], capture_output=True).returncode:
            assert time.monotonic() < deadline, "somebody still works there"
            time.sleep(0.1)


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


ROWS = ({"instruction": f"Question {number}?", "output": f"{number} " * 2000} for number in range(1000, 1800))
CONTENT = "".join(json.dumps(row) + "\n" for row in ROWS).encode()  # 8 MB
UPLOAD_KILOBYTES = (
    900, 1000, 1200, 1400, 1600, 1800, 2000, 2300, 2600, 3000,
    3400, 3800, 4200, 4600, 5000, 5500, 6000, 6500, 7000, 7500,
)  # fmt: skip
FULL = (507, {"disk_full", "database_full"})


def whole_upload(client):
    return client.post("/api/datasets/upload", files={"file": ("data.jsonl", CONTENT)}, data={"name": "rows"})


def rest_of_upload(client, path):
    offset = int(client.head(path).headers["Upload-Offset"])
    return client.put(path, content=CONTENT[offset:], headers={"Upload-Offset": str(offset)})


def is_told(answer):
    return answer.status_code == FULL[0] and answer.json()["code"] in FULL[1] and bool(answer.json()["hint"])


@pytest.mark.gate
@pytest.mark.timeout(1800)
def test_an_upload_to_a_disk_of_any_size_that_is_too_small(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "RESERVE_BYTES", -(1 << 30))  # else nothing would be begun
    for kilobytes in UPLOAD_KILOBYTES:
        with small_disk(tmp_path / "disk", kilobytes) as enlarge:
            home = tmp_path / "disk"
            monkeypatch.setenv("LLMLORA_HOME", str(home))
            app = application()
            client = signed_in(app)
            begun = client.post("/api/uploads", json={"name": "rows.jsonl", "bytes": len(CONTENT)})
            assert begun.status_code == 201, (kilobytes, begun.text)
            path = f"/api/uploads/{begun.json()['id']}"
            assert is_told(rest_of_upload(client, path)), f"{kilobytes} kB were enough"
            kept = int(client.head(path).headers["Upload-Offset"])
            assert 0 < kept < len(CONTENT)
            assert is_told(whole_upload(client))
            assert client.get("/api/datasets").json()["items"] == []
            assert not list((home / "datasets").iterdir())
            assert enlarge()
            assert int(client.head(path).headers["Upload-Offset"]) == kept, "what has arrived was lost"
            assert rest_of_upload(client, path).json()["offset"] == len(CONTENT)
            for made in (client.post(f"{path}/dataset", json={}), whole_upload(client)):
                assert (made.status_code, made.json()["num_bytes"]) == (201, len(CONTENT)), made.text
                stored = home / "datasets" / made.json()["id"] / "data.jsonl"
                assert sha256_file(stored) == hashlib.sha256(CONTENT).hexdigest()
            app.state.platform.close()


@pytest.fixture(scope="module")
def finished_job(tmp_path_factory):
    sizes = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 4, "max_position_embeddings": 64}
    return tiny_job("llama", tmp_path_factory.mktemp("finished"), {}, **sizes)


def results(folder):
    """Return the hashes of what an export or a merge has made."""
    found = [*folder.rglob("*.gguf"), *folder.rglob("*.safetensors")]
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in found}


WORK = {
    "export": lambda job, output: PlannedExport(job, read_job(job).id, output, ("F16", "Q8_0"), adapter=True),
    "merge": lambda job, output: PlannedMerge(job, output),
}


def written(planned, folder):
    """Return the folder of planned work; that of an export is where its files go, too."""
    return write_export(planned) if planned.kind == "export" else write_work(planned, folder)


@pytest.mark.gate
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", WORK)
def test_a_result_for_a_disk_of_any_size_that_is_too_small(kind, finished_job, tmp_path, monkeypatch):
    """The worker itself, whose guess of what it needs is switched off: else it would refuse, and write nothing."""
    right = tmp_path / "right"
    assert run_work(kind, written(WORK[kind](finished_job, right), tmp_path / "work")) == 0
    whole, needed = results(right), sum(path.stat().st_size for path in right.rglob("*") if path.is_file())
    assert whole
    for share in range(1, 21):
        kilobytes = 100 + int(share / 20 * (needed // 1000 - 150))
        with small_disk(tmp_path / "disk", kilobytes) as enlarge:
            output = tmp_path / "disk" / "result"
            work_folder = written(WORK[kind](finished_job, output), tmp_path / "disk" / "work")
            assert run_work(kind, work_folder, is_guess_off=True) != 0, f"{kilobytes} kB were enough"
            told = list(read_job_events(work_folder))[-1]["error"]
            assert (told["error"], told["code"]) == ("DiskFull", "disk_full"), told
            assert results(output).items() <= whole.items(), f"{kilobytes} kB: half a file has its name"
            assert enlarge()
            assert run_work(kind, work_folder, is_guess_off=True) == 0
            assert results(output) == whole
            assert not list((tmp_path / "disk").rglob(".tmp-*"))


def run_work(kind, folder, is_guess_off=False):
    """Run the worker in a fork of this process, which has its libraries, and return its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if is_guess_off:
                sizes.disk_room = lambda path: (1 << 50, 0)
            code = worker([kind, str(folder)])
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
