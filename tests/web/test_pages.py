"""The built pages in a real browser, and what they weigh."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from served import serving
from web.browser import DIST, add_dataset, ask, needs_browser, needs_pages, run_chart_speed, run_script, train
from web.provocations import provocations

FIRST_LOAD_BYTES = 200_000

pytestmark = needs_pages


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("workspace")) as found:
        yield found


@pytest.fixture(scope="module")
def job_id(server):
    return train(server, add_dataset(server, "レベル1 基本Q&A"), "基本Q&A", num_train_epochs=20)


@needs_browser
@pytest.mark.parametrize("looks", ["turned", pytest.param("all", marks=pytest.mark.gate)])
def test_every_page_in_every_look(looks, server, job_id):
    """No fault of the console, no request elsewhere, nothing serious for axe, no scrolling sideways."""
    finished = run_script("smoke.mjs", server, looks, timeout=600)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert re.search(r"^\d+ views, no fault$", finished.stdout.strip())


def test_the_first_load_is_light():
    """What the dashboard needs before it shows: the entry, its imports, its route, and one language."""
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    wanted = [
        "index.html",
        "src/features/dashboard/dashboard-page.tsx",
        *(name for name in manifest if "texts/ja" in name),
    ]
    assert len(wanted) == 3
    files = set()
    while wanted:
        chunk = manifest[wanted.pop()]
        files.add(chunk["file"])
        wanted += [name for name in chunk.get("imports", ()) if manifest[name]["file"] not in files]
    scripts = [DIST / name for name in files if name.endswith(".js")] + [DIST / "theme.js"]
    assert sum(len(gzip.compress(script.read_bytes())) for script in scripts) <= FIRST_LOAD_BYTES


def test_nothing_is_loaded_from_elsewhere_and_no_script_is_inline():
    page = (DIST / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=\"(?!/)", page)
    assert not re.search(r"<script[^>]*>\s*[^\s<]", page)
    for style in (DIST / "assets").glob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//", style.read_text(encoding="utf-8"))


def test_the_page_holds_its_own_texts_only():
    (texts,) = (DIST / "assets").glob("ja-*.js")
    found = texts.read_text(encoding="utf-8")
    assert "web.page.dashboard" in found
    assert "cli.serve" not in found


@needs_browser
def test_the_page_of_the_api_lists_and_asks_every_route(server):
    finished = run_script("docs.mjs", server, server.token)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@needs_browser
def test_what_a_learner_is_told_of_stands_on_the_page(server, job_id):
    """The names of tabs, buttons, fields and presets that the lessons use."""
    finished = run_script("contract.mjs", server)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@needs_browser
def test_enter_of_an_input_method_does_nothing_else(server, job_id):
    """In every field for words: chat, search, rename, names, recipes; nothing is sent, opened or closed."""
    data = ask(server, f"/api/training/jobs/{job_id}")["dataset_id"]
    finished = run_script("ime.mjs", server, job_id, data)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert int(finished.stdout.split()[0]) >= 25


@needs_browser
@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.gate)])
def test_errors_say_what_why_and_what_next(every, server, job_id, tmp_path):
    """Wrong requests, really made: the page shows cause, next step and code in both languages, and no stack trace."""
    data = ask(server, f"/api/training/jobs/{job_id}")["dataset_id"]
    wrong = provocations(job_id, data)
    (tmp_path / "wrong.json").write_text(json.dumps(wrong), encoding="utf-8")
    finished = run_script("errors.mjs", server, str(tmp_path / "wrong.json"), str(every), timeout=600)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    seen = json.loads(finished.stdout)
    assert seen["provoked"] == len(wrong[::every])
    assert every > 1 or (seen["provoked"] >= 40 and len(seen["codes"]) >= 25)


@needs_browser
@pytest.mark.parametrize("minutes", [2, pytest.param(8 * 60, marks=pytest.mark.gate)])
def test_hours_of_live_updates_do_not_fill_the_memory(minutes, server, job_id):
    """The page of a job by a clock of its own: an event each second, and looks at the machine."""
    finished = run_script("hours.mjs", server, job_id, str(minutes), timeout=3600)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    found = json.loads(finished.stdout)
    assert found["events"] == 60 * minutes
    assert found["looks"] >= minutes  # about three a minute: a look needs time that the page's clock does not give
    assert found["after"]["megabytes"] < 150
    assert found["after"]["nodes"] < 2 * found["before"]["nodes"] + 1000


@needs_browser
def test_ten_curves_of_a_hundred_thousand_points_are_drawn_at_once(tmp_path):
    """The pointer is answered within a few frames; the milliseconds of a drawing are for the gate."""
    found = run_chart_speed(tmp_path, times=2)
    assert len(found["draws"]) == len(found["busy"]) == 2, found
    assert found["interactions"] > 50, found
    assert found["p95"] < 50, found


@needs_browser
def test_a_chat_before_and_after_training(server, job_id):
    """One question to both, answers as they come; the right one goes into the data; a column fails alone."""
    finished = run_script("chat.mjs", server, job_id)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.gate
@needs_browser
def test_finished_jobs_are_compared_and_exported_from_the_page(tmp_path):
    """Evaluated by one click until the answers stand side by side, and made into a file that is verified and used."""
    with serving(tmp_path) as server:
        dataset_id = add_dataset(server, "レベル1 基本Q&A")
        for rank in (4, 8):
            train(server, dataset_id, f"r={rank}", r=rank, max_steps=3)
        finished = run_script("use-jobs.mjs", server)
        assert finished.returncode == 0, finished.stdout + finished.stderr
