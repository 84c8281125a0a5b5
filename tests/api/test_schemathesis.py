"""Every operation of the OpenAPI document, asked as schemathesis does: no 500, and answers as promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from api.clients import TOKEN, application
from api.test_hostile_requests import without_probes

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
ENDLESS = "/api/events"  # tests/api/test_events.py
SAMPLE, ALL = 2, 30  # of each operation
UNAVAILABLE = (503, 507)
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Host": "127.0.0.1:8000"}
# A form that breaks off inside of a file: the framework drops what it has of it, and Python closes that.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def interface(tmp_path_factory):
    """Return the interface of a server with an empty workspace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMLORA_HOME", str(tmp_path_factory.mktemp("home")))
        without_probes(patch)
        app = application()
        yield schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HEADERS)
        app.state.warm_models.wait_closed()
        app.state.platform.close()


def operations():
    """Return (path, method) of every operation of the committed document whose answer ends."""
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    return [(path, method) for path, methods in paths.items() for method in methods if path != ENDLESS]


CONFORMING = ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]


def ask(interface, path, method, number):
    operation = interface[path][method]

    @settings(
        max_examples=number, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask_one(case):
        response = case.call(headers=HEADERS)
        documented = operation.definition.raw["responses"]
        status = response.status_code
        assert status < 500 or (status in UNAVAILABLE and str(status) in documented), (status, response.text[:500])
        case.validate_response(response, checks=CHECKS.get_by_names(CONFORMING), headers=HEADERS)

    ask_one()


@pytest.mark.parametrize(("path", "method"), operations())
def test_every_operation_keeps_its_promises(interface, path, method):
    ask(interface, path, method, SAMPLE)


@pytest.mark.gate
@pytest.mark.parametrize(("path", "method"), operations())
def test_every_operation_keeps_its_promises_in_depth(interface, path, method):
    ask(interface, path, method, ALL)
