"""Datasets change by versions: edits, repairs, going back, and two clients at once; files of jobs stay as they are."""

import csv
import io
import json

import pytest

from api.test_datasets import BAD, GOOD, ROWS, folders, upload
from llmlora.core.layout import datasets_dir, scratch_dir
from llmlora.data.convert import convert_dataset
from llmlora.services import dataset_versions, room
from llmlora.services.kept_datasets import data_file, get_dataset
from llmlora.store import rebuild


@pytest.fixture
def made(client):
    return upload(client, GOOD).json()


def stored(app, dataset_id):
    database = app.state.platform.database
    return data_file(database, get_dataset(database, dataset_id))


def edit(client, made, row, **body):
    return client.patch(f"/api/datasets/{made['id']}/rows/{row}", json={"version": made["version"], **body})


def repair(client, made, **body):
    return client.post(f"/api/datasets/{made['id']}/repair", json={"version": made["version"], **body})


def test_a_cell_is_edited_and_the_old_file_stays(client, app, made):
    old = stored(app, made["id"])
    answer = edit(client, made, 2, fields={"output": "直した答えです。"})
    assert answer.status_code == 200, answer.text
    new = answer.json()
    assert (new["version"], new["num_examples"], new["ok"], new["change"]["action"]) == (2, 6, True, "edit_row")
    assert new["sha256"] != made["sha256"]
    assert old.read_bytes() == GOOD
    rows = [json.loads(line) for line in stored(app, made["id"]).read_text(encoding="utf-8").splitlines()]
    assert rows == [ROWS[0], {**ROWS[1], "output": "直した答えです。"}, *ROWS[2:]]
    shown = client.get(f"/api/datasets/{made['id']}/rows?q=直した").json()
    assert ([row["row"] for row in shown["items"]], shown["version"]) == ([2], 2)
    assert client.get(f"/api/datasets/{made['id']}").json() == new


def test_a_row_is_added_once_for_one_version(client, app, made):
    new = {"instruction": "新しい質問ですか？", "output": "新しい答えです。"}
    answer = client.post(f"/api/datasets/{made['id']}/rows", json={"version": 1, "value": new})
    assert answer.status_code == 201, answer.text
    longer = answer.json()
    assert (longer["version"], longer["num_examples"], longer["change"]["action"]) == (2, 7, "add_row")
    rows = [json.loads(line) for line in stored(app, made["id"]).read_text(encoding="utf-8").splitlines()]
    assert rows == [*ROWS, new]
    late = client.post(f"/api/datasets/{made['id']}/rows", json={"version": 1, "value": new})
    assert (late.status_code, late.json()["code"]) == (409, "dataset_changed")


def test_a_broken_row_is_mended_and_the_dataset_can_be_trained_on(client):
    made = upload(client, BAD).json()
    assert not made["ok"]
    refused = edit(client, made, 7, fields={"output": "b"})
    assert (refused.status_code, refused.json()["code"]) == (422, "row_unreadable")
    mended = edit(client, made, 7, value={"instruction": "a", "output": "b"}).json()
    assert (mended["ok"], mended["num_examples"]) == (True, 7)
    less = client.delete(f"/api/datasets/{made['id']}/rows/7?version=2").json()
    assert (less["version"], less["num_examples"], less["change"]["action"]) == (3, 6, "delete_row")


def test_of_two_clients_one_is_first(client, app, made, home):
    assert edit(client, made, 1, fields={"output": "一人目"}).status_code == 200
    late = edit(client, made, 2, fields={"output": "二人目"})
    assert (late.status_code, late.json()["code"], late.json()["params"]["version"]) == (409, "dataset_changed", 2)
    assert "二人目" not in stored(app, made["id"]).read_text(encoding="utf-8")
    assert not [path for path in (home / "datasets" / made["id"]).iterdir() if path.name.startswith(".")]


def test_of_two_changes_at_one_time_one_is_kept(client, app, made, monkeypatch):
    """The second looks at the same version, and is done while the first is checked."""
    check, is_first = dataset_versions.checked_values, [True]

    def slow(*args):
        values = check(*args)
        if is_first:
            is_first.clear()
            assert edit(client, made, 2, fields={"output": "二人目"}).status_code == 200
        return values

    monkeypatch.setattr(dataset_versions, "checked_values", slow)
    assert edit(client, made, 1, fields={"output": "一人目"}).json()["code"] == "dataset_changed"
    text = stored(app, made["id"]).read_text(encoding="utf-8")
    assert "二人目" in text and "一人目" not in text


