"""Datasets over HTTP: what comes in, what is kept, what is refused without a trace, and what deleting means."""

import gzip
import json
from pathlib import Path

import pytest

from api.clients import application, signed_in
from llmlora.api.limits import BodyLimits
from llmlora.core.layout import new_id, work_root
from llmlora.services.kept_datasets import data_file, get_dataset
from llmlora.services.queue_purge import purge
from llmlora.store import rebuild
from llmlora.store.jobs import DatasetUse

ROWS = [{"instruction": f"質問{number}は？", "output": f"答え{number}です。"} for number in range(6)]
CHAT = [{"role": "user", "content": "はい？"}, {"role": "assistant", "content": "はい。"}]
GOOD = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
BAD = GOOD + b'{"instruction": "a", "output": \n'
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"


def upload(client, content, file_name="data.jsonl", **fields):
    return client.post("/api/datasets/upload", files={"file": (file_name, content)}, data=fields)


def folders(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "datasets").iterdir()) if (home / "datasets").exists() else []


def test_upload_and_read(client, home):
    answer = upload(client, GOOD, "店の質問.jsonl", description="開店前")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert {key: made[key] for key in ("name", "description", "type", "format", "encoding", "num_examples", "ok")} == {
        "name": "店の質問", "description": "開店前", "type": "instruction", "format": "instruction",
        "encoding": "utf-8", "num_examples": 6, "ok": True,
    }  # fmt: skip
    assert made["num_bytes"] == len(GOOD)
    assert made["stats"]["num_rows"] == 6
    assert client.get(f"/api/datasets/{made['id']}").json() == made
    assert sorted(path.name for path in (home / "datasets" / made["id"]).iterdir()) == [
        "data.jsonl", "findings.jsonl", "meta.json",
    ]  # fmt: skip
    assert (home / "datasets" / made["id"] / "data.jsonl").read_bytes() == GOOD


def test_a_handbook_of_the_type_instruction_becomes_questions_and_answers(client):
    handbook = "# 手引き\n\n前書き。\n\nQ: 送料は？\nA: 500円です。\n\n---\n\n総務課\n".encode()
    made = upload(client, handbook, "手引き.md", type="指示").json()
    assert (made["format"], made["num_examples"], made["ok"]) == ("instruction", 2, False)
    found = [(problem["code"], problem["line"]) for problem in made["problems"]]
    assert found == [("text_without_question", 10), ("too_few_rows", None)]
    assert upload(client, handbook, "手引き.md").json()["format"] == "text"


def test_rows_as_json(client, app):
    answer = client.post("/api/datasets", json={"name": "店", "type": "指示", "examples": ROWS})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["type"], made["num_examples"], made["ok"]) == ("instruction", 6, True)
    platform = app.state.platform
    stored = data_file(platform.database, get_dataset(platform.database, made["id"]))
    assert [json.loads(line) for line in stored.read_text(encoding="utf-8").splitlines()] == ROWS


@pytest.mark.parametrize(
    ("word", "row", "type_name"),
    [
        ("チャット", {"messages": CHAT}, "chat"),
        ("補完", {"prompt": "むかし", "completion": "むかし、あるところに。"}, "completion"),
        ("text", {"text": "吾輩は猫である。名前はまだ無い。"}, "text"),
        (None, {"instruction": "質問は？", "output": "答えです。"}, "instruction"),
    ],
)  # fmt: skip
def test_types(client, word, row, type_name):
    made = client.post("/api/datasets", json={"name": "n", "type": word, "examples": [row, row]})
    assert (made.status_code, made.json()["type"], made.json()["ok"]) == (201, type_name, True), made.text


def test_an_unknown_type_is_refused(client, home):
    answer = upload(client, GOOD, type="poem")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_format")
    assert folders(home) == []


def test_bad_rows_are_kept_and_named_in_the_callers_language(client, home):
    answer = upload(client, BAD, name="壊れた行")
    made = answer.json()
    assert (answer.status_code, made["ok"], made["num_examples"]) == (201, False, 6)
    [problem] = [found for found in made["problems"] if found["level"] == "error"]
    assert problem["line"] == 7
    japanese = client.get(f"/api/datasets/{made['id']}", headers={"Accept-Language": "ja"}).json()
    assert japanese["problems"][0]["message"] != problem["message"]
    assert any(letter > "\u3000" for letter in japanese["problems"][0]["message"])
    assert str(home) not in answer.text
    assert folders(home) == [made["id"]]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_records"), (b"  \n\n", "no_records"), (b"[]", "no_records"), (b"\xef\xbb\xbf", "no_records"),
        (b"<!doctype html><html><body>404</body></html>", "html_file"), (b"hello world\n", "not_json"),
        (gzip.compress(GOOD), "compressed_file"), (LFS, "lfs_pointer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "binary_file"),
        (b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml", "spreadsheet_file"),
    ],
)  # fmt: skip
def test_what_is_no_dataset_is_refused_and_leaves_nothing(client, home, content, code):
    answer = upload(client, content, "data.json")
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert folders(home) == []
    assert client.get("/api/datasets").json()["items"] == []
    assert str(home) not in answer.text


