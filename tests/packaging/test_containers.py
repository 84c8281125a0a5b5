"""Compose file, Dockerfile and `.env.example` fit each other, the settings and the checkout.

No Docker runs here: the files are read as Docker reads them, and their keys compared with those of its references.
"""

from __future__ import annotations

import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.pages import ROOT, read
from llmlora.core.server import ServerSettings

# Keys of the Compose specification that these services may use.
SERVICE_KEYS = {
    "build", "command", "container_name", "depends_on", "deploy", "env_file", "environment", "healthcheck", "image",
    "init", "ports", "profiles", "restart", "volumes",
}  # fmt: skip
HEALTH_KEYS = {"test", "interval", "timeout", "retries", "start_period", "disable"}
INSTRUCTIONS = {"FROM", "ARG", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}
GPU = {"resources": {"reservations": {"devices": [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]}}}
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:?[-?])?([^}]*)\}")
ENVIRONMENT_PAGES = ("environment.md", "environment.ja.md")


def compose(*, with_gpu: bool = False) -> dict[str, Any]:
    text = read("compose.yaml")
    return dict(yaml.safe_load(text.replace("#gpu: ", "") if with_gpu else text))


def example_values() -> dict[str, str]:
    """Return the variables of `.env.example`, those that are commented out too."""
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", read(".env.example"), flags=re.M))


def instructions() -> list[tuple[str, str]]:
    """Return the lines of the Dockerfile as instruction and words, continued lines put together."""
    text = re.sub(r"^\s*#.*\n", "", read("Dockerfile"), flags=re.M).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    begins = max(number for number, (name, _) in enumerate(found) if name == "FROM")
    return found[begins:]


def test_compose_describes_the_services() -> None:
    document = compose()
    assert set(document) == {"name", "services", "volumes"}
    assert set(document["services"]) == {"app", "database", "ollama", "tensorboard"}
    for service in document["services"].values():
        assert set(service) <= SERVICE_KEYS
        assert set(service.get("healthcheck", {})) <= HEALTH_KEYS
        for volume in service["volumes"]:
            assert volume.split(":")[0] in document["volumes"]
        for name in service.get("depends_on", ()):
            assert name in document["services"]
    assert document["services"]["ollama"]["container_name"] == "llmlora-ollama"
    assert document["services"]["database"]["environment"]["POSTGRES_DB"] == "llmlora"
    assert document["services"]["tensorboard"]["profiles"] == ["tensorboard"]


def test_every_port_is_on_this_machine_only() -> None:
    services = compose()["services"]
    ports = [VARIABLE.sub(r"\3", port) for service in services.values() for port in service.get("ports", ())]
    assert sorted(ports) == [
        "127.0.0.1:11434:11434",
        "127.0.0.1:3000:8000",
        "127.0.0.1:6006:6006",
        "127.0.0.1:8000:8000",
    ]
    assert "ports" not in services["database"]


def test_the_gpu_section_is_complete_once_it_is_switched_on() -> None:
    assert "deploy" not in compose()["services"]["app"]
    for name in ("app", "ollama"):
        assert compose(with_gpu=True)["services"][name]["deploy"] == GPU
    assert "nvidia-smi" in read("compose.yaml")


def test_the_server_in_the_container_is_set_up_to_be_reached() -> None:
    given = compose()["services"]["app"]["environment"]
    settings = ServerSettings(host=given["LLMLORA_HOST"], port=given["LLMLORA_PORT"], token="a-secret-of-the-test")
    assert (settings.port, settings.is_loopback, settings.needs_token) == (8000, False, True)
    assert given["DATABASE_URL"].startswith("postgresql+psycopg://llmlora:")
    assert given["DATABASE_URL"].endswith("@database/llmlora")


def test_compose_starts_without_an_env_file_only_where_it_has_a_token() -> None:
    needed = {name for name, kind, _ in VARIABLE.findall(read("compose.yaml")) if kind.endswith("?")}
    assert needed == {"LLMLORA_TOKEN"}
    assert example_values()["LLMLORA_TOKEN"] == ""  # nobody starts with a secret that everybody knows


@pytest.mark.parametrize("page", ENVIRONMENT_PAGES)
def test_every_variable_of_the_example_is_read_and_documented(page: str) -> None:
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", read("docs", "reference", page)))
    of_compose = {name for name, _, _ in VARIABLE.findall(read("compose.yaml"))}
    assert of_compose <= set(example_values())
    assert set(example_values()) <= documented
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "llmlora").rglob("*.py"))
    by_others = {"HF_HUB_OFFLINE", "HF_TOKEN"}  # by Hugging Face's libraries
    assert not {name for name in set(example_values()) - of_compose - by_others if f'"{name}"' not in code}


