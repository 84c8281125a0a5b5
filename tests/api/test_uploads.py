"""Uploads in pieces: right and wrong offsets, breaks, restarts, limits, and the dataset that comes of them."""

import asyncio
import hashlib
import tracemalloc

import pytest

from api.clients import ORIGIN, TOKEN, application, signed_in
from api.test_datasets import BAD, GOOD, folders
from llmlora.api.app import create_app
from llmlora.core.server import read_server_settings
from llmlora.services import room, uploads
from llmlora.services.platform import Platform
from llmlora.store import uploads as stored


def begin(client, content=GOOD, **words):
    answer = client.post("/api/uploads", json={"name": "店の質問.jsonl", "bytes": len(content)} | words)
    assert answer.status_code == 201, answer.text
    return f"/api/uploads/{answer.json()['id']}"


def send(client, path, piece, offset):
    return client.put(path, content=piece, headers={"Upload-Offset": str(offset)})


def test_an_upload_in_pieces_becomes_a_dataset(client, home):
    path = begin(client, sha256=hashlib.sha256(GOOD).hexdigest())
    assert send(client, path, GOOD[:100], 0).json()["offset"] == 100
    head = client.head(path)
    assert (head.status_code, head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (
        200,
        "100",
        str(len(GOOD)),
    )
    early = client.post(f"{path}/dataset", json={})
    assert (early.status_code, early.json()["code"], early.json()["params"]["offset"]) == (
        409,
        "upload_unfinished",
        100,
    )
    assert send(client, path, GOOD[100:], 100).json()["offset"] == len(GOOD)
    made = client.post(f"{path}/dataset", json={"description": "開店前"})
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["ok"], made.json()["num_examples"]) == ("店の質問", True, 6)
    assert (home / "datasets" / made.json()["id"] / "data.jsonl").read_bytes() == GOOD
    assert client.head(path).status_code == 404
    assert list((home / "uploads").iterdir()) == []


@pytest.mark.parametrize("offset", [0, 99, 101, 10**12])
def test_a_wrong_offset_changes_nothing_and_names_the_right_one(client, offset):
    path = begin(client)
    send(client, path, GOOD[:100], 0)
    answer = send(client, path, b"xxx", offset)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_offset_wrong")
    assert answer.json()["params"]["offset"] == 100
    assert client.get(path).json()["offset"] == 100


def test_it_goes_on_after_a_restart_in_the_middle(home):
    first = application()
    path = begin(signed_in(first))
    send(signed_in(first), path, GOOD[:77], 0)
    first.state.platform.close()
    second = create_app(read_server_settings(token=TOKEN), Platform())
    client = signed_in(second)
    assert client.head(path).headers["Upload-Offset"] == "77"
    send(client, path, GOOD[77:], 77)
    assert client.post(f"{path}/dataset", json={}).json()["num_examples"] == 6
    second.state.platform.close()


def put_messages(app, path, messages):
    """Send a request as these messages of a server, and then vanish."""

    async def receive():
        return next(messages, {"type": "http.disconnect"})

    async def answer(_):
        return None

    headers = [
        (b"host", ORIGIN.removeprefix("http://").encode()),
        (b"authorization", f"Bearer {TOKEN}".encode()),
        (b"upload-offset", b"0"),
    ]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "PUT",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    asyncio.run(app(scope, receive, answer))


