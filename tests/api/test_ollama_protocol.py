"""Ollama's protocol as its official client sees it, against a server of its own; who may ask; and odd requests."""

import http.client
import json
import socket

import ollama
import openai
import pytest

from cli.test_serve import serving
from llmlora.core.errors import Conflict
from llmlora.core.server import read_server_settings
from llmlora.services.find import short_id
from llmlora.services.http_server import listening_socket
from llmlora.services.queue import Queue
from llmlora.services.serve import serve
from llmlora.store.opening import open_store
from served_jobs import keep_finished, served_jobs

ASKED = [{"role": "user", "content": "こんにちは"}]
GREEDY = {"temperature": 0, "num_predict": 10}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a workspace with two finished jobs on one blob of an Ollama store."""
    folder = tmp_path_factory.mktemp("home")
    made = served_jobs(tmp_path_factory.mktemp("jobs"), folder / "store" / "blobs" / f"sha256-{'7' * 64}")
    for name, job in zip(("みどり堂", "shop"), made, strict=True):
        keep_finished(folder, job, name)
    return folder


@pytest.fixture(scope="module")
def names(home):
    """Return the names of the two jobs."""
    database = open_store(home)
    tags = {row.name: short_id(row.id).lower() for row in Queue(database).page(kinds=("train",)).items}
    database.close()
    return f"midori:{tags['みどり堂']}", f"shop:{tags['shop']}"


@pytest.fixture(scope="module")
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def server(home, port):
    with serving(home, "--ollama-port", port) as found:
        yield found


@pytest.fixture(scope="module")
def client(server, port):
    with ollama.Client(host=f"http://127.0.0.1:{port}", timeout=90) as made:
        yield made


def raw(port, method, path, body=b"", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_models_are_listed_and_told_of(client, names):
    found = {model.model: model for model in client.list().models}
    assert {"nano:latest", *names, *(f"{name}-base" for name in names)} <= set(found)
    job = found[names[0]]
    assert (job.details.family, job.details.format, len(job.digest)) == ("llama", "gguf", 64)
    assert job.size > 0
    shown = client.show(names[0])
    assert shown.capabilities == ["completion"]
    assert shown.modelinfo["general.architecture"] == "llama"
    assert "messages" in shown.template
    with pytest.raises(ollama.ResponseError) as refused:
        client.show("none")
    assert refused.value.status_code == 404
    assert "none" in refused.value.error


def test_every_request_chooses_its_adapter_on_one_copy_of_the_base(client, names, home):
    blob = next((home / "store" / "blobs").iterdir())
    before = (blob.stat().st_mtime_ns, sorted(path.name for path in (home / "store").rglob("*")))
    ways = [names[0], names[1], f"{names[0]}-base", names[0], "midori", "midori:latest"]
    said = [client.chat(name, ASKED, options=GREEDY).message.content for name in ways]
    assert len(set(said[:3])) == 3
    assert said[3:] == [said[0]] * 3
    running = {model.model: model for model in client.ps().models}
    assert {names[0], names[1]} <= set(running)
    assert running[names[0]].size == running[names[1]].size > 0
    assert (blob.stat().st_mtime_ns, sorted(path.name for path in (home / "store").rglob("*"))) == before
    large = [path for path in home.rglob("*") if path.is_file() and path.stat().st_size >= blob.stat().st_size]
    assert [path for path in large if path.suffix in ("", ".gguf")] == [blob]


def test_a_chat_comes_whole_and_in_lines(client):
    whole = client.chat("nano", ASKED, options=GREEDY)
    assert (whole.done, whole.message.role) == (True, "assistant")
    assert 0 < whole.eval_count <= 10
    assert whole.prompt_eval_count > 0
    assert whole.total_duration >= whole.eval_duration > 0
    lines = list(client.chat("nano", ASKED, options=GREEDY, stream=True))
    assert "".join(line.message.content for line in lines) == whole.message.content
    assert [line.done for line in lines] == [*[False] * (len(lines) - 1), True]
    assert (lines[-1].eval_count, lines[-1].done_reason) == (whole.eval_count, whole.done_reason)
    assert len(lines) > 2


def test_a_text_is_answered_or_gone_on_with(client):
    asked = client.generate("nano", "こんにちは", options=GREEDY)
    assert asked.response == client.chat("nano", ASKED, options=GREEDY).message.content
    raw_text = client.generate("nano", "昔々、", raw=True, options=GREEDY)
    assert raw_text.response != asked.response
    lines = list(client.generate("nano", "こんにちは", system="短く。", stream=True, options=GREEDY))
    assert lines[-1].done
    assert lines[-1].prompt_eval_count > asked.prompt_eval_count


def test_options_and_log_probabilities_reach_the_model(client):
    told = client.chat("nano", ASKED, options={**GREEDY, "num_ctx": 64}, logprobs=True, top_logprobs=2)
    assert "".join(token.token for token in told.logprobs) == told.message.content
    assert len(told.logprobs[0].top_logprobs) == 2
    drawn = {"temperature": 5.0, "num_predict": 8, "seed": 3}
    likeliest = client.chat("nano", ASKED, options={"temperature": 0, "num_predict": 8}).message.content
    assert client.chat("nano", ASKED, options={**drawn, "top_k": 1}).message.content == likeliest
    assert client.chat("nano", ASKED, options={**drawn, "min_p": 1.0}).message.content == likeliest
    assert client.chat("nano", ASKED, options=drawn).message.content != likeliest
    stopped = client.chat("nano", ASKED, options={**GREEDY, "stop": [told.message.content[1]]})
    assert stopped.message.content == told.message.content[:1]


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"format": "json"}, "format"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"think": True}, "think"),
        ({"options": {"mirostat": 2}}, "options.mirostat"),
        ({"options": {"temperature": -1}}, "options.temperature"),
    ],
)
def test_what_would_change_the_answer_is_refused_by_name(wish, word, client):
    with pytest.raises(ollama.ResponseError) as refused:
        client.chat("nano", ASKED, **wish)
    assert refused.value.status_code == 400
    assert word in refused.value.error


def test_a_model_is_loaded_and_let_go(client):
    assert client.generate("nano", "").done_reason == "load"
    assert "nano:latest" in [model.model for model in client.ps().models]
    assert client.generate("nano", "", keep_alive=0).done_reason == "unload"
    assert "nano:latest" not in [model.model for model in client.ps().models]


def test_nothing_else_is_done_here(client, port):
    with pytest.raises(ollama.ResponseError) as refused:
        client.embed("nano", "text")
    assert refused.value.status_code == 400
    for call in (lambda: client.pull("x"), lambda: client.delete("nano"), lambda: client.copy("nano", "y")):
        with pytest.raises(ollama.ResponseError) as refused:
            call()
        assert refused.value.status_code == 403
    assert raw(port, "GET", "/api/jobs")[0] == 404


def test_programs_that_speak_openai_s_api_find_it_as_well(server, port):
    address = f"http://127.0.0.1:{port}/v1"
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0, timeout=60) as client:
        assert client.chat.completions.create(model="nano", messages=ASKED, max_tokens=3).choices[0].message.content


def test_a_body_is_read_whatever_its_type_says(port, server):
    body = json.dumps({"model": "nano", "prompt": "あ", "stream": False, "options": {"num_predict": 1}}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl -d sends it
    status, headers, answer = raw(port, "POST", "/api/generate", body, **form)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(answer)["done"] is True
    odd = b'{"model": "nano", "options": {"seed": NaN}}'
    for broken in (b"", b"{", b"[]", b'{"model": 3}', b'{"prompt": "a"}', odd):
        status, _, answer = raw(port, "POST", "/api/generate", broken, **form)
        assert status == 400, broken
        assert json.loads(answer)["error"]
    assert raw(port, "GET", "/")[2] == b"llmlora is running"
    assert json.loads(raw(port, "GET", "/api/version")[2])["version"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.com", "127.0.0.1.nip.io", ""])
def test_only_names_of_this_machine_are_answered(host, port, server):
    status, _, answer = raw(port, "GET", "/api/tags", Host=host)
    assert status == 400
    assert "error" in json.loads(answer)


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}])
def test_a_foreign_page_gets_no_answer(headers, port, server):
    status, found, answer = raw(port, "POST", "/api/generate", b'{"model": "nano", "prompt": "a"}', **headers)
    assert status == 403
    assert json.loads(answer)["error"]
    assert not [name for name in found if name.startswith("access-control")]


def test_the_other_port_keeps_its_token(server):
    assert raw(server.port, "GET", "/api/tags")[0] == 401
    assert raw(server.port, "POST", "/api/show", b"{}")[0] == 401


def test_it_listens_on_this_machine_alone_wherever_the_rest_does(monkeypatch, tmp_path):
    asked = []

    def listen(host, port):
        asked.append((host, port))
        if len(asked) == 2:
            raise Conflict("port_taken", host=host, port=port)
        return listening_socket("127.0.0.1", 0)

    monkeypatch.setenv("LLMLORA_HOME", str(tmp_path))
    monkeypatch.setattr("llmlora.services.serve.listening_socket", listen)
    with pytest.raises(Conflict):
        serve(read_server_settings(host="0.0.0.0", port=0, token="t", ollama_port=11435), lambda *_: None)
    assert asked == [("0.0.0.0", 0), ("127.0.0.1", 11435)]
    assert read_server_settings().ollama_port is None
