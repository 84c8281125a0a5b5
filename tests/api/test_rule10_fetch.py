"""R10: addresses are fetched only where that is allowed, over https, from public addresses, within limits."""

import http.server
import socket
import ssl
import threading
from pathlib import Path

import pytest

from api.clients import application, signed_in
from api.test_datasets import GOOD, folders
from llmlora.core.errors import DependencyError, InputError
from llmlora.services import fetch_url
from llmlora.services.fetch_url import Network, fetch, is_public, keep_url, target_of
from llmlora.services.kept_datasets import NewDataset

PUBLIC = "93.184.216.34"
CERTIFICATE = Path(__file__).with_name("example_com.pem")  # of example.com until 2126, with its key; openssl made it


def test_it_is_off_unless_allowed(client, home, monkeypatch):
    monkeypatch.setattr(fetch_url, "fetch", lambda *_: pytest.fail("fetched"))
    answer = client.post("/api/datasets/from-url", json={"url": "https://example.com/a.jsonl"})
    assert (answer.status_code, answer.json()["code"]) == (403, "url_fetching_off")
    assert folders(home) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a",
        "ftp://example.com/a",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://",
        "https:///a",
        "https://user@example.com/",
        "https://127.0.0.1#@ok.com@x/",
        "https://ok.com@127.0.0.1/",
        "https://a\\@b/",
        "https://example.com:8443/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://例え.jp/",
        "https://example.com/\n",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://" + "a" * 3000,
        "https://-x.com/",
        "//example.com/a",
        "https://ex\u0000ample.com/",
    ],
)
def test_addresses_that_are_not_plain(url):
    with pytest.raises(InputError) as caught:
        target_of(url)
    assert caught.value.code == "url_refused"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "192.0.2.1",
        "not an address",
    ],
)
def test_private_addresses_in_every_form(address):
    assert not is_public(address)


def test_public_addresses():
    assert is_public(PUBLIC)
    assert is_public("2606:2800:220:1::1")


@pytest.mark.parametrize("host", ["0177.0.0.1", "2130706433", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_no_packet_goes_to_this_machine(tmp_path, host):
    def connect(address, _):
        pytest.fail(f"connected to {address}")

    with pytest.raises((InputError, DependencyError)) as caught:
        fetch(f"https://{host}/a", tmp_path / "a", Network(connect=connect))
    assert caught.value.code in ("url_private", "url_unreachable")


def test_one_private_address_among_public_ones_is_enough(tmp_path):
    network = Network(resolve=lambda _: [PUBLIC, "10.0.0.1"], connect=lambda *_: pytest.fail("connected"))
    with pytest.raises(InputError) as caught:
        fetch("https://example.com/a", tmp_path / "a", network)
    assert caught.value.code == "url_private"


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.headers["Host"], self.path))
        status, headers, body = self.server.pages[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.asked, server.pages = [], {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def network(site):
    """Return a network in which every name is the site's, under a public address."""
    site.connected = []

    def connect(address, seconds):
        site.connected.append(address)
        return socket.create_connection(site.server_address, seconds)

    return Network(lambda host: [PUBLIC], connect, ssl.create_default_context(cafile=CERTIFICATE))


def test_a_file_is_fetched_and_kept(site, network, app, home):
    site.pages["/a.jsonl"] = (200, {}, GOOD)
    database = app.state.platform.database
    row = keep_url(database, "https://example.com/a.jsonl?x=1", NewDataset("店", file_name="a.jsonl"), network)
    assert (row.name, row.num_examples, row.is_ok) == ("店", 6, True)
    assert site.asked == [("example.com", "/a.jsonl?x=1")]
    assert site.connected == [PUBLIC]
    assert list((home / "uploads").iterdir()) == []


def test_redirects_are_looked_at_again(site, network, tmp_path):
    site.pages |= {"/1": (302, {"Location": "/2"}, b""), "/2": (200, {}, b"x")}
    fetch("https://example.com/1", tmp_path / "a", network)
    assert (tmp_path / "a").read_bytes() == b"x"
    for location in ("http://example.com/2", "https://127.0.0.1/", "file:///etc/passwd", "https://user@example.com/"):
        site.pages["/1"] = (302, {"Location": location}, b"")
        inward = Network(lambda host: [host if host[0].isdigit() else PUBLIC], network.connect, network.context)
        with pytest.raises(InputError) as caught:
            fetch("https://example.com/1", tmp_path / "b", inward)
        assert caught.value.code in ("url_refused", "url_private")
    site.pages["/1"] = (302, {"Location": "/1"}, b"")
    with pytest.raises(DependencyError) as error:
        fetch("https://example.com/1", tmp_path / "b", network)
    assert error.value.code == "url_answered"
    assert not (tmp_path / "b").exists()


def test_a_name_that_moves_while_it_is_fetched(site, network, tmp_path):
    """The second answer of the resolver is never asked for."""
    site.pages["/a"] = (200, {}, b"x")
    answers = [[PUBLIC], ["127.0.0.1"]]
    fetch("https://example.com/a", tmp_path / "a", Network(lambda _: answers.pop(0), network.connect, network.context))
    assert answers == [["127.0.0.1"]]
    assert site.connected == [PUBLIC]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ((404, {}, b"no"), "url_answered"),
        ((200, {"Content-Encoding": "gzip"}, b"x"), "url_answered"),
        ((200, {}, b"x" * 5000), "url_too_large"),
        ((200, {"Content-Length": "900"}, b"x"), "url_unreachable"),
    ],
)
def test_answers_that_are_refused(site, network, tmp_path, page, code):
    site.pages["/a"] = page
    with pytest.raises((InputError, DependencyError)) as caught:
        fetch("https://example.com/a", tmp_path / "a", network, max_bytes=1000)
    assert caught.value.code == code


def test_a_certificate_of_another_name(site, network, tmp_path):
    with pytest.raises(DependencyError) as caught:
        fetch("https://example.org/a", tmp_path / "a", network)
    assert caught.value.code == "url_unreachable"
    assert site.asked == []


def test_a_server_that_never_ends(site, network, tmp_path, monkeypatch):
    site.pages["/a"] = (200, {}, b"x" * 1000)
    times = iter([0.0, 0.0, 100.0, 100.0, 100.0])
    monkeypatch.setattr(fetch_url.time, "monotonic", lambda: next(times))
    with pytest.raises(DependencyError) as caught:
        fetch("https://example.com/a", tmp_path / "a", network)
    assert caught.value.code == "url_unreachable"


def test_over_http_where_it_is_allowed(home):
    app = application(fetch_urls=True)
    client = signed_in(app)
    for url, status, code in (
        ("https://127.0.0.1/a", 422, "url_private"),
        ("http://example.com/", 422, "url_refused"),
        ("https://[64:ff9b::7f00:1]/", 422, "url_private"),
    ):
        answer = client.post("/api/datasets/from-url", json={"url": url})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    app.state.platform.close()