def test_pages(client):
    made = [upload(client, GOOD, name=f"d{number}").json()["id"] for number in range(3)]
    first = client.get("/api/datasets?limit=2").json()
    assert [item["name"] for item in first["items"]] == ["d2", "d1"]
    second = client.get(f"/api/datasets?limit=2&before={first['next_cursor']}").json()
    assert ([item["id"] for item in second["items"]], second["next_cursor"]) == ([made[0]], None)


def test_delete_and_undo(client, home):
    made = upload(client, GOOD).json()["id"]
    assert client.delete(f"/api/datasets/{made}").status_code == 200
    assert client.get(f"/api/datasets/{made}").json()["code"] == "dataset_not_found"
    assert client.get("/api/datasets").json()["items"] == []
    assert client.delete(f"/api/datasets/{made}").status_code == 404
    assert client.post(f"/api/datasets/{made}/undo-delete").status_code == 200
    assert client.get(f"/api/datasets/{made}").status_code == 200
    assert folders(home) == [made]


def test_a_deleted_dataset_goes_for_good(client, app, home, monkeypatch):
    from llmlora.services import kept_datasets

    monkeypatch.setattr(kept_datasets, "UNDO_SECONDS", 0.0)
    made = upload(client, GOOD).json()["id"]
    client.delete(f"/api/datasets/{made}")
    assert purge(app.state.platform.database) == 1
    assert folders(home) == []
    assert client.post(f"/api/datasets/{made}/undo-delete").status_code == 404


def test_a_dataset_that_a_job_reads_stays(client, app, home):
    made = upload(client, GOOD).json()["id"]
    job_id = new_id()
    folder = work_root(home, "train") / job_id
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    queue = app.state.platform.queue
    queue.submit("train", folder, name="j", job_id=job_id, datasets=[DatasetUse(made)])
    answer = client.delete(f"/api/datasets/{made}")
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_in_use")
    assert answer.json()["params"]["users"] == job_id
    queue.cancel(job_id)
    assert client.delete(f"/api/datasets/{made}").status_code == 200


def test_the_folders_tell_the_index(client, app):
    kept, gone = upload(client, GOOD, name="kept").json(), upload(client, BAD, name="gone").json()
    client.delete(f"/api/datasets/{gone['id']}")
    rebuild.rebuild(app.state.platform.database)
    assert client.get(f"/api/datasets/{kept['id']}").json() == kept
    assert client.get(f"/api/datasets/{gone['id']}").status_code == 404


def test_an_upload_that_is_too_large(home):
    app = application()
    next(item for item in app.user_middleware if item.cls is BodyLimits).kwargs["max_upload_bytes"] = 2000
    client = signed_in(app)
    answer = upload(client, b"x" * 3000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    def pieces():  # without a length, so that it is found while it comes
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield from [b"x" * 500] * 8
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.post("/api/datasets/upload", content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert folders(home) == []


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": "n"}, {"name": "n", "examples": []}, {"name": "", "examples": ROWS},
        {"name": "a\u0000b", "examples": ROWS}, {"name": "n", "examples": ["x"]},
        {"name": "n", "examples": ROWS, "path": "/etc/passwd"},
        {"name": "n", "description": "\u0000", "examples": ROWS},
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_request_is_named(client, home, body):
    answer = client.post("/api/datasets", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert folders(home) == []


def test_an_upload_without_a_file(client):
    assert client.post("/api/datasets/upload", data={"name": "n"}).status_code == 422


BROKEN_FORMS = [
    b"nothing",
    b"--b\r\nno colon\r\n\r\nx\r\n--b--",
    b"--b\r\n\x00: x\r\n\r\n",
    b"--bX",
    b"--b\r\n: \r\n\r\n",
]


@pytest.mark.parametrize("content", BROKEN_FORMS)
def test_forms_that_are_broken(client, content):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.post("/api/datasets/upload", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) in ((400, "body_unreadable"), (422, "request_invalid"))


def test_a_key_makes_one_dataset(client):
    body = {"name": "once", "examples": ROWS}
    first = client.post("/api/datasets", json=body, headers={"Idempotency-Key": "k1"})
    again = client.post("/api/datasets", json=body, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(client.get("/api/datasets").json()["items"]) == 1
    other = client.post("/api/datasets", json={**body, "name": "x"}, headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_a_key_makes_one_upload(client):
    words = {"files": {"file": ("d.jsonl", GOOD)}, "headers": {"Idempotency-Key": "k2"}}
    first, again = (client.post("/api/datasets/upload", **words) for _ in range(2))
    assert (first.status_code, first.json()) == (201, again.json())
    assert len(client.get("/api/datasets").json()["items"]) == 1


def test_a_key_whose_request_failed_may_be_used_again(client):
    headers = {"Idempotency-Key": "k3"}
    assert client.post("/api/datasets", json={"name": "n", "examples": []}, headers=headers).status_code == 422
    assert client.post("/api/datasets", json={"name": "n", "examples": ROWS}, headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_keys_that_cannot_be_used(client, key):
    answer = client.post("/api/datasets", json={"name": "n", "examples": ROWS}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_unusable")
