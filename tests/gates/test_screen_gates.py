"""Every command called in every wrong way shows the user's language only; names of things stay as they are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.every_screen import commands
from llmlora.core.config import ALIASES, TrainConfig
from llmlora.core.examples import FORMATS
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from locale_words import NAMES, bare_words
from unprivileged import open_folder

pytestmark = [pytest.mark.gate, pytest.mark.timeout(600)]
TESTS = Path(__file__).parents[1]
SETTINGS = {*TrainConfig.model_fields, *ALIASES}
# Fields of documents and files, values of settings, and what the calls themselves name.
VALUES = set(
    """a b c d x foo bar gone fr all linear lora full qlora auto staged constant cosine
    cosine_with_restarts alpaca chatml plain raw shitsumon base_digest base_dir base_model columns data
    encoding eval_data format id schema rules llmlora_version architectures learning_rate epochs
    max_new_tokens num_ per_device_ chosen history reasoning tools messages prompt reference paraphrases
    adapter recipe trackers words extra_arguments input my job out nano cc0-1 iconv install pip mlflow
    split error code params what why hint command ConfigError convert nan yaml merged
    chat_json_needs_prompt top_p smollm2 undo DATASET JOB LEVEL PLACE
    preparing running queued failed paused interrupted canceled succeeded
    prepared log workspace database datasets""".split()
)
WIDE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def screens(language: str) -> list[tuple[str, str]]:
    with open_folder() as folder:
        folder.chmod(0o777)
        finished = subprocess.run(
            [sys.executable, "-m", "cli.every_screen", language, str(folder)],
            env={**os.environ, "PYTHONPATH": f"{TESTS.parent / 'src'}:{TESTS}", "LLMLORA_LANG": language},
            capture_output=True,
            text=True,
            check=True,
        )
    return [(call, text) for call, text in json.loads(finished.stdout)]


def test_japanese_screens_have_no_english_words() -> None:
    called = {word for command in commands() for word in command.split()}
    allowed = NAMES | VALUES | SETTINGS | called | set(FORMATS) | {*LORA_PRESETS, *TRAINING_PRESETS}
    shown = screens("ja")
    assert len(shown) > 300
    found = {}
    for call, text in shown:
        for word in sorted(call.split(), key=len, reverse=True):
            text = re.sub(rf"{re.escape(word)}(?!\w)", " ", text) if len(word) > 2 else text
        found.update({word: call for word in bare_words(text) if word not in allowed})
    assert not found, "\n".join(f"{word}: {call}" for word, call in found.items())
    assert all(WIDE.search(text) for call, text in shown if "--json" not in call and call != "--version")


def test_english_screens_have_no_japanese() -> None:
    shown = screens("en")
    names = re.compile("質問|回答|タイトル|本文|答え|問題|店はどこ？|駅前です。|営業時間は？|十時です")
    assert not [(call, text) for call, text in shown if WIDE.search(names.sub("", text))]
