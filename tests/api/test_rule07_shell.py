"""R7: no shell is asked, programs get lists of words that no user has chosen, and labels are text that only shows."""

import ast
import re
import sqlite3
import unicodedata
from pathlib import Path

import pytest

from api.test_datasets import GOOD, folders, upload
from api.test_training_jobs import create, dataset
from llmlora.api.job_models import PRINTABLE
from llmlora.core.errors import ConfigError
from llmlora.ollama.names import registered_name, slug
from llmlora.services import launch
from llmlora.worker.frame import KINDS

SOURCE = Path(launch.__file__).parents[1]
SHELLS = {
    "os": {"system", "popen", "execl", "execlp", "execv", "execvp", "spawnl", "spawnlp", "spawnv", "spawnvp"},
    "subprocess": {"getoutput", "getstatusoutput"},
    "pty": {"spawn"},
    "asyncio": {"create_subprocess_shell"},
}
STARTERS = {"run", "Popen", "call", "check_call", "check_output"}
LABELS = [
    ".", "..", "a/b", "a\\b", "CON", "nul.txt", "ＣＯＮ", "a" * 200, "か" * 100, "😀" * 70, "が", "か\u3099",
    "a\u202eb", "a\u200bb", "-rf", "--help", "~root", "$(id)", "`id`", "<script>alert(1)</script>", "{{7*7}}",
    "'; DROP TABLE datasets;--", "=1+1", "a.", "a:b", "日本 語", "%s%n", "${HOME}",
]  # fmt: skip
NO_LABELS = ["", "a\0b", "a\nb", "\t", "\x7f", "a" * 201]
REGISTERED = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}:[a-z0-9][a-z0-9._-]{0,99}")


def calls():
    """Yield every call of a function of a module in the source: its file, module, name and node."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                module = node.func.value
                yield path.name, getattr(module, "id", ""), node.func.attr, node


def test_no_shell_is_ever_asked():
    assert not [(file, name) for file, module, name, _ in calls() if name in SHELLS.get(module, ())]
    started = [(file, node.keywords) for file, module, _, node in calls() if module == "subprocess"]
    with_shell = [file for file, words in started if any(word.arg == "shell" for word in words)]
    assert with_shell == []


def test_every_program_gets_a_list_of_words():
    """A string would be one word, or a line for a shell."""
    started = [(file, node) for file, module, name, node in calls() if module == "subprocess" and name in STARTERS]
    assert {file for file, _ in started} >= {"launch.py", "doctor.py"}
    strings = [file for file, node in started if isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp)]
    assert strings == []


def test_no_word_of_a_user_is_among_those_of_a_worker(client, home, monkeypatch):
    """Kind, folder and run: whatever a user has named stands in the folder's config.json."""
    given, real = [], launch.subprocess.Popen
    monkeypatch.setattr(launch.subprocess, "Popen", lambda words, **more: given.append(words) or real(words, **more))
    name = "-rf $(id) `id`; 店"
    made = upload(client, GOOD, f"{name}.jsonl", name=name).json()
    assert client.get(f"/api/datasets/{made['id']}/rows?q=--help").status_code == 200
    assert client.get(f"/api/datasets/{made['id']}/preview?model=nano").status_code == 200
    assert len(given) >= 3
    for python, flag, module, kind, folder, run in given:
        assert (flag, module) == ("-m", "llmlora.worker")
        assert Path(python).is_absolute() and kind in KINDS and run.isdigit()
        assert Path(folder).is_relative_to(home) and re.fullmatch("[0-9A-Z]{26}", Path(folder).name)


@pytest.mark.parametrize("label", LABELS)
def test_every_printable_label_is_kept_as_it_is_and_reaches_nothing_else(client, home, label):
    made = dataset(client, name=label)
    job = create(client, made, name=label).json()
    assert client.get(f"/api/datasets/{made}").json()["name"] == label
    assert client.get(f"/api/jobs/{job['id']}").json()["name"] == label
    renamed = client.post(f"/api/jobs/{job['id']}/rename", json={"name": f"{label[:199]}!"})
    assert renamed.json()["name"] == f"{label[:199]}!"
    assert folders(home) == [made] and [path.name for path in (home / "jobs").iterdir()] == [job["id"]]
    with sqlite3.connect(home / "llmlora.db") as connection:
        assert connection.execute("select count(*) from datasets").fetchone() == (1,)


@pytest.mark.parametrize("label", NO_LABELS)
def test_what_cannot_be_shown_is_no_label(client, home, label):
    answer = client.post("/api/datasets", json={"name": label, "examples": [{"instruction": "a", "output": "b"}]})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert folders(home) == []
    assert not re.fullmatch(PRINTABLE, label) or len(label) > 200


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("みどり堂サポート v2", "midori-sapoto-v2"),
        ("Ｓｕｐｐｏｒｔ（本番）", "support"),
        ("カフェ・メニュー", "kahue-meniyu"),
        ("Café Größe", "cafe-gro-e"),
        ("株式会社", "my-model"),
        ("x" * 200, "x" * 73),
    ],
)
def test_names_are_made_of_titles(title, expected):
    assert slug(title) == expected
    assert registered_name(expected) == f"{expected}:latest"


@pytest.mark.parametrize("name", ["サポート:v1", "My-Model", "a:cloud", "a:b:c", "a/b", "", "-a", "a:"])
def test_names_that_ollama_does_not_take_are_refused_with_one_that_it_does(name):
    if name == "a:":
        assert registered_name(name) == "a:latest"
        return
    with pytest.raises(ConfigError) as caught:
        registered_name(name)
    assert registered_name(str(caught.value.params["proposed"]))


@pytest.mark.parametrize("label", LABELS)
def test_whatever_a_label_says_the_name_handed_to_ollama_is_plain(label):
    for text in (label, unicodedata.normalize("NFD", label)):
        assert REGISTERED.fullmatch(registered_name(slug(text)))