def test_a_repair_says_what_it_did_and_can_be_undone(client, app):
    made = upload(client, GOOD + GOOD[: GOOD.index(b"\n") + 1] + b'{"instruction": "a", "output": \n').json()
    refused = repair(client, made, actions=["deduplicate"])
    assert (refused.status_code, refused.json()["code"]) == (422, "kept_dataset_has_errors")
    mended = repair(client, made, actions=["drop_invalid", "deduplicate"]).json()
    assert (mended["ok"], mended["num_examples"], mended["version"]) == (True, 6, 2)
    change = mended["change"]
    assert [change[name] for name in ("num_read", "num_written", "num_invalid", "num_duplicates")] == [8, 6, 1, 1]
    assert [(row["line"], row["code"]) for row in change["dropped"]] == [(7, "duplicate"), (8, "unfinished_json")]
    assert (mended["type"], stored(app, made["id"]).read_bytes()) == ("instruction", GOOD)
    listed = client.get(f"/api/datasets/{made['id']}/versions").json()["items"]
    assert [(item["version"], item["num_examples"], item["ok"]) for item in listed] == [(2, 6, True), (1, 7, False)]
    back = client.post(f"/api/datasets/{made['id']}/restore", json={"version": 2, "restore": 1}).json()
    assert (back["version"], back["sha256"], back["ok"]) == (3, made["sha256"], False)
    again = client.post(f"/api/datasets/{made['id']}/restore", json={"version": 3, "restore": 2}).json()
    assert (again["version"], again["sha256"]) == (4, mended["sha256"])
    rebuild.rebuild(app.state.platform.database)
    assert client.get(f"/api/datasets/{made['id']}").json() == again


def test_of_pairs_of_answers_the_better_is_kept(client):
    row = {"prompt": "はい？", "chosen": "はい。", "rejected": "いいえ。"}
    made = client.post("/api/datasets", json={"name": "n", "examples": [row] * 2}).json()
    assert not made["ok"]
    kept = repair(client, made, actions=["keep_chosen"]).json()
    assert (kept["ok"], kept["num_examples"]) == (True, 2)
    shown = client.get(f"/api/datasets/{made['id']}/rows").json()["items"][0]["example"]
    assert "いいえ" not in json.dumps(shown, ensure_ascii=False)


def test_rows_that_are_too_long_for_a_model_go(client):
    made = upload(client, GOOD + json.dumps({"instruction": "q", "output": "長い" * 400}).encode() + b"\n").json()
    answer = repair(client, made, actions=["drop_overlong"], model="nano", max_length=64)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["num_examples"], answer.json()["change"]["num_overlong"]) == (6, 1)


def test_columns_are_told(client, app):
    table = "番号,件名,内容\n1,月額は？,980円です。\n2,年額は？,9800円です。\n".encode()
    made = upload(client, table, "d.csv").json()
    assert not made["ok"]
    assert made["doubts"]["columns"]["map"] == {"instruction": "件名", "output": "内容"}
    told = repair(client, made, map=made["doubts"]["columns"]["map"]).json()
    assert (told["ok"], told["num_examples"], told["columns"], told["doubts"]) == (
        True,
        2,
        {"instruction": "件名", "output": "内容"},
        None,
    )
    row = client.get(f"/api/datasets/{made['id']}/rows").json()["items"][0]
    assert row["example"]["messages"][1]["content"] == "980円です。"
    edited = edit(client, told, 1, fields={"内容": "990円です。"}).json()
    assert (edited["ok"], edited["columns"]) == (True, told["columns"])
    at_once = upload(client, table, "d.csv", map=json.dumps(told["columns"])).json()
    assert (at_once["ok"], at_once["num_examples"]) == (True, 2)


def test_an_encoding_is_told(client):
    content = "q,a\nｶﾅ,ｱ\n".encode("cp932")
    made = upload(client, content, "d.csv").json()
    assert (made["ok"], made["encoding"]) == (False, None)
    assert "cp932" in [item["encoding"] for item in made["doubts"]["encodings"]]
    told = repair(client, made, encoding="cp932").json()
    assert (told["ok"], told["encoding"], told["num_examples"]) == (True, "cp932", 1)
    assert client.get(f"/api/datasets/{made['id']}/rows").json()["items"][0]["fields"] == {"q": "ｶﾅ", "a": "ｱ"}
    assert upload(client, content, "d.csv", encoding="cp932").json()["ok"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "nothing_to_repair"),
        ({"actions": ["burn"]}, 422, "unknown_action"),
        ({"actions": ["drop_overlong"]}, 422, "drop_overlong_needs_model"),
        ({"actions": ["drop_overlong"], "model": "/etc"}, 422, "model_path_over_http"),
        ({"encoding": "rot13"}, 422, "unknown_encoding"),
        ({"map": {"nothing": "x"}}, 422, "unknown_field"),
        ({"type": "poem"}, 422, "unknown_format"),
        ({"version": 7, "encoding": "utf-8"}, 409, "dataset_changed"),
        ({"version": 0}, 422, "request_invalid"),
        ({"actions": ["drop_invalid"], "path": "/"}, 422, "request_invalid"),
    ],
)
def test_repairs_that_are_refused(client, made, body, status, code):
    answer = client.post(f"/api/datasets/{made['id']}/repair", json={"version": 1, **body})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert client.get(f"/api/datasets/{made['id']}").json()["version"] == 1


