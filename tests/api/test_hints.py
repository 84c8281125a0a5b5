"""What the API and its page say of the next step can be taken there; what is for a terminal says so."""

from __future__ import annotations

import ast
import contextvars
import re
from pathlib import Path
from typing import Any

import pytest

import llmlora
from api.test_training_jobs import create
from llmlora.core.locale import LANGUAGES, VERBS, catalogue, has_text, set_language, speak_to_page, translate

SOURCE = Path(llmlora.__file__).parent
COMMAND = re.compile(rf"(?<![\w./-])llmlora (?:{'|'.join(VERBS)})\b|(?<![\w-])(?:--[a-z]|-[ofy]\b)|\bpip install\b")
TERMINAL = {"ja": "端末", "en": "terminal"}  # the word that marks a command as one to run there
# Families of texts of which the API words some
SAID = ("cli.finding.", "cli.warning.", "cli.setting.", "cli.limit.", "data.", "evaluation.advice.", "evaluation.note.")
SAID += ("evaluation.headline", "export.check.", "export.cause.", "doctor.", "api.", "web.", "config.", "status.")
SAID += ("foreign.", "error.")
# What is said of options and arguments of the command line, and of a server that does not run
UNSAID = re.compile(r"^data\.(?!.*\.(?:message|hint|hint_none_shorter)(?:\.on_page)?$)")
TERMINAL_CODES = {
    "address_unusable", "bad_per_question", "invalid_fraction", "invalid_sample", "max_length_needs_model",
    "missing_argument", "model_needs_drop_overlong", "no_auth_not_loopback", "no_demo_of_model", "no_eval_data",
    "no_file_of_job", "not_rewordings", "nothing_to_reword", "port_taken", "queue_left", "queue_worked_on",
    "recipe_is_folder", "recipe_or_options", "recipe_unreadable", "resume_alone", "rewordings_differ", "server_running",
    "token_missing", "unknown_keep", "unknown_stitch_type", "not_tabular", "output_is_input", "output_not_empty",
    "output_exists", "output_other_job", "output_suffix", "output_unwritable",
}  # fmt: skip


def codes_of_services() -> set[str]:
    """Return every string of the source outside the command line: the codes of errors that a server may raise."""
    files = (path for path in SOURCE.rglob("*.py") if not path.is_relative_to(SOURCE / "cli"))
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def spoken_keys() -> list[str]:
    """Return the keys of all texts that the API may word."""
    codes = codes_of_services() - TERMINAL_CODES
    keys = [key for key in catalogue("en") if key.startswith(SAID) and not UNSAID.match(key)]
    return [key for key in keys if not key.startswith("error.") or key.split(".")[1] in codes]


def unmarked(text: str, language: str) -> bool:
    return bool(COMMAND.search(text)) and TERMINAL[language] not in text.lower()


