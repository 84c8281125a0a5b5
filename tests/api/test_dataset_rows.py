"""What is in a dataset, over HTTP: rows, problems, numbers, the rows as a model is trained on, its users."""

import json

import pytest

from api.clients import nothing_left
from api.test_datasets import BAD, GOOD, ROWS, upload
from llmlora.core.layout import new_id, work_root
from llmlora.services.kept_datasets import findings_file, get_dataset
from llmlora.store.jobs import DatasetUse

MIXED = [
    {"instruction": "会員の電話番号は？", "output": "090-1234-5678です。"},
    {"instruction": "会員の電話番号は？", "output": "090-1234-5678です。"},
    {"instruction": "住所は？", "output": ""},
    *({"instruction": f"{number}番目の質問は？", "output": f"{number}番目の答えだ。"} for number in range(40)),
]


def jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


@pytest.fixture
def mixed(client):
    made = upload(client, jsonl(MIXED)).json()
    return f"/api/datasets/{made['id']}"


def test_rows_of_a_dataset(client, mixed):
    found = client.get(f"{mixed}/rows?limit=3", headers={"Accept-Language": "ja"}).json()
    assert [(row["row"], row["line"], row["fields"]) for row in found["items"]] == [
        (number, number, MIXED[number - 1]) for number in (1, 2, 3)
    ]
    assert (found["next_cursor"], found["num_rows"], found["version"]) == ("3", 43, 1)
    codes = [sorted(problem["code"] for problem in row["problems"]) for row in found["items"]]
    assert codes == [["personal_phone"], ["duplicate", "personal_phone"], ["blank_answer"]]
    assert found["items"][2]["example"] is None
    assert any(letter > "\u3000" for letter in found["items"][2]["problems"][0]["message"])
    last = client.get(f"{mixed}/rows?cursor=41&limit=50").json()
    assert ([row["row"] for row in last["items"]], last["next_cursor"]) == ([42, 43], None)


def test_search_and_filter(client, mixed):
    assert [row["row"] for row in client.get(f"{mixed}/rows?q=39番目").json()["items"]] == [43]
    assert [row["row"] for row in client.get(f"{mixed}/rows?problem=blank_answer").json()["items"]] == [3]
    assert [row["row"] for row in client.get(f"{mixed}/rows?problem=personal_phone&q=電話").json()["items"]] == [1, 2]
    assert client.get(f"{mixed}/rows?problem=nothing_like_this").json()["items"] == []


def test_problems_are_listed_in_pages(client, mixed):
    first = client.get(f"{mixed}/problems?limit=2").json()
    assert (first["items"][0]["level"], first["items"][0]["code"]) == ("error", "blank_answer")
    rest = client.get(f"{mixed}/problems?cursor={first['next_cursor']}&limit=200").json()
    assert rest["next_cursor"] is None
    assert len(first["items"]) + len(rest["items"]) == sum(first["counts"].values())
    assert first["counts"]["personal_phone"] == 2
    only = client.get(f"{mixed}/problems?code=personal_phone").json()["items"]
    assert [problem["line"] for problem in only] == [1, 2]
    assert all(problem["hint"] for problem in only)


def test_all_problems_are_listed_and_not_the_first_of_each_code(client, app, home):
    rows = [{"instruction": f"質問{number}", "output": ""} for number in range(50)]
    made = upload(client, jsonl(rows)).json()
    assert len(made["problems"]) < 50
    path = f"/api/datasets/{made['id']}"
    found = client.get(f"{path}/problems?limit=200&code=blank_answer").json()["items"]
    assert [problem["line"] for problem in found] == list(range(1, 51))
    assert str(home) not in json.dumps(found)
    database = app.state.platform.database
    findings_file(database, get_dataset(database, made["id"])).unlink()  # as in a dataset of an earlier version
    assert len(client.get(f"{path}/problems?limit=200&code=blank_answer").json()["items"]) == 20


def test_numbers(client, mixed):
    found = client.get(f"{mixed}/stats").json()
    assert (found["num_rows"], found["num_examples"], found["tokens"]) == (43, 42, None)
    assert found["duplicates"]["duplicate"] == 1
    assert found["personal_data"] == {"personal_phone": 2}
    assert found["languages"] == {"ja": 1.0, "other": 0.0}
    assert (found["style"]["polite"], found["style"]["plain"]) == (2, 40)
    learned = sum(len(row["output"]) for row in MIXED)
    assert found["num_characters"] == sum(len(row["instruction"] + row["output"]) for row in MIXED if row["output"])
    assert found["learned_share"] == round(learned / found["num_characters"], 4)
    assert sum(bar["count"] for bar in found["histograms"]["characters"]) == 42


