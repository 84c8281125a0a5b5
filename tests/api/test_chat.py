"""The chat of the page: several models in one stream, each with its own history, each failing alone."""

import http.client
import json
import time
from contextlib import closing

import pytest

from api.clients import application, client_of, signed_in
from cli.test_serve import serving
from llmlora.api.routes.chat import _told
from llmlora.core.layout import work_root
from llmlora.evaluation.measuring.questions import read_questions
from llmlora.store import jobs
from tiny_jobs import tiny_job

ASKED = [{"role": "user", "content": "こんにちは"}]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return the application of a workspace with one finished job, and the job's id."""
    home = tmp_path_factory.mktemp("chat")
    made = tiny_job("llama", home, {})
    job_id = json.loads((made / "config.json").read_text())["id"]
    place = work_root(home, "train") / job_id
    place.parent.mkdir()
    made.rename(place)
    patch = pytest.MonkeyPatch()
    patch.setenv("LLMLORA_HOME", str(home))
    app = application()
    queue = app.state.platform.queue
    queue.submit("train", place, name="店", job_id=job_id)
    yield app, job_id
    app.state.warm_models.wait_closed()
    app.state.platform.close()
    patch.undo()


def chat(client, *columns, **wish):
    """Return the events of a chat as (name, data)."""
    sent = {"columns": [{"model": model, "messages": messages} for model, messages in columns], "max_length": 6}
    with client.stream("POST", "/api/chat", json=sent | wish) as answer:
        body = answer.read().decode()
    assert answer.status_code == 200, body
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [parsed(block) for block in body.split("\n\n") if block]


def parsed(block):
    name, data = block.split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def column(events, number):
    return [(name, data) for name, data in events if data.get("column") == number]


def test_three_models_in_one_stream(shop):
    app, job_id = shop
    client = signed_in(app)
    models = ["nano", f"job:{job_id}", f"job:{job_id}@base"]
    events = chat(client, *[(model, ASKED) for model in models], seed=7)
    assert events[0] == ("begin", {"seed": 7})
    assert events[-1] == ("end", {})
    for number, model in enumerate(models):
        told = column(events, number)
        assert told[-1][0] == "reply"
        reply = told[-1][1]
        assert "".join(data["text"] for name, data in told if name == "text") == reply["text"]
        wish = {"model": model, "prompt": "こんにちは", "seed": 7, "max_length": 6}
        assert client.post("/api/generate", json=wish).json()["text"] == reply["text"], model
        assert reply["num_prompt_tokens"] > 0
        assert reply["tokens_per_second"] is None or reply["tokens_per_second"] > 0


def test_an_answer_that_comes_in_one_go_is_told_without_a_speed(monkeypatch):
    reply, now = {"type": "reply", "num_tokens": 11}, time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert _told(reply, now)["tokens_per_second"] is None
    assert _told(reply, now - 0.5)["tokens_per_second"] == 20


def test_each_has_its_own_history(shop):
    app, _ = shop
    longer = [*ASKED, {"role": "assistant", "content": "はい。"}, *ASKED]
    events = chat(signed_in(app), ("nano", ASKED), ("nano", longer), temperature=0)
    lengths = [column(events, number)[-1][1]["num_prompt_tokens"] for number in (0, 1)]
    assert lengths[0] < lengths[1]


def test_a_column_fails_alone(shop):
    app, _ = shop
    overlong = [{"role": "user", "content": "あ" * 9000}]
    events = chat(signed_in(app), ("no-such", ASKED), ("nano", ASKED), ("nano", overlong))
    assert [column(events, number)[-1][0] for number in (0, 1, 2)] == ["error", "reply", "error"]
    errors = [column(events, number)[-1][1] for number in (0, 2)]
    assert [error["code"] for error in errors] == ["model_not_askable", "prompt_too_long"]
    assert all(error["hint"] for error in errors)


