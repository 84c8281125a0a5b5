"""What an export describes: which file Ollama and chat take, the Modelfile's settings, planned sizes, progress."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import ConfigError, InputError, VerificationFailed
from llmlora.core.job import read_job, write_job
from llmlora.core.publish import read_json, write_json
from llmlora.export import pipeline
from llmlora.export.pipeline import ExportRequest, export_model
from llmlora.services.export import export_record
from tiny_jobs import tiny_job

SMALL = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "max_position_embeddings": 64}


@pytest.fixture
def job(tmp_path: Path) -> Path:
    return tiny_job("llama", tmp_path, {}, **SMALL)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the set of quantizations whose files fail verification; empty at first."""
    failed: set[str] = set()

    def report(
        output: Path, trained: Any, files: dict[str, Any], on_progress: Any, carried: Any, stitch: Any
    ) -> dict[str, Any]:
        entries = []
        for name, entry in files.items():
            ok = entry["quantization"] not in failed
            check = {"check": "logprobs", "ok": ok, "cause": None if ok else "weights", "detail": ""}
            verdict = {"ok": ok, "verdict": "verified" if ok else "failed", "facts": None}
            entries.append({"file": name, "quantization": entry["quantization"], **verdict, "checks": [check]})
        return {"files": entries, "reference": {"turn_end": "<|im_end|>"}}

    monkeypatch.setattr(pipeline, "verify_files", report)
    return failed


def export(job: Path, *quantizations: str, **options: Any) -> dict[str, Any]:
    output = job.parent / "out"
    output.mkdir(exist_ok=True)
    return export_model(ExportRequest(job, output, quantizations, **options))


@pytest.mark.parametrize(
    ("asked", "failed", "chosen"),
    [
        (("F16", "Q8_0", "Q4_K_M"), (), "Q4_K_M"),
        (("F16", "Q8_0", "Q4_K_M"), ("Q4_K_M",), "Q8_0"),
        (("F16", "Q8_0", "Q4_K_M"), ("Q4_K_M", "Q8_0"), "F16"),
        (("F16", "Q2_K"), (), "F16"),
    ],
)
def test_the_smallest_good_file_is_the_one_to_run(
    asked: tuple[str, ...], failed: tuple[str, ...], chosen: str, job: Path, failing: set[str]
):
    failing.update(failed)
    if failed:
        with pytest.raises(VerificationFailed):
            export(job, *asked)
    else:
        assert export(job, *asked)["model_file"] == f"model-{chosen}.gguf"
    out = job.parent / "out"
    assert read_json(out / "meta.json")["model_file"] == f"model-{chosen}.gguf"
    assert (out / "Modelfile").read_text(encoding="utf-8").startswith(f"FROM ./model-{chosen}.gguf\n")


def test_the_modelfile_runs_the_model_as_it_was_trained(job: Path, failing: set[str]):
    config = read_job(job)
    system = 'あなたは「みどり堂」の\n"店員" です。'
    write_job(job, config.model_copy(update={"train": config.train.model_copy(update={"system": system})}))
    export(job, "F16")
    text = (job.parent / "out" / "Modelfile").read_text(encoding="utf-8")
    assert f'SYSTEM """{system}"""' in text
    assert 'PARAMETER stop "<|im_end|>"' in text
    assert "PARAMETER temperature 0\n" in text  # greedy, as the answers were evaluated
    assert "PARAMETER num_ctx 64" in text


def test_the_merged_folder_is_kept_only_when_asked_and_once(job: Path, failing: set[str]):
    assert export(job, "F16")["merged_dir"] is None
    assert not (job.parent / "out" / "merged").exists()
    merged = Path(export(job, "F16", keep_merged=True)["merged_dir"])
    before = (merged / "model.safetensors").stat().st_mtime_ns
    export(job, "F16", keep_merged=True)
    assert (merged / "model.safetensors").stat().st_mtime_ns == before


def test_progress_covers_every_phase_to_its_end(job: Path, failing: set[str]):
    seen: dict[str, list[tuple[int, int]]] = {}
    request = ExportRequest(job, job.parent / "out", ("F16", "Q8_0"), keep_merged=True)
    request.output.mkdir()
    export_model(request, lambda phase, done, total: seen.setdefault(phase, []).append((done, total)))
    assert set(seen) == {"merge", "convert", "quantize"}
    for steps in seen.values():
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]