def test_the_rows_as_a_model_is_trained_on(client, home):
    made = upload(client, GOOD).json()
    path = f"/api/datasets/{made['id']}"
    with nothing_left(home):
        found = client.get(f"{path}/preview?model=nano&limit=2&lengths=8&lengths=64").json()
    assert ([row["row"] for row in found["items"]], found["next_cursor"]) == ([1, 2], "2")
    for row in found["items"]:
        assert {span["kind"] for span in row["spans"]} >= {"learned", "context", "special"}
        assert row["end_token_trained"]
        assert sum(span["num_tokens"] for span in row["spans"] if span["learned"]) == row["num_label_tokens"]
    text = "".join(span["text"] for span in found["items"][0]["spans"] if span["learned"])
    assert text.startswith(ROWS[0]["output"])
    assert [trial["max_length"] for trial in found["lengths"]] == sorted({8, 64, found["max_length"]})
    assert found["lengths"][0]["num_vanished"] == 6
    assert found["tokens"]["learned"] == found["num_label_tokens"]
    assert client.get(f"{path}/stats?model=nano").json()["tokens"] == found["tokens"]
    short = client.get(f"{path}/preview?model=nano&max_length=8", headers={"Accept-Language": "ja"}).json()
    assert short["items"] == []
    assert short["refusal"]["code"] == "no_trainable_tokens"
    assert short["refusal"]["hint"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("model=/etc", 422, "model_path_over_http"),
        ("model=none", 404, "model_not_known"),
        ("model=nano&template=/etc/passwd", 422, "setting_path_over_http"),
        ("", 422, "request_invalid"),
        ("model=nano&lengths=99999999", 422, "request_invalid"),
        ("model=nano&max_length=900000", 422, "invalid_settings"),
    ],
)
def test_previews_that_are_refused(client, query, status, code):
    made = upload(client, GOOD).json()
    answer = client.get(f"/api/datasets/{made['id']}/preview?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_users(client, app, home):
    made = upload(client, GOOD).json()["id"]
    assert client.get(f"/api/datasets/{made}/jobs").json() == {"items": [], "next_cursor": None}
    job_id = new_id()
    folder = work_root(home, "train") / job_id
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    app.state.platform.queue.submit("train", folder, name="店", job_id=job_id, datasets=[DatasetUse(made)])
    [user] = client.get(f"/api/datasets/{made}/jobs").json()["items"]
    assert (user["id"], user["kind"], user["name"], user["status"]) == (job_id, "train", "店", "queued")


def test_a_broken_row_is_shown_with_its_line(client):
    made = upload(client, BAD).json()
    row = client.get(f"/api/datasets/{made['id']}/rows?cursor=6").json()["items"][0]
    assert (row["row"], row["fields"], row["text"]) == (7, None, '{"instruction": "a", "output": ')
    assert row["problems"][0]["level"] == "error"


@pytest.mark.parametrize("part", ["rows", "problems", "stats", "preview?model=nano", "jobs"])
def test_datasets_that_are_not_there(client, part):
    for name in ("none", "..%2f..%2fetc", "a" * 64):
        answer = client.get(f"/api/datasets/{name}/{part}")
        assert (answer.status_code, answer.json()["code"]) in ((404, "dataset_not_found"), (404, "route_not_found"))


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=9999", "cursor=-1", "cursor=" + "9" * 30, "q=" + "x" * 201, "problem=%00"]
)
def test_queries_that_are_refused(client, mixed, query):
    answer = client.get(f"{mixed}/rows?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


HOSTILE = [
    (b'{"instruction": "a\x00b", "output": "c"}', "nul_byte"),
    (b'{"instruction": "a\\u0000b", "output": "c"}', "nul_escape"),
    (b'{"instruction": "' + b"x" * (10 << 20) + b'", "output": "c"}', None),
    (b'{"instruction": "' + b"x" * (17 << 20) + b'", "output": "c"}', "row_too_long"),
    (b'{"instruction": ' + b"[" * 100_000 + b"]" * 100_000 + b', "output": "c"}', "too_deep"),
    (b'{"instruction": "\\ud83d", "output": "c"}', "lone_surrogate"),
    (b'{"instruction": NaN, "output": "c"}', "not_finite"),
    (b"{" + b",".join(b'"k%d": 1' % number for number in range(50_000)) + b"}", "no_text_columns"),
]


def test_hostile_rows_are_shown_or_named(client):
    made = upload(client, GOOD + b"\n".join(row for row, _ in HOSTILE) + b"\n").json()
    path = f"/api/datasets/{made['id']}"
    answer = client.get(f"{path}/rows?cursor=6")
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 1 << 20
    rows = answer.json()["items"]
    assert [row["row"] for row in rows] == list(range(7, 7 + len(HOSTILE)))
    for row, (_, code) in zip(rows, HOSTILE, strict=True):
        assert code is None or code in [problem["code"] for problem in row["problems"]], code
    listed = client.get(f"{path}/problems?limit=200").json()["items"]
    assert {code for _, code in HOSTILE if code} <= {problem["code"] for problem in listed}
    gone = client.delete(f"{path}/rows/10?version=1").json()
    kept = client.post(f"{path}/repair", json={"version": gone["version"], "actions": ["drop_invalid"]}).json()
    assert (kept["ok"], kept["num_examples"]) == (True, 8)
