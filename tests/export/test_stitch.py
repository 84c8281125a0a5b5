"""A stitched file: what training changed is rewritten, everything else is the base's own, and it answers as trained."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_ollama.server import FakeOllama
from gguf_base import gguf_base
from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.core.errors import ConfigError, ExportError
from llmlora.core.publish import read_json, write_json
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.export.merge import base_tensors, trained_source
from llmlora.export.ollama_push import PushRequest, push
from llmlora.export.pipeline import ExportRequest, export_model
from llmlora.export.stitch import Stitch, StitchPlan, _chosen_type, iter_bytes, plan_stitch, surviving_share
from llmlora.export.stitch_check import check_stitched
from llmlora.export.verify import verify_export
from llmlora.gguf.backends import backend_for
from llmlora.gguf.blocks import dequantize_rows
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.inference.trained_job import find_trained
from llmlora.services.export import plan_export
from split_gguf import split_file
from tiny_jobs import tiny_job, write_random_adapter
from tiny_models import tiny_model

EXTRA = {"general.license": "apache-2.0", "maker.note": "kept"}


@pytest.fixture(scope="module")
def stitched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Train (a random adapter) on a folder that was converted from a Q4_0 file, and stitch."""
    folder = tmp_path_factory.mktemp("stitched")
    job = tiny_job("llama", folder, {"target_modules": ["q_proj", "k_proj", "down_proj"]})
    shutil.rmtree(folder / "base")
    tiny_model("llama", folder / "base")
    gguf_base(folder / "base", folder / "base.gguf", extra=EXTRA)
    _settle_digest(job, folder / "base")
    output = folder / "out"
    output.mkdir()
    request = ExportRequest(job, output, ("stitched",), stitch_base=folder / "base.gguf")
    return {"folder": folder, "job": job, "request": request, "report": export_model(request)}


def _settle_digest(job: Path, base: Path) -> None:
    from llmlora.catalog.base_model import resolve_base_model

    config = read_json(job / "config.json")
    write_json(job / "config.json", {**config, "base_digest": resolve_base_model(str(base)).digest})


def raw(path: Path, header: GgufHeader, name: str) -> bytes:
    return b"".join(piece.tobytes() for piece in iter_bytes(path, header.tensor(name)))


def test_only_what_training_changed_is_rewritten(stitched: dict[str, Any]):
    base, file = stitched["folder"] / "base.gguf", stitched["folder"] / "out" / "model-stitched.gguf"
    before, after = read_gguf_header(base), read_gguf_header(file)
    assert [tensor.name for tensor in after.tensors] == [tensor.name for tensor in before.tensors]
    touched = {
        tensor.name for tensor in after.tensors if raw(file, after, tensor.name) != raw(base, before, tensor.name)
    }
    assert touched == {
        name
        for name in (tensor.name for tensor in before.tensors)
        if any(part in name for part in ("attn_q.", "attn_k.", "ffn_down."))
    }
    assert {after.tensor(name).ggml_type for name in touched} == {"Q8_0"}
    changed = {key for key in after.metadata if after.metadata[key] != before.metadata.get(key)}
    assert changed - {"general.file_type"} == {"general.name", "llmlora.job_id", "llmlora.base_sha256"}
    assert after.metadata["general.license"] == "apache-2.0"


def test_the_file_is_verified_and_used(stitched: dict[str, Any]):
    report = stitched["report"]
    (entry,) = report["verify"]["files"]
    assert entry["verdict"] == "verified"
    assert report["model_file"] == "model-stitched.gguf"
    measured = {check["check"]: check["measured"] for check in entry["checks"]}
    assert measured["update"]["min_share"] > 0.9
    assert measured["logprobs"]["kl"] < 0.02
    assert report["stitch"]["num_copied"] == measured["tensors"]["num_copied"] > report["stitch"]["num_rewritten"] > 0
    assert export_model(stitched["request"])["files"][0]["reused"]
    assert verify_export(stitched["folder"] / "out")["ok"]


