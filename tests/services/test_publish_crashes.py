"""Uploads and versions of datasets killed at every moment: each is there whole or not at all, and goes on (gate S3)."""

from __future__ import annotations

import io
import json
import shutil
from itertools import count

import pytest

from api.clients import application, signed_in
from api.conftest import app, client
from llmlora.core.layout import TEMPORARY_PREFIX
from llmlora.core.publish import sha256_file
from llmlora.data.edit import RowChange
from llmlora.services import uploads
from llmlora.services.dataset_versions import change_row
from llmlora.services.kept_datasets import NewDataset, keep_file, page_of_datasets
from llmlora.store.opening import open_store
from services.crash_points import full_disk, killed

ROWS = [{"instruction": f"質問{number}は？", "output": f"答え{number}です。"} for number in range(6)]
__all__ = ["app", "client"]
CONTENT = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
EVERY = 3  # moments, of which one is tried in every test run; each of them in the gate
STEPS = (pytest.param(EVERY, id="some"), pytest.param(1, marks=pytest.mark.gate, id="every"))


def started():
    """Return a client of a server that starts on a workspace as the last one left it, and ends with the block."""
    return signed_in(application())


def whole_datasets(client, home):
    """Return the datasets of a server after a kill: each whole, each in one folder, and nothing else lies there."""
    found = client.get("/api/datasets").json()["items"]
    folders = home / "datasets"
    left = sorted(path.name for path in folders.iterdir()) if folders.is_dir() else []
    assert left == sorted(item["id"] for item in found)
    for item in found:
        name = f"data-{item['version']}.jsonl" if item["version"] > 1 else "data.jsonl"
        assert sha256_file(folders / item["id"] / name) == item["sha256"]
        assert not list((folders / item["id"]).glob(f"{TEMPORARY_PREFIX}*"))
        assert client.get(f"/api/datasets/{item['id']}/rows").json()["num_rows"] == 6
    return found


def upload_whole(home):
    database = open_store(home)
    keep_file(database, NewDataset("店"), io.BytesIO(CONTENT))
    database.close()


@pytest.mark.parametrize("step", STEPS)
def test_an_upload_of_one_request(home, step):
    for moment in count(0, step):
        shutil.rmtree(home, ignore_errors=True)
        was_killed = killed(moment, lambda: upload_whole(home))
        with started() as client:
            kept = whole_datasets(client, home)
            assert len(kept) <= 1 and (was_killed or kept)
            again = client.post("/api/datasets/upload", files={"file": ("data.jsonl", CONTENT)}, data={"name": "店"})
            assert again.status_code == 201 and again.json()["ok"]
            assert len(whole_datasets(client, home)) == len(kept) + 1
        if not was_killed:
            break
    assert moment > 15
    print(json.dumps({"moments": moment}))


def upload_in_pieces(home):
    database = open_store(home)
    made = uploads.create_upload(database, "店.jsonl", len(CONTENT))
    for start in range(0, len(CONTENT), 100):
        receiver = uploads.Receiver(database, made.id, start)
        receiver.write(CONTENT[start : start + 100])
        receiver.close()
    uploads.keep_upload(database, made.id, NewDataset("店"))
    database.close()


def go_on(client, home):
    """Go on with every upload that is open, as a client does that was told nothing, and return their number."""
    places = sorted((home / "uploads").iterdir()) if (home / "uploads").is_dir() else []
    num_open = 0
    for place in places:
        path = f"/api/uploads/{place.name}"
        head = client.head(path)
        if head.status_code == 404:  # made before it was written down; expired files are removed
            continue
        num_open += 1
        offset = int(head.headers["Upload-Offset"])
        assert place.read_bytes() == CONTENT[:offset]
        sent = client.put(path, content=CONTENT[offset:], headers={"Upload-Offset": str(offset)})
        assert sent.status_code == 200, sent.text
        made = client.post(f"{path}/dataset", json={"name": "店"})
        assert made.status_code == 201 and made.json()["ok"], made.text
    return num_open


@pytest.mark.parametrize("step", STEPS)
def test_an_upload_in_pieces_becomes_one_dataset(home, step):
    for moment in count(0, step):
        shutil.rmtree(home, ignore_errors=True)
        was_killed = killed(moment, lambda: upload_in_pieces(home))
        with started() as client:
            before = whole_datasets(client, home)
            num_open = go_on(client, home)
            assert num_open <= 1
            after = whole_datasets(client, home)
            assert len(after) == (1 if num_open or before else 0), f"moment {moment}: it came twice"
            assert go_on(client, home) == 0
        if not was_killed:
            break
    assert moment > 25
    print(json.dumps({"moments": moment}))


@pytest.mark.parametrize("step", STEPS)
def test_a_new_version_of_a_dataset(home, tmp_path, step):
    upload_whole(home)
    original = tmp_path / "original"
    home.rename(original)

    def change():
        database = open_store(home)
        [row] = page_of_datasets(database, None, 10).items
        change_row(database, row.id, 1, RowChange(2, {"output": "直した答えです。"}))
        database.close()

    versions = set()
    for moment in count(0, step):
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(original, home)
        was_killed = killed(moment, change)
        with started() as client:
            [found] = whole_datasets(client, home)
            versions.add(found["version"])
            answer = f"{['答え1です。', '直した答えです。'][found['version'] - 1]}"
            rows = client.get(f"/api/datasets/{found['id']}/rows").json()["items"]
            assert answer in json.dumps(rows[1], ensure_ascii=False)
            wish = {"version": found["version"], "fields": {"output": "もう一度直した答えです。"}}
            assert client.patch(f"/api/datasets/{found['id']}/rows/2", json=wish).status_code == 200
            [changed] = whole_datasets(client, home)
            assert changed["version"] == found["version"] + 1
        if not was_killed:
            break
    assert moment > 10 and versions == {1, 2}
    print(json.dumps({"moments": moment}))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("send", ["whole", "in pieces"])
def test_a_full_disk_at_any_moment_is_told_and_leaves_nothing(client, home, send, step):
    """A disk that has room again takes the same file; of an upload in pieces what has arrived is kept."""
    for moment in count(0, step):
        before = whole_datasets(client, home)
        path = None if send == "whole" else begun(client)
        with full_disk(moment) as was_full:
            answers = [whole(client)] if path is None else sent(client, path)
        is_over = not was_full()
        told = [answer for answer in answers if answer.status_code >= 400]
        assert all((answer.status_code, answer.json()["code"]) == (507, "disk_full") for answer in told), told[0].text
        kept = whole_datasets(client, home)
        assert len(kept) == len(before) + (not told)
        if told:
            assert (whole(client) if path is None else sent(client, path)[-1]).status_code == 201
            assert len(whole_datasets(client, home)) == len(before) + 1
        if is_over:
            break
    assert moment > 4
    assert not list((home / "uploads").iterdir()) if path else True


def whole(client):
    return client.post("/api/datasets/upload", files={"file": ("data.jsonl", CONTENT)}, data={"name": "店"})


def begun(client):
    return f"/api/uploads/{client.post('/api/uploads', json={'name': '店.jsonl', 'bytes': len(CONTENT)}).json()['id']}"


def sent(client, path):
    """Go on with an upload from where it is, and make the dataset; returns the answers up to the first refusal."""
    offset = int(client.head(path).headers["Upload-Offset"])
    answer = client.put(path, content=CONTENT[offset:], headers={"Upload-Offset": str(offset)})
    return [answer] if answer.status_code >= 400 else [answer, client.post(f"{path}/dataset", json={"name": "店"})]