def test_a_break_keeps_what_has_arrived(app, client):
    path = begin(client)
    pieces = (GOOD[:50], GOOD[50:60])
    put_messages(app, path, iter([{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]))
    assert client.get(path).json()["offset"] == 60
    assert send(client, path, GOOD[60:], 60).json()["offset"] == len(GOOD)


def test_a_large_upload_takes_little_memory(app, client):
    size = 64 << 20
    path, piece = begin(client, bytes=size), bytes(1 << 16)
    count = size // len(piece)
    tracemalloc.start()
    messages = ({"type": "http.request", "body": piece, "more_body": number < count} for number in range(1, count + 1))
    put_messages(app, path, messages)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert client.get(path).json()["offset"] == size
    assert peak < 2 << 20


def test_two_senders_at_one_time(app, client):
    path = begin(client)
    database = app.state.platform.database
    receiver = uploads.Receiver(database, path.rsplit("/", 1)[1], 0)
    assert send(client, path, GOOD, 0).json()["code"] == "upload_busy"
    assert client.delete(path).json()["code"] == "upload_busy"
    assert client.post(f"{path}/dataset", json={}).json()["code"] == "upload_busy"
    receiver.close()
    assert send(client, path, GOOD, 0).status_code == 200


def test_more_than_was_announced(client):
    path = begin(client)
    answer = send(client, path, GOOD + b"x", 0)
    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_long")
    assert client.get(path).json()["offset"] == len(GOOD)
    assert client.post(f"{path}/dataset", json={}).status_code == 201


def test_another_file_than_was_announced(client, home):
    path = begin(client, sha256="0" * 64)
    send(client, path, GOOD, 0)
    answer = client.post(f"{path}/dataset", json={})
    assert (answer.status_code, answer.json()["code"]) == (422, "upload_damaged")
    assert client.delete(path).status_code == 200
    assert client.delete(path).status_code == 404
    assert (folders(home), list((home / "uploads").iterdir())) == ([], [])


def test_what_is_no_dataset_stays_for_another_try(client, home):
    content = "q,a\nｶﾅ,ｱ\n".encode("cp932")
    path = begin(client, content, name="d.csv")
    send(client, path, content, 0)
    assert client.post(f"{path}/dataset", json={"encoding": "rot13"}).json()["code"] == "unknown_encoding"
    made = client.post(f"{path}/dataset", json={"encoding": "cp932", "map": {"instruction": "q", "output": "a"}})
    assert (made.status_code, made.json()["ok"]) == (201, True), made.text
    broken = begin(client, b"<html>", name="x.html")
    send(client, broken, b"<html>", 0)
    assert client.post(f"{broken}/dataset", json={}).json()["code"] == "html_file"
    assert client.head(broken).status_code == 200
    bad = begin(client, BAD)
    send(client, bad, BAD, 0)
    assert not client.post(f"{bad}/dataset", json={}).json()["ok"]


def test_limits(client, monkeypatch):
    huge = client.post("/api/uploads", json={"name": "x", "bytes": (2 << 30) + 1})
    assert (huge.status_code, huge.json()["code"]) == (413, "body_too_large")
    monkeypatch.setattr(uploads, "MAX_OPEN", 2)
    begin(client)
    begin(client)
    third = client.post("/api/uploads", json={"name": "x", "bytes": 1})
    assert (third.status_code, third.json()["code"]) == (429, "too_many_uploads")


def test_a_disk_without_room(client, monkeypatch):
    path = begin(client)
    monkeypatch.setattr(room, "free_bytes", lambda _: 1000)
    for answer in (client.post("/api/uploads", json={"name": "x", "bytes": 1}), send(client, path, GOOD, 0)):
        assert (answer.status_code, answer.json()["code"]) == (507, "no_room_for_data")


def test_uploads_expire(client, app, home, monkeypatch):
    path = begin(client)
    database = app.state.platform.database
    (home / "uploads" / "nobodys").touch()
    assert uploads.expire_uploads(database) == 0
    assert client.head(path).status_code == 200
    monkeypatch.setattr(uploads, "KEPT_HOURS", -1)
    assert uploads.expire_uploads(database) == 1
    assert client.head(path).status_code == 404
    assert list((home / "uploads").iterdir()) == []
    with database.read() as connection:
        assert stored.open_ones(connection) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "x", "bytes": 0},
        {"name": "x", "bytes": -1},
        {"name": "", "bytes": 1},
        {"name": "a\u0000", "bytes": 1},
        {"name": "x", "bytes": 1, "sha256": "Z"},
        {"name": "x", "bytes": 1, "path": "/"},
    ],
)
def test_uploads_that_are_refused(client, home, body):
    answer = client.post("/api/uploads", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert not (home / "uploads").exists()


def test_offsets_that_are_none(client):
    path = begin(client)
    for headers in ({}, {"Upload-Offset": "-1"}, {"Upload-Offset": "x"}, {"Upload-Offset": "9" * 40}):
        answer = client.put(path, content=GOOD, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert send(client, "/api/uploads/none", GOOD, 0).status_code == 404


def test_a_dataset_that_a_killed_server_has_made_is_not_made_again(client, app, monkeypatch):
    path = begin(client)
    send(client, path, GOOD, 0)
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(uploads.uploads, "end", lambda *_: 1 / 0)
        uploads.keep_upload(app.state.platform.database, path.rsplit("/", 1)[1], uploads.NewDataset("店"))
    first = client.get("/api/datasets").json()["items"]
    assert client.post(f"{path}/dataset", json={}).json()["id"] == first[0]["id"]
    assert client.get("/api/datasets").json()["items"] == first
    assert client.head(path).status_code == 404
