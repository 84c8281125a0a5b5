"""Every operation of the OpenAPI document, asked as schemathesis does: no 500, and answers as promised."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS

from api.clients import TOKEN, application
from api.test_hostile_requests import without_probes

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


schema = schemathesis.pytest.from_fixture("interface")


def few(number):
    return settings(
        max_examples=number, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def ask(case):
    response = case.call(headers=HEADERS)
    documented = case.operation.definition.raw["responses"]
    status = response.status_code
    assert status < 500 or (status in UNAVAILABLE and str(status) in documented), (status, response.text[:500])
    case.validate_response(response, checks=CHECKS.get_by_names(CONFORMING), headers=HEADERS)


CONFORMING = ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]


@schema.parametrize()
@few(SAMPLE)
def test_every_operation_keeps_its_promises(case):
    ask(case)


@pytest.mark.gate
@schema.parametrize()
@few(ALL)
def test_every_operation_keeps_its_promises_in_depth(case):
    ask(case)