def on_page(language: str, work: Any) -> Any:
    """Return what some work says to a reader of the page."""

    def speak() -> Any:
        set_language(language)
        speak_to_page()
        return work()

    return contextvars.copy_context().run(speak)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_over_http_names_a_command_but_for_a_terminal(language):
    texts, keys = catalogue(language), [key for key in spoken_keys() if not key.endswith(".on_page")]
    assert len(keys) > 1500
    said = {key: texts.get(f"{key}.on_page", texts[key]) for key in keys}
    assert not {key: text for key, text in said.items() if unmarked(text, language)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sibling_stands_beside_a_text_for_terminals_and_asks_for_no_other_values(language):
    texts = catalogue(language)
    for key in (key for key in texts if key.endswith(".on_page")):
        base = key.removesuffix(".on_page")
        family = " ".join(texts.get(f"{base.rpartition('.')[0]}.{part}", "") for part in ("what", "why", "hint"))
        known = set(re.findall(r"\{(\w+)", texts[base] + family))
        assert set(re.findall(r"(?<!\{)\{(\w+)", texts[key])) <= known, key
        assert any(catalogue(other)[key] != catalogue(other)[base] for other in LANGUAGES), key


def test_a_reader_of_the_page_gets_the_sibling_and_a_terminal_does_not():
    key = "data.duplicate.hint"
    assert on_page("en", lambda: translate(key)) == catalogue("en")[f"{key}.on_page"]
    assert on_page("en", lambda: has_text(key))
    set_language("en")
    assert translate(key) == catalogue("en")[key]


def hints_of(value: Any) -> list[str]:
    """Return every string of a document that words something."""
    if isinstance(value, dict):
        words = [
            text for key, text in value.items() if key in ("hint", "detail", "advice", "text", "message", "why_not")
        ]
        return [word for word in words if isinstance(word, str)] + [
            w for item in value.values() for w in hints_of(item)
        ]
    return [word for item in value for word in hints_of(item)] if isinstance(value, list) else []


ROWS = [
    {"instruction": "一つ目", "output": "答え1"},
    {"instruction": "一つ目", "output": "答え1"},
    {"instruction": "空", "output": ""},
    {"instruction": "無い"},
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_user_really_meets_is_said_without_commands(client, home, language):
    client.headers["Accept-Language"] = language
    bad = client.post("/api/datasets", json={"name": "bad", "examples": ROWS}).json()
    good = client.post("/api/datasets", json={"name": "good", "examples": ROWS[:1] * 6}).json()
    job = create(client, good["id"]).json()["id"]
    wish = {"base_model": "nano", "dataset_id": good["id"]}
    answers = [
        bad,
        client.get(f"/api/datasets/{bad['id']}/rows").json(),
        client.post("/api/training/plan", json={**wish, "settings": {"method": "qlora", "eval_steps": 5}}).json(),
        client.post("/api/training/plan", json={**wish, "settings": {"learning_rate": 1e-6}}).json(),
        client.post("/api/training/plan", json={**wish, "dataset_id": bad["id"]}).json(),
        client.post("/api/training/jobs", json={**wish, "base_model": "no/such"}).json(),
        client.post("/api/training/jobs", json={**wish, "dataset_id": bad["id"]}).json(),
        client.delete(f"/api/datasets/{good['id']}").json(),
        client.post("/api/exports", json={"job_id": job}).json(),
        client.get("/api/training/jobs/none").json(),
        client.get("/api/models/check/meta/llama").json(),
        client.get(f"/api/training/jobs/{job}/diagnosis").json(),
        client.get("/api/doctor").json(),
    ]
    said = [text for answer in answers for text in hints_of(answer)]
    assert len(said) > 30
    assert not [text for text in said if unmarked(text, language)]
    problems = {item["code"]: item["action"] for item in bad["problems"]}
    assert problems["blank_answer"] == {"name": "repair_dataset", "values": {"actions": ["drop_invalid"]}}
    assert problems["duplicate"]["values"] == {"actions": ["deduplicate"]}
    assert answers[7]["action"] == {"name": "cancel_job", "values": {"job_id": job}}


def test_an_action_is_a_request_that_works(client, home):
    """What a problem proposes, sent as it stands, mends it."""
    bad = client.post("/api/datasets", json={"name": "bad", "examples": ROWS}).json()
    for code in ("blank_answer", "duplicate"):
        action = next(item["action"] for item in bad["problems"] if item["code"] == code)
        path = f"/api/datasets/{bad['id']}/repair"
        bad = client.post(path, json={"version": bad["version"], **action["values"]}).json()
    assert (bad["ok"], bad["num_examples"]) == (True, 1)
    assert {item["code"] for item in bad["problems"]} == {"too_few_rows"}


PLACE = "/srv/llmlora/jobs/01/rows.jsonl"
ADDRESSES = {"route_not_found", "method_not_allowed", "ollama_port_reads_only"}  # name paths of the API


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_over_http_says_where_a_file_of_the_server_lies(language):
    """But what the system page says of the machine, addresses of the API, and a command marked for a terminal."""
    texts = catalogue(language)
    keys = [
        key for key in spoken_keys() if not key.startswith(("doctor.", "web.")) and not set(key.split(".")) & ADDRESSES
    ]
    assert len(keys) > 1000
    for key in keys:
        text = texts.get(f"{key}.on_page", texts[key])
        names = set(re.findall(r"(?<!\{)\{(\w+)[^}]*\}", text))
        said = on_page(language, lambda key=key, names=names: translate(key, **dict.fromkeys(names, PLACE)))
        assert "/srv" not in said or "!q}" in text, (key, said)


NAMED = {"ja": re.compile(r"「([^」]*)」"), "en": re.compile(r'"([^"]*)"')}
OTHERS = {"名前を付けて保存", "質問:", "回答:"}  # of an editor, and in a text file


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_that_a_hint_of_the_page_names_is_on_the_page(language):
    texts = catalogue(language)
    shown = {words for key, words in texts.items() if key.startswith("web.")} | OTHERS
    hints = {key: words for key, words in texts.items() if key.endswith(".on_page") and "{{" not in words}
    named = {key: set(NAMED[language].findall(words)) for key, words in hints.items()}
    strange = {key: {name for name in names - shown if "{" not in name} for key, names in named.items()}
    assert {key: names for key, names in strange.items() if names} == {}
