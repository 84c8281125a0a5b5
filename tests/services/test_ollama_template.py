"""A model of Ollama's store is trained on the template that Ollama will render, or the user has chosen another."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.command_line import write_data
from llmlora.core.errors import ConfigError
from llmlora.services.plan_training import PlannedJob, plan_training
from llmlora.services.train_request import TrainRequest
from ollama_store import Content, OllamaStore
from reference_model import export
from tiny_models import tiny_model

SAME = """{{- range $i, $m := .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ if and (ne .Role "assistant") (eq (len (slice $.Messages $i)) 1) }}<|im_start|>assistant
{{ end }}{{ end }}"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gguf")
    return export(tiny_model("llama", folder / "model"), folder / "tiny.gguf", "F16")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> OllamaStore:
    monkeypatch.setenv("LLMLORA_HOME", str(shared_home))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
    return OllamaStore(tmp_path / "store")


def planned(store: OllamaStore, folder: Path, file: Path, *layers: tuple[str, Content], **settings: str) -> PlannedJob:
    store.add("registry.ollama.ai/library/tiny/latest", store.manifest([("model", file), *layers]))
    return plan_training(TrainRequest("ollama:tiny", write_data(folder), settings=settings))


def test_the_same_template_in_ollamas_words_is_taken(store: OllamaStore, tmp_path: Path, file: Path) -> None:
    assert planned(store, tmp_path, file, ("template", SAME)).job.train.chat_template is None


def test_without_one_ollama_renders_the_files_own(store: OllamaStore, tmp_path: Path, file: Path) -> None:
    assert planned(store, tmp_path, file).job.base_kind == "ollama"


DIFFERENT: dict[str, tuple[list[tuple[str, Content]], str]] = {
    "other words": ([("template", SAME.replace("assistant\n", "assistant: "))], "assistant"),
    "a part that is not known": ([("template", SAME + "{{ currentDate }}")], "currentDate"),
    "a system message of its own": ([("template", SAME), ("system", "Be brief.")], "Be brief."),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_another_one_is_refused_with_the_difference(case: str, store: OllamaStore, tmp_path: Path, file: Path) -> None:
    layers, named = DIFFERENT[case]
    for _ in range(2):  # found out, and remembered
        with pytest.raises(ConfigError, match="ollama_template_differs") as caught:
            planned(store, tmp_path, file, *layers)
        assert named in caught.value.params["detail"]


def test_the_user_may_choose(store: OllamaStore, tmp_path: Path, file: Path) -> None:
    layers = DIFFERENT["other words"][0]
    assert planned(store, tmp_path, file, *layers, chat_template="gguf").job.train.chat_template == "gguf"
    mine = tmp_path / "mine.jinja"
    mine.write_text("{% for m in messages %}[{{ m.content }}]{{ eos_token }}{% endfor %}", encoding="utf-8")
    assert planned(store, tmp_path, file, *layers, chat_template=str(mine)).job.inputs
