"""Models of the Hub, fetched by Hugging Face's real client from a Hub on this machine that can misbehave."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from fake_hub import COMMIT, FakeHub, serving
from llmlora.core.errors import DependencyError, DiskFull, HubAccessDenied, LlmloraError, NotFound
from llmlora.services.base_models import open_base_model
from tiny_models import tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Larger than the pieces of 10 MiB in which the client writes, so that a part of a file can be there.
    folder = tiny_model("llama", tmp_path_factory.mktemp("hub") / "model", vocab_size=20_000)
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    return folder


@pytest.fixture
def hub(folder: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    copy = shutil.copytree(folder, tmp_path / "served")
    with serving(FakeHub(copy)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "5")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


def test_a_model_is_fetched_once_and_then_used_from_the_cache(hub: FakeHub, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    base = open_base_model("me/mine", events.append)
    place = tmp_path / "cache" / "models--me--mine" / "snapshots" / COMMIT
    assert (base.kind, base.name, base.path) == ("hub", "me/mine", place)
    told = [event["params"] for event in events if event.get("name") == "downloading"]
    assert told[-1]["done"] == told[-1]["total"] > 1_000_000
    assert [entry["done"] for entry in told] == sorted(entry["done"] for entry in told)
    assert not (base.path / "pytorch_model.bin").exists()
    num_asked = len(hub.asked)
    assert open_base_model("me/mine").digest == base.digest
    assert open_base_model(f"me/mine@{COMMIT}").digest == base.digest
    assert len(hub.asked) == num_asked


def test_a_revision_is_fetched_by_its_name(hub: FakeHub) -> None:
    assert open_base_model("me/mine@v2").kind == "hub"
    with pytest.raises(NotFound, match="hub_revision_not_found"):
        open_base_model("me/mine@nowhere")


def test_a_connection_that_breaks_goes_on_where_it_stopped(hub: FakeHub) -> None:
    hub.cut_at, hub.num_cuts = 12_000_000, 2
    assert open_base_model("me/mine").is_opened
    ranges = [wanted for command, name, wanted in hub.asked if command == "GET" and name.endswith(".safetensors")]
    assert any(wanted.startswith("bytes=") for wanted in ranges)


def test_half_a_model_is_never_taken_for_a_whole_one(hub: FakeHub) -> None:
    hub.cut_at, hub.num_cuts = 12_000_000, 99
    with pytest.raises(DependencyError, match="hub_unreachable"):
        open_base_model("me/mine")
    hub.num_cuts = 0
    hub.asked.clear()
    assert open_base_model("me/mine").is_opened
    fetched = [name for command, name, _ in hub.asked if command == "GET"]
    assert "model.safetensors" in fetched
    assert "config.json" not in fetched, "it was whole the first time"


LONGEST = 120.0  # the client asks for a file up to six times, pausing between
ANSWERS: dict[str, tuple[dict[str, Any], type[LlmloraError], str]] = {
    "no such model": ({"status": 404, "error_code": "RepoNotFound"}, NotFound, "hub_not_found"),
    "terms not accepted": ({"status": 403, "error_code": "GatedRepo"}, HubAccessDenied, "hub_gated"),
    "no right": ({"status": 403}, HubAccessDenied, "hub_token_refused"),
    "a fault of the Hub": ({"status": 500}, DependencyError, "hub_failed"),
    "private": ({"token": "hf_right"}, NotFound, "hub_not_found"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_the_hub_refuses_is_named(case: str, hub: FakeHub) -> None:
    changes, kind, code = ANSWERS[case]
    for name, value in changes.items():
        setattr(hub, name, value)
    with pytest.raises(kind, match=code):
        open_base_model("me/mine")


FAULTS: dict[str, tuple[type[LlmloraError], set[str]]] = {
    "401": (LlmloraError, {"hub_not_found", "hub_token_refused"}),
    "403": (HubAccessDenied, {"hub_token_refused"}),
    "404": (LlmloraError, {"hub_not_found", "hub_failed"}),
    "503": (DependencyError, {"hub_failed"}),
    "reset": (DependencyError, {"hub_unreachable"}),
    "stall": (DependencyError, {"hub_silent"}),
    "longer": (DependencyError, {"hub_unreachable"}),
    "shorter": (DependencyError, {"hub_unreachable"}),
}
PATIENT = ("503", "file")  # the client asks again for 20 seconds


@pytest.mark.parametrize(
    ("fault", "faulty"),
    [
        pytest.param(*case, marks=pytest.mark.gate if case == PATIENT else ())
        for case in itertools.product(FAULTS, ["api", "file"])
    ],
)
def test_whatever_goes_wrong_with_a_call_or_a_file_ends_with_what_to_do(
    fault: str, faulty: Literal["api", "file"], hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "1")
    hub.fault, hub.faulty = fault, faulty
    kind, codes = FAULTS[fault]
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        open_base_model("me/mine")
    assert caught.value.code in codes
    assert time.monotonic() - started < LONGEST
    if fault in ("longer", "shorter"):
        hub.fault = ""
        assert open_base_model("me/mine").is_opened, "a file of another length was taken for the right one"


def test_a_token_opens_what_is_private(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.token = "hf_right"
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert open_base_model("me/mine").is_opened


def test_a_model_that_does_not_fit_the_disk_is_not_begun(hub: FakeHub) -> None:
    hub.claimed["model.safetensors"] = 1 << 50
    with pytest.raises(DiskFull, match="disk_would_fill"):
        open_base_model("me/mine")
    assert not hub.asked


def test_without_weights_or_network_it_says_so(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    (hub.folder / "model.safetensors").unlink()
    with pytest.raises(LlmloraError, match="hub_no_weights"):
        open_base_model("me/mine")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DependencyError, match="hub_offline"):
        open_base_model("me/mine")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DependencyError, match="hub_unreachable"):
        open_base_model("me/mine")
