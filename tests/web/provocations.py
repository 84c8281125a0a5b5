"""Forty requests and more that a server has to refuse, each for a reason of its own: files, settings, jobs, Ollama."""

from __future__ import annotations

from typing import Any

NONE = "01ARZ3NDEKTSV4RRFFQ69G5FAV"  # an id that nothing has


def provocations(job_id: str, dataset_id: str) -> list[dict[str, Any]]:
    """Return the requests about a finished training job and a dataset with rows, each with its `name`."""
    return [
        {"name": f"{number} {item['method']} {item['path']}", **item}
        for number, item in enumerate(
            [*_files(), *_data(dataset_id), *_training(dataset_id), *_jobs(job_id), *_models()]
        )
    ]


def _post(path: str, body: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "body": body}


def _get(path: str) -> dict[str, Any]:
    return {"method": "GET", "path": path}


def _files() -> list[dict[str, Any]]:
    """Files that are no dataset."""
    files = {
        "empty.jsonl": b"",
        "picture.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00",
        "number.json": b"42",
        "book.xlsx": b"PK\x03\x04\x14\x00\x06\x00",
    }
    uploads = [
        {"method": "POST", "path": "/api/datasets/upload", "file": {"name": name, "bytes": list(content)}}
        for name, content in files.items()
    ]
    return [
        *uploads,
        _post("/api/datasets", {"name": "x", "examples": []}),
        _post("/api/datasets", "{"),
        _post("/api/datasets/from-url", {"url": "http://127.0.0.1/data.jsonl", "name": "x"}),
        _post("/api/datasets/samples/none", None),
    ]


def _data(dataset_id: str) -> list[dict[str, Any]]:
    """Wishes about datasets that cannot be met."""
    place = f"/api/datasets/{dataset_id}"
    return [
        _get(f"/api/datasets/{NONE}"),
        _post(f"{place}/split", {"share": 0}),
        _post(f"{place}/restore", {"version": 1, "restore": 99}),
        _post(f"{place}/repair", {"version": 99, "actions": ["deduplicate"]}),
        {"method": "PATCH", "path": f"{place}/rows/9999", "body": {"version": 1, "fields": {"output": "a"}}},
        {"method": "PATCH", "path": f"{place}/rows/1", "body": {"version": 99, "fields": {"output": "a"}}},
        _get(f"{place}/preview?model=no-such-model"),
        _post("/api/uploads", {"name": "x.jsonl", "bytes": 1 << 50}),
    ]


def _training(dataset_id: str) -> list[dict[str, Any]]:
    """Training jobs that cannot be."""
    wish = {"base_model": "nano", "dataset_id": dataset_id}
    start = "/api/training/jobs"
    return [
        _post(start, {**wish, "base_model": "no-such-model"}),
        _post(start, {**wish, "base_model": "/etc/passwd"}),
        _post(start, {**wish, "dataset_id": NONE}),
        _post(start, {**wish, "preset": "no_such"}),
        _post(start, {**wish, "settings": {"r": 0}}),
        _post(start, {**wish, "settings": {"no_such": 1}}),
        _post(start, {**wish, "settings": {"init_adapter": "/tmp/adapter"}}),
        _post(start, {"base_model": "nano"}),
        _post(f"{start}/batch", {"jobs": [{**wish, "settings": {"r": 0}}]}),
        _post("/api/training/recipes/read", {"text": "a: [", "file_name": "recipe.yaml"}),
        _post("/api/training/recipes/read", {"text": "a: 2026-11-30", "file_name": "recipe.yaml"}),
    ]


def _jobs(job_id: str) -> list[dict[str, Any]]:
    """Changes of mind that come too late, and uses of what is not there."""
    return [
        _get(f"/api/training/jobs/{NONE}"),
        _post(f"/api/jobs/{job_id}/cancel", None),
        _post(f"/api/jobs/{job_id}/resume", None),
        _post(f"/api/jobs/{job_id}/retry", None),
        _post(f"/api/jobs/{job_id}/reorder", {"before": None}),
        _post(f"/api/jobs/{job_id}/rename", {"name": ""}),
        _post(f"/api/jobs/{job_id}/clone", {"settings": {"learning_rate": -1}}),
        _get(f"/api/training/jobs/{job_id}/metrics?names=secret"),
        _get(f"/api/training/jobs/{job_id}/files/none.txt"),
        _get(f"/api/comparisons?job_ids={job_id}&job_ids={NONE}"),
        _post("/api/evaluations", {"job_id": NONE}),
        _post("/api/exports", {"job_id": job_id, "quantizations": ["Q9_9"]}),
        {"method": "PATCH", "path": "/api/settings", "body": {"max_running": -1}},
    ]


def _models() -> list[dict[str, Any]]:
    """Names of models that are none, and an Ollama that does not answer."""
    return [
        _post("/api/models/pull/owner/model", None),
        _post("/api/models/pull/%20bad%20name", None),
        _post("/api/ollama/register", {"job_id": NONE, "name": "x"}),
        _post("/api/ollama/rollback", {"name": "x"}),
        _post("/api/generate", {"model_path": "no-such-model", "prompt": "q"}),
        _get("/api/none"),
    ]
