"""The gate's own arithmetic: distances of listed tokens, settings as the server words them, prompts, ends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_ollama.server import FakeOllama
from llmlora.core.examples import Message
from llmlora.data.asked import Asked
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.export.modelfile import RAW_TEMPLATE
from llmlora.export.ollama_gate import Expected, Gate, listed_divergence, with_system
from llmlora.ollama.client import OllamaClient
from llmlora.ollama.register import Registration, register
from llmlora.ollama.versions import abilities_of

QUESTION = Asked((Message("user", "How much is shipping?"),), "It costs $6.99.")


def logs(**shares: float) -> dict[bytes, float]:
    return {name.encode(): math.log(share) for name, share in shares.items()}


def test_equal_lists_have_no_distance_and_the_rest_counts():
    assert listed_divergence(logs(a=0.7, b=0.2), logs(a=0.7, b=0.2)) == pytest.approx(0.0, abs=1e-12)
    expected = 0.7 * math.log(0.7 / 0.5) + 0.2 * math.log(0.2 / 0.3) + 0.1 * math.log(0.1 / 0.2)
    assert listed_divergence(logs(a=0.7, b=0.2), logs(a=0.5, b=0.3)) == pytest.approx(expected, rel=1e-9)


def test_a_token_that_the_server_does_not_list_counts_as_its_last():
    found = listed_divergence(logs(a=0.6, b=0.3), logs(a=0.6, c=0.1))
    assert found == pytest.approx(listed_divergence(logs(a=0.6, b=0.3), logs(a=0.6, b=0.1)), rel=1e-9)
    assert found > 0.02


def test_sharp_lists_that_sum_to_more_than_one_do_not_become_negative():
    assert listed_divergence(logs(a=0.9999, b=0.0004), logs(a=0.9998, b=0.0004)) >= 0


def test_the_system_message_is_put_where_the_server_puts_it():
    user, system = Message("user", "Hi"), Message("system", "You help.")
    assert with_system([user], "You help.") == (system, user)
    assert with_system([system, user], "Other.") == (system, user)
    assert with_system([user], None) == (user,)


@pytest.fixture
def gate(tmp_path: Path, tiny_file: Path) -> Iterator[tuple[Gate, FakeOllama]]:
    with FakeOllama(tmp_path / "store") as server, OllamaClient(server.url) as client:
        parameters = {"num_ctx": 256, "temperature": 0, "repeat_penalty": 1.0, "stop": ["<|im_end|>", '"quoted"']}
        wanted = Registration("m:latest", tiny_file, parameters, template=RAW_TEMPLATE)
        register(client, wanted, None, False, lambda phase, done, total: None, lambda record: None)
        yield Gate(client, wanted, abilities_of("0.40.0"), "llama", lambda done, total: None), server


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from llmlora.gguf.writer import write_gguf
    from llmlora.weights.base import open_folder
    from tiny_models import tiny_model

    folder = tmp_path_factory.mktemp("tiny")
    base = open_folder(tiny_model("llama", folder / "base"))
    write_gguf(base.source, base.config, base.path, folder / "tiny.gguf", "F16", "tiny")
    return folder / "tiny.gguf"


def checks_of(gate: Gate, **changed: Any) -> dict[str, bool | None]:
    said: dict[str, Any] = {"shapes": (), "nexts": (), "replies": (), "long_text": "a", "num_long": 1}
    asked = [QUESTION] if changed.get("replies") else []
    return {check.check: check.ok for check in gate.run(Expected(**{**said, **changed}), asked, carried_facts)}


def test_settings_are_compared_as_the_server_words_them(gate: tuple[Gate, FakeOllama]):
    assert checks_of(gate[0])["show"] is True


def test_an_answer_that_must_end_and_does_not_is_found(gate: tuple[Gate, FakeOllama]):
    gate[1].odd.never_stops = True
    assert checks_of(gate[0], replies=(("It costs $6.99.", True),))["stop"] is False
    assert checks_of(gate[0], replies=(("It costs $6.99.", False),))["stop"] is None


def test_facts_that_the_file_knows_and_the_server_does_not_are_found(gate: tuple[Gate, FakeOllama]):
    assert checks_of(gate[0], replies=(("It costs $6.99.", False),))["questions"] is False
    assert checks_of(gate[0], replies=(("I do not know.", False),))["questions"] is True


def test_what_the_served_model_answers_is_counted_and_timed(gate: tuple[Gate, FakeOllama]):
    expected = Expected((), (), (("It costs $6.99.", False),), "a", 1)
    (check,) = [check for check in gate[0].run(expected, [QUESTION], carried_facts) if check.check == "questions"]
    numbers = {name: check.measured[name] for name in ("num_facts", "num_known", "num_served", "num_kept")}
    assert numbers == {"num_facts": 1, "num_known": 1, "num_served": 0, "num_kept": 0}
    assert check.measured["tokens_per_second"] > 0


def test_a_prompt_that_is_rendered_otherwise_is_found(gate: tuple[Gate, FakeOllama]):
    turns = (Message("user", "Hi there"),)
    assert checks_of(gate[0], shapes=((turns, "Hi there", 99),))["render"] is True
    assert checks_of(gate[0], shapes=((turns, "User: Hi there", 99),))["tokens"] is False
    assert checks_of(gate[0], shapes=((turns, "Hi\nthere", 99),))["render"] is False


def test_a_server_that_fails_midway_is_a_failed_check_and_no_crash(gate: tuple[Gate, FakeOllama]):
    gate[1].odd.status = 503
    found = checks_of(gate[0], shapes=(((Message("user", "Hi"),), "Hi", 1),))
    assert (found["show"], found["render"], found["tokens"]) == (False, False, False)
