"""The pages: what the built front end answers to which address, and how long browsers keep it."""

from __future__ import annotations

import pytest

from api.clients import application, client_of, signed_in

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def pages(tmp_path, home):
    """Return a client of a server with a small front end, signed in."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>page</title>", encoding="utf-8")
    (tmp_path / "docs.html").write_text("<title>llmlora API</title>", encoding="utf-8")
    (tmp_path / "theme.js").write_text("// theme", encoding="utf-8")
    (tmp_path / "assets" / "index-abc.js").write_text("// page", encoding="utf-8")
    app = application(page_dir=tmp_path)
    yield signed_in(app)
    app.state.platform.close()


@pytest.fixture
def manual(tmp_path, home):
    """Return a client of a server with a small front end and a manual in two languages, signed in."""
    for language in ("ja", "en"):
        (tmp_path / "manual" / language).mkdir(parents=True)
        (tmp_path / "manual" / language / "index.html").write_text(f"manual {language}", encoding="utf-8")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "index.html").write_text("<title>page</title>", encoding="utf-8")
    app = application(page_dir=tmp_path / "dist")
    yield signed_in(app)
    app.state.platform.close()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_manual_opens_in_the_language_of_the_reader(manual, language):
    for path in ("/manual", "/manual/"):
        answer = manual.get(path, headers=HTML | {"Accept-Language": language})
        assert (answer.status_code, answer.headers["location"]) == (307, f"/manual/{language}/index.html")
    page = manual.get(f"/manual/{language}/index.html")
    assert page.text == f"manual {language}"
    policy = page.headers["content-security-policy"]
    assert "img-src 'self' data:" in policy
    assert "script-src 'self';" in policy  # no inline script, as everywhere
    assert "data:" not in manual.get("/jobs", headers=HTML).headers["content-security-policy"]


def test_a_page_that_the_manual_has_not_is_no_page_of_the_front_end(manual):
    answer = manual.get("/manual/ja/nowhere.html", headers=HTML)
    assert answer.status_code == 404
    assert manual.get("/manuals", headers=HTML).text == "<title>page</title>"


def test_the_manual_needs_the_token_too(manual):
    assert client_of(manual.app).get("/manual/ja/index.html", headers=HTML).status_code == 401


def test_an_installation_without_the_manual_says_how_to_get_it(client):
    for path in ("/manual", "/manual/ja/index.html"):
        assert "make manual" in client.get(path, headers=HTML | {"Accept-Language": "ja"}).text


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/01M8MRXQ4TMPHG49Z8YW0HW2F2?tab=log", "/apiary"])
def test_every_address_of_a_page_opens_the_front_end(pages, path):
    answer = pages.get(path, headers=HTML)
    assert (answer.status_code, answer.text) == (200, "<title>page</title>")
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_of_the_api_may_draw_its_icons(pages):
    answer = pages.get("/docs", headers=HTML)
    assert (answer.status_code, answer.text) == (200, "<title>llmlora API</title>")
    assert "img-src 'self' data:" in answer.headers["content-security-policy"]
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert client_of(pages.app).get("/docs", headers=HTML).status_code == 401


@pytest.mark.parametrize("path", ["/api/none", "/api/training/nowhere"])
def test_a_route_that_the_api_has_not_is_no_page(pages, path):
    answer = pages.get(path, headers=HTML)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


def test_a_route_that_openai_has_not_is_no_page(pages):
    answer = pages.get("/v1/none", headers=HTML)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "route_not_found")


def test_the_methods_of_the_api_stay_what_they_are(pages):
    assert pages.get("/api/jobs/x/pause", headers=HTML).status_code == 405
    assert pages.post("/api/none").status_code == 404


def test_what_carries_its_hash_is_kept_and_nothing_else(pages):
    kept = pages.get("/assets/index-abc.js")
    assert (kept.status_code, kept.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert kept.headers["content-type"].startswith("text/javascript")
    assert pages.get("/theme.js").headers["cache-control"] == "no-cache"
    gone = pages.get("/assets/index-old.js")
    assert (gone.status_code, gone.headers["cache-control"]) == (404, "no-cache")


def test_the_pages_need_the_token_too(tmp_path, home):
    (tmp_path / "index.html").write_text("<title>page</title>", encoding="utf-8")
    app = application(page_dir=tmp_path)
    answer = client_of(app).get("/jobs", headers=HTML)
    app.state.platform.close()
    assert answer.status_code == 401
    assert 'name="token"' in answer.text
    assert client_of(app).get("/sign-in.css").headers["content-type"].startswith("text/css")


def test_a_server_without_a_front_end_says_so(client):
    assert "API" in client.get("/", headers=HTML | {"Accept-Language": "ja"}).text
    assert client.get("/jobs", headers=HTML).status_code == 404
