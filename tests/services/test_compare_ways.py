"""All ways to give a model back, made and measured side by side."""

from contextlib import suppress
from pathlib import Path

import pytest

from llmlora.core.errors import VerificationFailed
from llmlora.core.job import read_job
from llmlora.core.layout import STITCHED
from llmlora.core.publish import read_json
from llmlora.services.export import export_model, plan_export
from served_jobs import served_jobs
from tiny_jobs import tiny_job


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return served_jobs(tmp_path_factory.mktemp("served"))[0]


def test_the_base_decides_which_ways_there_are(job, tmp_path):
    planned = plan_export(job, tmp_path / "out", compare=True)
    assert (planned.quantizations, planned.adapter) == ((STITCHED, "Q8_0", "Q4_K_M"), True)
    assert plan_export(job, tmp_path / "out", ["Q6_K"], compare=True).quantizations == (STITCHED, "Q6_K")
    of_folder = plan_export(tiny_job("llama", tmp_path, {}), tmp_path / "out", compare=True)
    assert (of_folder.quantizations, of_folder.adapter) == (("Q8_0", "Q4_K_M"), False)


def test_each_way_has_its_size_its_seconds_its_distance_and_its_facts(job, tmp_path, home):
    with suppress(VerificationFailed):  # random weights do not always end their answers
        export_model(job, tmp_path / "out", ["Q8_0"], compare=True)
    files = read_json(tmp_path / "out" / "meta.json")["files"]
    assert set(files) == {"model-stitched.gguf", "model-Q8_0.gguf", "adapter.gguf"}
    assert all(entry["seconds"] >= 0 and entry["size_bytes"] > 0 for entry in files.values())
    judged = {entry["file"]: entry for entry in read_json(tmp_path / "out" / "verify.json")["files"]}
    served = judged["adapter.gguf"]["served"]
    assert served["base"] == read_job(job).base_dir
    assert served["kl"] < 1e-3  # the base is F16, and so is nothing rounded
    assert served["size_bytes"] == files["adapter.gguf"]["size_bytes"] < Path(served["base"]).stat().st_size
    assert served["facts"]["num_kept"] == served["facts"]["num_known"]
    assert "served" not in judged["model-Q8_0.gguf"]