@pytest.mark.parametrize(
    ("row", "body", "code"),
    [
        (99, {"fields": {"output": "x"}}, "row_not_there"),
        (1, {}, "request_invalid"),
        (1, {"fields": {"a": "b"}, "value": {"a": "b"}}, "request_invalid"),
        (1, {"fields": {}}, "request_invalid"),
        (0, {"fields": {"output": "x"}}, "request_invalid"),
        ("9" * 30, {"fields": {"a": "b"}}, "request_invalid"),
    ],
)
def test_edits_that_are_refused(client, made, row, body, code):
    answer = edit(client, made, row, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_no_row_may_be_left_at_all(client):
    made = upload(client, GOOD[: GOOD.index(b"\n") + 1]).json()
    answer = client.delete(f"/api/datasets/{made['id']}/rows/1?version=1")
    assert (answer.status_code, answer.json()["code"]) == (422, "no_records")


def test_a_disk_without_room(client, made, monkeypatch):
    monkeypatch.setattr(room, "free_bytes", lambda _: 1000)
    answer = edit(client, made, 1, fields={"output": "x"})
    assert (answer.status_code, answer.json()["code"]) == (507, "no_room_for_data")


def test_old_versions_are_given_up(client, made, monkeypatch, home):
    monkeypatch.setattr(dataset_versions, "KEPT_VERSIONS", 2)
    for number in range(1, 4):
        made = edit(client, made, 1, fields={"output": f"{number}版"}).json()
    listed = client.get(f"/api/datasets/{made['id']}/versions").json()["items"]
    assert [item["version"] for item in listed] == [4, 3]
    names = sorted(path.name for path in (home / "datasets" / made["id"]).iterdir())
    assert names == [
        "data-3.jsonl",
        "data-4.jsonl",
        "findings-3.jsonl",
        "findings-4.jsonl",
        "meta.json",
        "version-3.json",
    ]


def test_split_is_that_of_the_command_line(client, app, tmp_path, made):
    answer = client.post(f"/api/datasets/{made['id']}/split", json={"share": 0.3}, headers={"Accept-Language": "ja"})
    assert answer.status_code == 201, answer.text
    pair = answer.json()
    assert (pair["train"]["num_examples"], pair["eval"]["num_examples"]) == (4, 2)
    assert (pair["train"]["name"], pair["eval"]["name"]) == ("data（学習用）", "data（評価用）")
    convert_dataset(stored(app, made["id"]), tmp_path / "out.jsonl", split=0.3)
    assert stored(app, pair["train"]["id"]).read_bytes() == (tmp_path / "out.jsonl").read_bytes()
    assert stored(app, pair["eval"]["id"]).read_bytes() == (tmp_path / "out.eval.jsonl").read_bytes()
    refused = client.post(f"/api/datasets/{made['id']}/split", json={"share": 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")


def test_export(client, made):
    lines = client.get(f"/api/datasets/{made['id']}/export").text.splitlines()
    assert json.loads(lines[0])["messages"][1]["content"] == ROWS[0]["output"]
    table = client.get(f"/api/datasets/{made['id']}/export?format=csv")
    assert "attachment" in table.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert rows[5] == {**ROWS[5], "system": ""}
    assert client.get(f"/api/datasets/{made['id']}/export?format=source").content == GOOD
    assert client.get(f"/api/datasets/{made['id']}/export?format=exe").status_code == 422
    assert list(scratch_dir().iterdir()) == []


def test_export_of_bad_rows_and_odd_names(client):
    made = upload(client, BAD, name='../a/b"\u202ec').json()
    refused = client.get(f"/api/datasets/{made['id']}/export")
    assert (refused.status_code, refused.json()["code"]) == (422, "kept_dataset_has_errors")
    answer = client.get(f"/api/datasets/{made['id']}/export?drop_invalid=true")
    assert len(answer.text.splitlines()) == 6
    assert "/" not in answer.headers["content-disposition"]


def test_samples_become_datasets_with_one_call(client, home):
    listed = client.get("/api/datasets/samples", headers={"Accept-Language": "ja"}).json()["items"]
    assert [item["title"] for item in listed[1:3]] == ["会話", "コード"]
    for item in listed:
        made = client.post(f"/api/datasets/samples/{item['name']}", headers={"Accept-Language": "ja"})
        assert made.status_code == 201, made.text
        kept = made.json()
        assert (kept["ok"], kept["name"], kept["num_examples"], kept["type"]) == (
            True,
            item["title"],
            item["num_examples"],
            item["type"],
        )
    assert "医師や薬剤師" in kept["description"]
    assert len(folders(home)) == len(listed)
    assert client.post("/api/datasets/samples/none").json()["code"] == "sample_not_found"


def test_what_a_killed_change_leaves_behind_goes(client, app, made):
    folder = datasets_dir(app.state.platform.database.home) / made["id"]
    (folder / (".tmp-next-" + "0" * 16)).mkdir()
    assert edit(client, made, 1, fields={"output": "x"}).status_code == 200
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
