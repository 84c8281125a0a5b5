"""Two of the same verb at once on one output: the second is refused before it spends anything, nothing is mixed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import Conflict, exit_code_of
from llmlora.core.publish import read_json
from llmlora.services import export as export_service
from llmlora.services import merge as merge_service
from llmlora.services import verify as verify_service
from tiny_jobs import tiny_job


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_job("llama", tmp_path_factory.mktemp("two"), {}, hidden_size=64, num_hidden_layers=1)


def while_working(
    monkeypatch: pytest.MonkeyPatch, modules: tuple[Any, ...], first: Callable[[], Any], second: Callable[[], Any]
) -> str:
    """Run `second` while the worker of `first` is at work; return the code of its refusal."""
    codes: list[str] = []

    def worker(kind: str, folder: Path, on_event: Any) -> dict[str, Any]:
        with pytest.raises(Conflict) as caught:
            second()
        assert exit_code_of(caught.value) == 3
        codes.append(caught.value.code)
        return {}

    for module in modules:
        monkeypatch.setattr(module, "run_worker", worker)
    first()
    assert len(codes) == 1
    return codes[0]


def test_the_second_merge_is_refused(job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def merge() -> Any:
        return merge_service.merge(job, tmp_path / "new" / "merged")

    assert while_working(monkeypatch, (merge_service,), merge, merge) == "output_busy"
    assert list((tmp_path / "new").iterdir()) == []


def test_two_merges_in_processes_of_their_own(job: Path, tmp_path: Path) -> None:
    """The worker has the last word: whoever comes second finds the name taken."""
    from llmlora.core import publish
    from llmlora.export import merge as merging

    output, calls = tmp_path / "merged", []
    write = merging.write_model_folder

    def overtaken(*arguments: Any) -> Any:
        if not calls:
            calls.append(1)
            merging.merge_model(job, output)
        return write(*arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Conflict) as caught:
        patch.setattr(merging, "write_model_folder", overtaken)
        merging.merge_model(job, output)
    assert caught.value.code == "output_not_empty"
    assert publish.read_manifest(output) is not None
    assert [entry.name for entry in tmp_path.iterdir()] == ["merged"]


def test_the_second_export_and_a_verify_meanwhile_are_refused(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules, output = (export_service, verify_service), tmp_path / "out"

    def export() -> Any:
        return export_service.export_model(job, output, ["F16"])

    def other() -> Any:
        return export_service.export_model(job, output, ["Q8_0"])

    assert while_working(monkeypatch, modules, export, other) == "output_busy"
    assert read_json(output / "config.json")["quantizations"] == ["F16"], "the first one's order stands"
    assert while_working(monkeypatch, modules, export, lambda: verify_service.verify(output)) == "output_busy"
    assert while_working(monkeypatch, modules, lambda: verify_service.verify(output), export) == "output_busy"
    assert [entry.name for entry in output.iterdir()] == ["config.json"]