def test_without_f16_the_quantised_bytes_are_the_same_and_no_source_stays(job: Path, failing: set[str], tmp_path: Path):
    export(job, "F16", "Q8_0")
    with_f16 = (job.parent / "out" / "model-Q8_0.gguf").read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    export_model(ExportRequest(job, other, ("BF16", "Q8_0")))
    assert (other / "model-Q8_0.gguf").read_bytes() == with_f16
    assert {path.name for path in other.glob("*.gguf")} == {"model-BF16.gguf", "model-Q8_0.gguf"}
    assert not list(other.glob(".tmp-*"))


def test_a_full_model_has_no_adapter_to_export(tmp_path: Path, failing: set[str]):
    job = tiny_job("llama", tmp_path, None, **SMALL)
    with pytest.raises(ConfigError) as caught:
        export(job, "F16", adapter=True)
    assert caught.value.code == "no_adapter_to_export"
    assert not any((tmp_path / "out").iterdir())


def test_a_request_comes_from_the_folders_configuration(tmp_path: Path):
    config = {"job_dir": "/job", "quantizations": ["F16"], "adapter": True, "base_dir": "/base"}
    request = ExportRequest.from_config(json.loads(json.dumps(config)), tmp_path)
    assert request == ExportRequest(Path("/job"), tmp_path, ("F16",), True, False, Path("/base"))
    assert ExportRequest.from_config({**config, "base_dir": None}, tmp_path).moved_base is None


@pytest.mark.parametrize("name", ["model-F16.gguf", "Modelfile", "README.md", "verify.json", "meta.json"])
@pytest.mark.parametrize("damage", ["deleted", "truncated"])
def test_what_is_lost_or_damaged_in_the_folder_breaks_no_later_export(
    name: str, damage: str, job: Path, failing: set[str]
):
    export(job, "F16", "Q8_0")
    out = job.parent / "out"
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / name).unlink() if damage == "deleted" else (out / name).write_bytes(before[name][:40])
    result = export(job, "Q8_0")
    assert result["verify"]["ok"]
    assert (out / "model-Q8_0.gguf").read_bytes() == before["model-Q8_0.gguf"]
    names = {entry["file"] for entry in result["files"]}
    if name == "model-F16.gguf" and damage == "deleted":
        assert names == {"model-Q8_0.gguf"}  # whoever deletes a file does not want it back
    elif name != "meta.json":
        assert names == {"model-F16.gguf", "model-Q8_0.gguf"}
        assert (out / "model-F16.gguf").read_bytes() == before["model-F16.gguf"]
    for other in ("Modelfile", "README.md", "verify.json", "meta.json"):
        assert (out / other).stat().st_size > 40


def test_a_damaged_adapter_file_of_an_earlier_run_is_written_again(job: Path, failing: set[str]):
    export(job, "F16", adapter=True)
    path = job.parent / "out" / "adapter.gguf"
    right = path.read_bytes()
    path.write_bytes(right[:100])
    export(job, "F16")
    assert path.read_bytes() == right
    path.unlink()
    assert {entry["file"] for entry in export(job, "F16")["files"]} == {"model-F16.gguf"}


def test_the_model_file_is_one_of_those_asked_for(job: Path, failing: set[str]):
    export(job, "F16", "Q8_0")
    path = job.parent / "out" / "model-Q8_0.gguf"
    path.write_bytes(path.read_bytes()[:40])
    assert export(job, "F16")["model_file"] == "model-F16.gguf"


@pytest.mark.parametrize("text", [None, '{"schema"'])
def test_an_export_whose_configuration_is_lost_is_known_by_its_record(text: str | None, tmp_path: Path):
    write_json(tmp_path / "config.json", {"schema": "llmlora.export/1", "job_id": "A"})
    write_json(tmp_path / "meta.json", {"schema": "llmlora.export-meta/1", "job_id": "A"})
    (tmp_path / "config.json").unlink() if text is None else (tmp_path / "config.json").write_text(text)
    record = export_record(tmp_path)
    assert record is not None
    assert record["job_id"] == "A"
    (tmp_path / "meta.json").unlink()
    if text is None:
        assert export_record(tmp_path) is None
    else:
        with pytest.raises(InputError):
            export_record(tmp_path)
