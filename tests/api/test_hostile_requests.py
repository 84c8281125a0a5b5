"""Every operation of the OpenAPI document, asked wrongly in every way: refused in words, and the server lives on."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.clients import application, signed_in
from api.hostile_requests import Ids, Requests, assert_answered, operations
from llmlora.services import training_plan
from llmlora.services.probe import Measured

# A form that breaks off inside of a file: the framework drops what it has of it, and Python closes that.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SAMPLE, ALL = 4, 25  # of each operation: together some 340, and more than 2,000
ROWS = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(8)]


@cache
def documented():
    from docs.pages import ROOT

    return json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))


def without_probes(patch):
    """Make the measuring of a plan as quick as the other requests: it has tests of its own."""
    patch.setattr(training_plan, "measure_steps", lambda planned: Measured(1.0, 0.001, 0.0, 0.1, 1 << 30))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Return a client of a workspace with a dataset, a waiting job and an open upload, and requests about them."""
    patch = pytest.MonkeyPatch()
    patch.setenv("LLMLORA_HOME", str(tmp_path_factory.mktemp("home")))
    without_probes(patch)
    app = application()
    client = signed_in(app)
    dataset = client.post("/api/datasets", json={"name": "rows", "examples": ROWS}).json()["id"]
    wish = {"base_model": "nano", "dataset_id": dataset, "settings": {"max_steps": 1}}
    job = client.post("/api/training/jobs", json=wish).json()["id"]
    upload = client.post("/api/uploads", json={"name": "a.jsonl", "bytes": 10}).json()["id"]
    yield client, Requests(app.openapi(), Ids(job, dataset, upload))
    app.state.warm_models.wait_closed()
    app.state.platform.close()
    patch.undo()


def ask(asked, operation, number):
    client, requests = asked

    @settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def each(data):
        request = data.draw(requests.of(requests, operation))
        assert_answered(operation, request, client.request(**request))

    each()
    assert client.get("/healthz").json()["status"] == "ok"


EVERY = pytest.mark.parametrize("operation", list(operations(documented())), ids=str)


@EVERY
def test_hostile_requests_are_refused_in_words(asked, operation):
    ask(asked, operation, SAMPLE)


@pytest.mark.gate
@EVERY
def test_two_thousand_hostile_requests_are_refused_in_words(asked, operation):
    ask(asked, operation, ALL)
