"""All ways to give a model back: which there are."""

import pytest

from llmlora.core.layout import STITCHED
from llmlora.services.export import plan_export
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
