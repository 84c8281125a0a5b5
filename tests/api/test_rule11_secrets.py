"""R11: no secret in logs or answers, wherever it was put."""

import logging
import logging.config

import pytest

from api.clients import TOKEN, client_of, server_log, signed_in
from llmlora.services.server_log import HIDDEN, log_config, without_secrets

HUB = "hf_" + "a1B2" * 9


@pytest.fixture
def log(home):
    """Return what has been logged so far, with the configuration of the server."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    config = log_config(TOKEN)
    config["handlers"]["terminal"]["level"] = "CRITICAL"
    logging.config.dictConfig(config)
    yield lambda: server_log(home)
    for handler in root.handlers[:]:
        handler.close()
        root.removeHandler(handler)
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"downloading with {HUB}", HUB),
        (f'GET /?token={TOKEN}&x=1 HTTP/1.1"', TOKEN),
        ("Authorization: Bearer abcdefgh", "abcdefgh"),
        ("Cookie: llmlora-8000=" + "0f" * 32, "0f" * 32),
    ],
)
def test_known_shapes_are_hidden(text, secret):
    hidden = without_secrets(text)
    assert secret not in hidden
    assert HIDDEN in hidden


def test_ordinary_words_stay():
    text = "hf_short, a token of the model, num_tokens=12, GET /api/presets"
    assert without_secrets(text) == text


def test_the_log_hides_messages_arguments_and_tracebacks(log):
    logger = logging.getLogger("llmlora.tests")
    logger.warning("the token is %s", TOKEN)
    logger.warning("%(key)s", {"key": HUB})
    try:
        raise ValueError(f"cannot use {HUB} and {TOKEN}")
    except ValueError:
        logger.exception("failed with %s", HUB)
    written = log()
    assert written.count(HIDDEN) >= 4
    assert "ValueError: cannot use" in written
    assert HUB not in written
    assert TOKEN not in written


def test_a_failing_handler_puts_no_secret_into_log_or_answer(app, log):
    @app.get("/api/leaky")
    def leaky() -> None:
        raise RuntimeError(f"{HUB} {TOKEN}")

    answer = signed_in(app).get("/api/leaky")
    assert answer.status_code == 500
    for text in (answer.text, log()):
        assert HUB not in text
        assert TOKEN not in text
    assert "RuntimeError" in log()


def test_no_answer_repeats_what_was_sent(app):
    canary = "canary-4711-secret"
    for answer in (
        client_of(app, Authorization=f"Bearer {canary}").get("/api/presets"),
        client_of(app).get(f"/?token={canary}"),
        client_of(app).post("/login", data={"token": canary}),
        signed_in(app, **{"Last-Event-ID": canary * 20}).get("/api/events"),
    ):
        assert answer.status_code in (401, 422)
        assert canary not in answer.text