@pytest.fixture(scope="module")
def on_file(stitched: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Export, with its adapter, a job that was trained on the file itself."""
    folder, base = tmp_path_factory.mktemp("on-file"), stitched["folder"] / "base.gguf"
    shutil.copytree(stitched["job"], folder / "job")
    settle_base(folder / "job", base)
    planned = plan_export(folder / "job", folder / "out", adapter=True)
    planned.output.mkdir()
    report = export_model(ExportRequest.from_config(planned.to_config(), planned.output))
    return {"base": base, "planned": planned, "report": report}


def test_a_base_that_is_a_file_needs_no_other_and_is_stitched_by_default(
    stitched: dict[str, Any], on_file: dict[str, Any]
):
    planned = on_file["planned"]
    assert planned.quantizations == ("stitched",)
    both = plan_export(planned.job_dir, planned.output, ("F16",), stitch=True, adapter=True)
    assert both.quantizations == ("stitched", "F16")
    assert [entry["verdict"] for entry in on_file["report"]["verify"]["files"]] == ["verified", "verified"]
    folders = (planned.output, stitched["folder"] / "out")
    first, second = (read_gguf_header(folder / "model-stitched.gguf") for folder in folders)
    assert first.metadata == second.metadata


def test_an_old_server_takes_the_adapter_alone(on_file: dict[str, Any], tmp_path: Path):
    with FakeOllama(tmp_path / "store", "0.33.0") as server:
        server.store.add("tiny:latest", on_file["base"])
        request = PushRequest(on_file["planned"].output, "a:v1", server.url, base="tiny")
        report = push(request, lambda phase, done, total: None, carried_facts)
        made = server.store.find("a:v1")
        assert made is not None
        assert made.layers["model"].stat().st_size == on_file["base"].stat().st_size
    assert report["ok"]
    assert report["file"] == "adapter.gguf"
    found = {entry["check"]: entry["ok"] for entry in report["checks"]}
    assert (found["tokens"], found["logprobs"]) == (True, True)


def plan_of(stitched: dict[str, Any], wanted: str = "Q8_0") -> tuple[StitchPlan, dict[str, ConvertedTensor]]:
    trained = find_trained(stitched["job"])
    source, config = trained_source(trained)
    stitch = Stitch(stitched["folder"] / "base.gguf", wanted)
    base = base_tensors(trained, source, config, convert_tensors(source, config))
    assert base is not None
    return plan_stitch(trained, source, config, stitch, lambda: None), base


def broken_copy(stitched: dict[str, Any], tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / "broken.gguf"
    shutil.copy(stitched["folder"] / "out" / "model-stitched.gguf", path)
    with path.open("r+b") as stream:
        stream.seek(read_gguf_header(path).tensor(name).offset)
        stream.write(content)
    return path


def test_a_changed_byte_of_a_copied_tensor_is_found(stitched: dict[str, Any], tmp_path: Path):
    path = broken_copy(stitched, tmp_path, "blk.0.attn_v.weight", b"\x01")
    (check,) = check_stitched(path, *plan_of(stitched))
    assert (check.ok, check.cause, check.detail) == (False, "not_copied", "blk.0.attn_v.weight")


def test_a_tensor_without_what_was_trained_is_found(stitched: dict[str, Any], tmp_path: Path):
    plan, base = plan_of(stitched)
    found = backend_for("Q8_0")
    assert found is not None
    content = np.ascontiguousarray(found[1](base["blk.0.attn_q.weight"].read(), "Q8_0")).tobytes()
    (check,) = check_stitched(broken_copy(stitched, tmp_path, "blk.0.attn_q.weight", content), plan, base)
    assert (check.ok, check.cause) == (False, "not_merged")


def test_the_bases_own_type_is_refused_where_it_swallows_the_training(stitched: dict[str, Any]):
    """Small changes of values that lie on a grid snap back to it; large ones and other grids keep them."""
    name = "blk.0.attn_q.weight"
    base = plan_of(stitched)[1][name].read()
    change = np.random.default_rng(1).standard_normal(base.shape).astype(np.float32)
    small, large = (base + np.float32(factor * base.std()) * change for factor in (0.01, 1.0))
    assert surviving_share(small, base, "Q4_0") < 0.2
    assert surviving_share(large, base, "Q4_0") > 0.9
    assert surviving_share(small, base, "Q8_0") > 0.9


def test_each_tensor_gets_the_asked_type_only_where_the_training_survives(stitched: dict[str, Any]):
    plan, _ = plan_of(stitched, "base")
    assert set(plan.shares) == set(plan.rewritten)
    for name, share in plan.shares.items():
        assert plan.types[name] == ("Q4_0" if share >= 0.8 else "Q8_0")
    assert plan.summary()["num_refused"] == sum(share < 0.8 for share in plan.shares.values())


def test_a_base_in_the_safe_type_swallows_small_changes_too():
    """As when a registered model is taught more: its tensors are Q8_0, and the second round changes them by little."""
    found = backend_for("Q8_0")
    assert found is not None
    values = np.random.default_rng(3).standard_normal((4, 256)).astype(np.float32)
    on_grid = dequantize_rows(np.ascontiguousarray(found[1](values, "Q8_0")).reshape(-1), "Q8_0").reshape(4, 256)
    change = np.random.default_rng(4).standard_normal(on_grid.shape).astype(np.float32)

    def chosen(factor: float, own: str, wanted: str) -> tuple[str, dict[str, float]]:
        shares: dict[str, float] = {}
        trained = ConvertedTensor("t", on_grid.shape, lambda: on_grid + np.float32(factor) * change)
        base = ConvertedTensor("t", on_grid.shape, lambda: on_grid)
        return _chosen_type(trained, base, own, wanted, shares), shares

    kind, shares = chosen(0.002, "Q8_0", "Q8_0")
    assert kind == "F16"
    assert shares["t"] < 0.5
    written = (on_grid + np.float32(0.002) * change).astype(np.float16).astype(np.float32)
    assert float(((written - on_grid) * change).sum() / (0.002 * change**2).sum()) > 0.9
    assert chosen(1.0, "Q8_0", "Q8_0")[0] == "Q8_0"
    assert chosen(0.002, "Q4_K", "Q8_0") == ("Q8_0", {}), "another grid: nothing snaps back"
    assert chosen(0.002, "Q8_0", "base")[0] == "F16"
    assert chosen(0.002, "F16", "Q4_K") == ("F16", {})


def test_shares_are_what_is_in_the_written_blocks():
    base = np.random.default_rng(2).standard_normal((4, 64)).astype(np.float32)
    trained = base + np.float32(0.5)
    found = backend_for("Q4_0")
    assert found is not None
    written = dequantize_rows(np.ascontiguousarray(found[1](trained, "Q4_0")).reshape(-1), "Q4_0").reshape(4, 64)
    expected = float(((written - base) * 0.5).sum() / (0.25 * 256))
    assert surviving_share(trained, base, "Q4_0") == pytest.approx(expected, rel=1e-5)


def test_what_cannot_be_stitched_is_refused(stitched: dict[str, Any], tmp_path: Path):
    job = stitched["job"]

    def refusal(request: ExportRequest) -> str:
        request.output.mkdir(exist_ok=True)
        with pytest.raises((ConfigError, ExportError)) as caught:
            export_model(request)
        assert not list(request.output.glob("*.gguf"))
        return caught.value.code

    assert refusal(ExportRequest(job, tmp_path / "a", ("stitched",))) == "stitch_needs_gguf"
    assert refusal(ExportRequest(job, tmp_path / "b", ("stitched",), stitch_type="Q3_Z")) == "unknown_stitch_type"
    other = broken_copy(stitched, tmp_path, "blk.0.attn_v.weight", b"\x01")
    assert refusal(ExportRequest(job, tmp_path / "c", ("stitched",), stitch_base=other)) == "stitch_other_base"


def test_a_full_training_on_a_file_is_stitched_by_default(tmp_path: Path):
    """All tensors are rewritten then, and what is said of the model is the base's still."""
    job, base = tiny_job("llama", tmp_path), tmp_path / "base.gguf"
    gguf_base(tmp_path / "base", base, extra=EXTRA)
    settle_base(job, base)
    report = export_by_default(job, tmp_path / "out")
    (entry,) = report["verify"]["files"]
    assert (entry["verdict"], report["stitch"]["num_copied"]) == ("verified", 0)
    header = read_gguf_header(tmp_path / "out" / "model-stitched.gguf")
    assert header.metadata["general.license"] == "apache-2.0"
    assert {tensor.ggml_type for tensor in header.tensors} == {"Q8_0", "F32"}
    base.rename(tmp_path / "elsewhere.gguf")
    assert plan_export(job, tmp_path / "gone").quantizations == ("F16", "Q4_K_M"), "which need no base"
    gguf_base(tmp_path / "base", base, "Q8_0")
    assert plan_export(job, tmp_path / "other").quantizations == ("F16", "Q4_K_M")


def test_a_split_base_is_stitched_by_default_into_one_file(stitched: dict[str, Any], tmp_path: Path):
    shutil.copytree(stitched["job"], tmp_path / "job")
    parts = split_file(stitched["folder"] / "base.gguf", tmp_path, 3)
    settle_base(tmp_path / "job", parts[0])
    report = export_by_default(tmp_path / "job", tmp_path / "out")
    assert [entry["verdict"] for entry in report["verify"]["files"]] == ["verified"]
    whole = stitched["folder"] / "out" / "model-stitched.gguf"
    before, after = (read_gguf_header(path) for path in (whole, tmp_path / "out" / "model-stitched.gguf"))
    assert sorted(tensor.name for tensor in after.tensors) == sorted(tensor.name for tensor in before.tensors)
    for tensor in after.tensors:
        assert raw(tmp_path / "out" / "model-stitched.gguf", after, tensor.name) == raw(whole, before, tensor.name)
    assert before.metadata.keys() == after.metadata.keys(), "no key of the parts is left"
    assert verify_export(tmp_path / "out")["ok"]


def settle_base(job: Path, base: Path) -> None:
    """Let a job be one that was trained on a GGUF file."""
    from llmlora.catalog.base_model import resolve_base_model

    found = resolve_base_model(str(base))
    place = {"base_model": str(base), "base_dir": str(found.path), "base_digest": found.digest}
    write_json(job / "config.json", {**read_json(job / "config.json"), **place})


def export_by_default(job: Path, output: Path) -> dict[str, Any]:
    planned = plan_export(job, output)
    planned.output.mkdir()
    return export_model(ExportRequest.from_config(planned.to_config(), planned.output))


def test_an_adapter_that_unties_the_output_adds_one_tensor(stitched: dict[str, Any], tmp_path: Path):
    job = tmp_path / "job"
    shutil.copytree(stitched["job"], job)
    settings = {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        (job / "adapter" / name).unlink()
    write_random_adapter(stitched["folder"] / "base", job / "adapter", settings)
    plan, _ = plan_of({**stitched, "job": job})
    plan.write(tmp_path / "untied.gguf")
    header = read_gguf_header(tmp_path / "untied.gguf")
    assert header.tensor("output.weight").ggml_type == "Q8_0"
    assert len(header.tensors) == len(plan.files.places) + 1