def test_raw_stop_and_likeliest_tokens(shop):
    app, _ = shop
    told = [[{"role": "user", "content": "昔々、あるところに"}]]
    events = chat(signed_in(app), ("nano", *told), raw=True, temperature=0, top_logprobs=3)
    reply = column(events, 0)[-1][1]
    tokens = [token for _, data in column(events, 0) for token in data.get("tokens", ())]
    assert len(tokens) == reply["num_tokens"]
    assert all(len(token["top_logprobs"]) == 3 for token in tokens)
    cut = chat(signed_in(app), ("nano", *told), raw=True, temperature=0, stop=[reply["text"][2]])
    assert column(cut, 0)[-1][1]["text"] == reply["text"][:2]


@pytest.mark.parametrize(
    "wish",
    [
        {"columns": []},
        {"columns": [{"model": "nano", "messages": ASKED}] * 4},
        {"columns": [{"model": "nano", "messages": []}]},
        {"columns": [{"model": "nano", "messages": [{"role": "tool", "content": "x"}]}]},
        {"columns": [{"model": "nano", "messages": ASKED}], "temperature": -1},
        {"columns": [{"model": "nano", "messages": ASKED}], "more": 1},
    ],
)
def test_what_is_refused(shop, wish):
    answer = signed_in(shop[0]).post("/api/chat", json=wish)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


def test_what_can_be_asked(shop):
    app, job_id = shop
    client = signed_in(app)
    client.post("/api/generate", json={"model": "nano", "prompt": "a", "max_length": 1})
    first = client.get("/api/chat/models").json()["items"][0]
    assert (first["id"], first["kind"], first["is_loaded"]) == ("nano", "bundled", True)
    assert first["memory_bytes"] > 10 << 20
    assert len(client.get("/api/chat/models").json()["items"]) == 1  # the job waits in the queue
    queue = app.state.platform.queue
    with queue.database.write() as connection:
        jobs.change_status(connection, job_id, "claim")
        assert jobs.change_status(connection, job_id, "succeed", run=0)
    items = client.get("/api/chat/models").json()["items"]
    assert [(item["id"], item["name"], item["kind"]) for item in items[1:]] == [
        (f"job:{job_id}", "店", "job"),
        (f"job:{job_id}@base", "店", "base"),
    ]
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == [item["id"] for item in items]
    assert client_of(app).get("/api/chat/models").status_code == 401


def test_questions_are_gathered_for_evaluations(client, home):
    assert client.get("/api/chat/questions").json()["items"] == []
    shop = {"prompt": "定休日は？", "reference": "水曜日です。", "paraphrases": ["休みの日は？"]}
    for question, number in ((shop, 1), (shop, 1), ({"prompt": " 送料は？ ", "reference": "550円です。"}, 2)):
        answer = client.post("/api/chat/questions", json=question)
        assert (answer.status_code, answer.json()["num_questions"]) == (201, number), answer.text
    assert [item["prompt"] for item in client.get("/api/chat/questions").json()["items"]] == ["定休日は？", "送料は？"]
    read = list(read_questions(home / "questions.jsonl"))
    assert (answer.json()["path"], len(read)) == (str(home / "questions.jsonl"), 2)
    assert (read[0].reference, read[0].paraphrases[0]) == ("水曜日です。", "休みの日は？")
    assert client.post("/api/chat/questions", json={"prompt": " ", "reference": "a"}).status_code == 422
    (home / "questions.jsonl").write_text("broken\n", encoding="utf-8")
    assert client.post("/api/chat/questions", json=shop).json()["code"] == "questions_damaged"


def test_leaving_and_stopping_end_every_column(tmp_path):
    with serving(tmp_path) as server:
        asked = {"columns": [{"model": "nano", "messages": ASKED}] * 3, "max_length": 100_000, "temperature": 5}
        with closing(started(server, asked)):
            pass
        with closing(started(server, asked | {"max_length": 1})) as connection, connection.getresponse() as answer:
            assert "event: reply" in answer.read().decode()
        assert server.longest_answer() == 1, "nobody went on for those who had left"
        with closing(started(server, asked)) as connection, connection.getresponse() as answer:
            while b"event: text" not in answer.readline():
                pass
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 8
            assert b"server_stopping" in answer.read()
    assert not list((tmp_path / "scratch").iterdir())


def started(server, body):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/chat", json.dumps(body), headers)
    return connection