def test_every_setting_of_the_server_stands_in_the_example_but_those_that_need_care() -> None:
    names = {str(field.validation_alias) for field in ServerSettings.model_fields.values()}
    assert names - set(example_values()) == {"LLMLORA_MODEL_ROOTS"}


def test_the_example_values_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {str(field.validation_alias): name for name, field in ServerSettings.model_fields.items()}
    for name in names:
        monkeypatch.delenv(name, raising=False)
    defaults = ServerSettings()
    for name, value in example_values().items():
        if name in names and value:
            monkeypatch.setenv(name, value)
    assert ServerSettings() == defaults


def reaches_the_builder(name: str) -> bool:
    """Tell whether a file is sent, as Docker reads `.dockerignore`: the last pattern that fits it or a folder above."""
    parts = name.split("/")
    above = ["/".join(parts[: number + 1]) for number in range(len(parts))]
    is_sent = True
    for line in read(".dockerignore").splitlines():
        pattern = line.lstrip("!").removeprefix("**/")
        depth = [path.split("/")[-1] for path in above] if line.lstrip("!").startswith("**/") else above
        fits = any(fnmatch(path, pattern) and path.count("/") == pattern.count("/") for path in depth)
        if line and not line.startswith("#") and fits:
            is_sent = line.startswith("!")
    return is_sent


def test_dockerfile_copies_what_is_there_and_reaches_the_builder() -> None:
    for name, words in instructions():
        assert name in INSTRUCTIONS
        if name == "COPY" and "--from=" not in words:
            for source in words.split()[:-1]:
                assert (ROOT / source).exists()
                assert reaches_the_builder(source)
                assert (ROOT / source).is_file() or reaches_the_builder(f"{source}/any/file.py")
    for kept_back in (
        ".env",
        ".git/config",
        "src/llmlora/web/dist/index.html",
        "web/node_modules/x/y.js",
        "tests/x.py",
    ):
        assert not reaches_the_builder(kept_back)
    assert not reaches_the_builder("src/llmlora/core/__pycache__/job.pyc")


def test_the_image_is_built_from_all_that_the_packages_are_built_from() -> None:
    copied = {word for name, words in instructions() if name == "COPY" for word in words.split()[:-1]}
    needed = re.search(r"sdist\]\ninclude = (\[.*\])", read("pyproject.toml"))
    assert needed
    assert {name.lstrip("/") for name in json.loads(needed[1])} <= copied


def test_the_final_image_has_no_compiler_no_root_and_a_health_check() -> None:
    stage = last_stage()
    assert stage[0][1] == "python:3.12-slim"
    assert not [words for name, words in stage if name == "RUN" and ("apt" in words or "pip" in words)]
    users = [words for name, words in stage if name == "USER"]
    assert users == ["llmlora"]
    assert [words for name, words in stage if name == "RUN" and "useradd" in words]
    (check,) = [words for name, words in stage if name == "HEALTHCHECK"]
    command = json.loads(check.partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "healthcheck", "exec")
    assert "/healthz" in command[2]
    (start,) = [words for name, words in stage if name == "CMD"]
    assert json.loads(start) == ["llmlora", "serve"]


def test_shell_lines_of_the_dockerfile_are_whole() -> None:
    for name, words in instructions():
        if name == "RUN":
            assert shlex.split(words)
            assert words.count('"') % 2 == 0


def systemd_unit(page: Path) -> dict[str, list[str]]:
    """Return the settings of the unit in a page."""
    (unit,) = re.findall(r"```ini\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        if "=" in line and not line.startswith("#"):
            found.setdefault(line.partition("=")[0], []).append(line.partition("=")[2])
    return found


@pytest.mark.parametrize("language", ["", ".ja"])
def test_the_systemd_unit_starts_the_server_and_leaves_jobs_alone(language: str) -> None:
    unit = systemd_unit(ROOT / "docs" / "guide" / f"server{language}.md")
    assert unit["ExecStart"] == ["/home/USER/llmlora/.venv/bin/llmlora serve"]
    assert unit["KillMode"] == ["process"]  # jobs go on when the server is started again
    assert unit["EnvironmentFile"] == ["-/home/USER/llmlora/.env"]
    assert unit["WantedBy"] == ["default.target"]
