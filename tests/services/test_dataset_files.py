"""Files made of datasets, and datasets made of bundled files, as functions: names, places, and what stays behind."""

import json

import pytest

from llmlora.core.errors import ConfigError, DatasetError, DiskFull, NotFound
from llmlora.core.layout import scratch_dir
from llmlora.core.locale import set_language
from llmlora.services import room
from llmlora.services.dataset_files import SAMPLES, exported, keep_sample, list_samples, split
from llmlora.services.kept_datasets import NewDataset, keep_examples, page_of_datasets
from llmlora.services.room import require_room
from llmlora.store.opening import open_store

CHAT = [
    {"role": "user", "content": "はい？"},
    {"role": "assistant", "content": "はい。"},
    {"role": "user", "content": "いいえ？"},
    {"role": "assistant", "content": "いいえ。"},
]


@pytest.fixture
def database(home):
    opened = open_store(home)
    yield opened
    opened.close()


def test_an_export_lives_as_long_as_it_is_used(database):
    row = keep_examples(database, NewDataset("店/質問"), [{"text": "吾輩は猫である。"}])
    with exported(database, row.id, "jsonl") as (path, name):
        assert name == "店質問.jsonl"
        assert json.loads(path.read_text(encoding="utf-8")) == {"text": "吾輩は猫である。"}
    assert not path.exists()
    assert list(scratch_dir().iterdir()) == []


def test_a_conversation_is_no_table(database):
    row = keep_examples(database, NewDataset("会話"), [{"messages": CHAT}])
    with pytest.raises(DatasetError) as caught, exported(database, row.id, "csv"):
        pass
    assert caught.value.code == "not_tabular"
    assert list(scratch_dir().iterdir()) == []


def test_a_share_that_is_none(database):
    row = keep_examples(database, NewDataset("n"), [{"text": "a"}, {"text": "b"}])
    with pytest.raises(ConfigError) as caught:
        split(database, row.id, 1.5)
    assert caught.value.code == "invalid_fraction"
    assert len(page_of_datasets(database, None, 9).items) == 1


def test_samples_are_told_in_the_language_of_the_reader():
    titles = {}
    for language in ("ja", "en"):
        set_language(language)
        titles[language] = [sample["title"] for sample in list_samples()]
    assert len(titles["ja"]) == len(SAMPLES)
    assert not set(titles["ja"]) & set(titles["en"])


def test_a_sample_that_is_not_there(database):
    with pytest.raises(NotFound) as caught:
        keep_sample(database, "../questions/level1_basic_qa")
    assert caught.value.code == "sample_not_found"


def test_room_is_what_is_free_but_for_the_reserve(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "free_bytes", lambda _: room.RESERVE_BYTES + 100)
    require_room(tmp_path, 100)
    with pytest.raises(DiskFull) as caught:
        require_room(tmp_path, 101)
    assert caught.value.params["needed_bytes"] == 101
