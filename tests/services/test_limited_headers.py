"""Headers of models read by children: what they say, how often they are asked, and what a hostile file can do."""

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.model_files import header_bytes, model_folder
from gguf_bytes import ARRAY, F32, STRING, U8, RawGguf, key_value, packed_string, small_file, tensor_entry
from llmlora.catalog.adapter_folder import read_adapter_folder
from llmlora.catalog.base_model import bundled_models, resolve_base_model
from llmlora.catalog.gguf_files import read_gguf_files
from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.catalog.header_reader import use_header_reader
from llmlora.catalog.model_folder import read_model_folder
from llmlora.core.errors import DiskFull, ModelFileError, NotFound, WorkerDied
from llmlora.core.layout import scratch_dir
from llmlora.services import launch, limited_headers
from llmlora.services.limited_headers import LimitedHeaders
from split_gguf import split_file

HOSTILE = Path(__file__).with_name("hostile_reader.py")


@pytest.fixture
def children(home, monkeypatch):
    """Count the children that are started; what they have read is all that this process is told."""
    started, real = [], limited_headers.run_worker

    def run_worker(kind, folder):
        started.append(json.loads((folder / "config.json").read_text())["wanted"])
        return real(kind, folder)

    monkeypatch.setattr(limited_headers, "run_worker", run_worker)
    use_header_reader(LimitedHeaders())
    return started


@pytest.fixture
def hostile(children, monkeypatch):
    """Let the readers be ones that files can harm, within 300 MB and three seconds each."""
    real = subprocess.Popen
    monkeypatch.setattr(
        launch.subprocess, "Popen", lambda words, **more: real([sys.executable, str(HOSTILE), *words[-3:]], **more)
    )
    monkeypatch.setattr(limited_headers, "READER_MEMORY_BYTES", 300 << 20)
    monkeypatch.setattr(limited_headers, "SECONDS", 3.0)
    return children


def gguf(path, content=None):
    path.write_bytes(small_file().build() if content is None else content)
    return path


def harmful(path, what):
    path.write_text(json.dumps({"harm": what}))
    return path


def code_of(reader, path):
    """Return the code of the error that a file is answered with, None where it is read."""
    try:
        reader.read("gguf", path)
    except ModelFileError as error:
        assert error.params["path"] == str(path)
        return error.code
    return None


def test_a_child_finds_what_this_process_would_find(tmp_path, children):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4}')
    shutil.copy(model_folder(tmp_path / "model") / "model.safetensors", adapter / "adapter_model.safetensors")
    (tmp_path / "model" / "llmlora.json").write_text('{"training": {"r": 3, "seed": 4}}')
    readings = (
        (read_gguf_header, gguf(tmp_path / "m.gguf")),
        (read_model_folder, tmp_path / "model"),
        (read_adapter_folder, adapter),
    )
    found = [read(path) for read, path in readings]
    assert len(children) == 3
    use_header_reader(None)
    header, folder, others = (read(path) for read, path in readings)
    lists = [key for key, value in header.metadata.items() if isinstance(value, list)]
    without = {
        name: {key: value for key, value in getattr(header, name).items() if key not in lists}
        for name in ("metadata", "value_types")
    }
    assert len(lists) == 4 and found[0] == replace(header, **without), "vocabularies stay with the child"
    assert found[1:] == [folder, others]
    assert resolve_base_model(str(tmp_path / "model")).recommended == {"r": 3}
    assert len(children) == 3


def test_each_state_of_a_file_is_read_once(tmp_path, children):
    path = gguf(tmp_path / "m.gguf")
    assert read_gguf_header(path) == read_gguf_header(path)
    assert len(children) == 1
    before = path.stat()
    data = path.read_bytes().replace(b"llama", b"gamma")
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read_gguf_header(path).metadata["general.architecture"] == "gamma", "although size and time are the same"
    path.write_bytes(data[:50])
    for _ in range(2):
        with pytest.raises(ModelFileError, match="cut_off"):
            read_gguf_header(path)
    path.unlink()
    for _ in range(2):
        with pytest.raises(ModelFileError, match="gguf_unreadable"):
            read_gguf_header(path)
    assert len(children) == 4


def test_every_file_of_a_folder_counts(tmp_path, children):
    folder = model_folder(tmp_path / "model")
    assert read_model_folder(folder).vocab_size == read_model_folder(folder).vocab_size
    (folder / "tokenizer.json").write_text("[")
    with pytest.raises(ModelFileError, match="model_json_invalid"):
        read_model_folder(folder)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").symlink_to("nowhere")
    with pytest.raises(ModelFileError, match="model_file_dangling"):
        read_model_folder(folder)
    with pytest.raises(NotFound, match="adapter_not_found"):
        read_adapter_folder(folder)
    assert len(children) == 4


def test_many_are_read_by_one_child(tmp_path, children):
    reader = LimitedHeaders()
    files = [gguf(tmp_path / f"{number}.gguf") for number in range(30)]
    files[7].write_bytes(b"no model")
    reader.read_ahead([("gguf", path) for path in (*files, files[0])])
    assert [code_of(reader, path) for path in files] == [None] * 7 + ["gguf_not_gguf"] + [None] * 22
    assert [len(wanted) for wanted in children] == [30]


def test_the_parts_of_a_model_are_read_by_one_child(tmp_path, children):
    whole = RawGguf([key_value("general.architecture", STRING, "llama")])
    whole.tensors = [tensor_entry(f"t{number}.weight", (8,), 0, 32 * number) for number in range(5)]
    whole.data = bytes(32 * 5)
    first = split_file(gguf(tmp_path / "m.gguf", whole.build()), tmp_path, 5)[0]
    children.clear()
    assert len(read_gguf_files(first).paths) == 5
    assert [len(wanted) for wanted in children] == [1, 4]


def test_what_comes_with_the_package_needs_no_child(children):
    for name in bundled_models():
        assert resolve_base_model(name).num_parameters > 0
    assert children == []


@pytest.mark.parametrize(
    ("what", "code", "numbers"),
    [
        ("hog", "inspection_memory", [5, 3, 2]),
        ("segfault", "inspection_crashed", [5, 3, 2]),
        ("loop", "inspection_deadline", [5, 2]),
        ("native loop", "inspection_deadline", [5, 2]),
    ],
)
def test_one_hostile_file_is_told_of_and_hides_no_other(tmp_path, hostile, what, code, numbers):
    reader = LimitedHeaders()
    files = [gguf(tmp_path / f"{number}.gguf") for number in range(5)]
    harmful(files[2], what)
    started = time.monotonic()
    reader.read_ahead([("gguf", path) for path in files])
    assert [code_of(reader, path) for path in files] == [None, None, code, None, None]
    assert [len(wanted) for wanted in hostile] == numbers, "what it did is remembered"
    assert time.monotonic() - started < 30
    assert not list(scratch_dir().iterdir()), "nothing is left behind"


def test_a_file_is_not_blamed_for_what_others_have_used_up(tmp_path, hostile, monkeypatch):
    monkeypatch.setattr(limited_headers, "READER_MEMORY_BYTES", 600 << 20)
    reader = LimitedHeaders()
    files = [harmful(tmp_path / f"{number}.gguf", "keep") for number in range(3)]
    reader.read_ahead([("gguf", path) for path in files])
    assert [code_of(reader, path) for path in files] == [None] * 3
    assert [len(wanted) for wanted in hostile] == [3, 2, 1]


def test_each_file_has_its_own_time(tmp_path, hostile):
    reader = LimitedHeaders()
    files = [harmful(tmp_path / f"{number}.gguf", "slow") for number in range(2)]
    reader.read_ahead([("gguf", path) for path in files])
    assert [code_of(reader, path) for path in files] == [None] * 2
    assert len(hostile) == 1


def test_what_is_wrong_with_the_machine_is_said_of_no_file(tmp_path, children, monkeypatch):
    path = gguf(tmp_path / "m.gguf")
    real = limited_headers.run_worker
    for error in (DiskFull("disk_full", path="/", free_bytes=0), NotFound("file_not_found", path="x")):
        monkeypatch.setattr(limited_headers, "run_worker", raising(error))
        reader = LimitedHeaders()
        reader.read_ahead([("gguf", path)])
        with pytest.raises(type(error)):
            reader.read("gguf", path)
        monkeypatch.setattr(limited_headers, "run_worker", real)
        assert code_of(reader, path) is None


def raising(error):
    def run_worker(*_):
        raise error

    return run_worker


def test_an_answer_that_is_too_large_is_refused(tmp_path, children, monkeypatch):
    monkeypatch.setattr(limited_headers, "ANSWER_BYTES", 1 << 20)
    large = RawGguf([key_value("tokenizer.chat_template", STRING, "x" * (2 << 20))]).build()
    with pytest.raises(ModelFileError) as caught:
        read_gguf_header(gguf(tmp_path / "m.gguf", large))
    assert caught.value.code == "inspection_crashed" and "File too large" in caught.value.params["detail"]


def test_no_more_is_kept_than_fits(tmp_path, children, monkeypatch):
    reader = LimitedHeaders()
    files = [gguf(tmp_path / f"{number}.gguf") for number in range(4)]
    for path in files:
        assert code_of(reader, path) is None
    size = len(reader._answer(limited_headers._Look.at("gguf", files[0])))
    monkeypatch.setattr(limited_headers, "KEPT_BYTES", 2 * size)
    assert code_of(reader, gguf(tmp_path / "5.gguf")) is None
    assert [path.name for _, path in reader._kept] == ["3.gguf", "5.gguf"]


def test_names_that_are_no_text_are_read(tmp_path, children):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.gguf"))
    assert read_gguf_header(gguf(path)).version == 3


def test_a_vocabulary_stays_with_the_child_however_long_it_is(tmp_path, children):
    words = [key_value("tokenizer.ggml.tokens", ARRAY, (STRING, [f"word {number}" for number in range(100_000)]))]
    words.append(key_value("tokenizer.ggml.scores", ARRAY, (F32, [0.0] * 100_000)))
    found = read_gguf_header(gguf(tmp_path / "m.gguf", RawGguf(words).build()))
    assert found.metadata == {} and found.version == 3
    claimed = packed_string("a") + struct.pack("<IIQ", ARRAY, U8, 1 << 40)
    with pytest.raises(ModelFileError, match="too_many"):
        read_gguf_header(gguf(tmp_path / "huge.gguf", RawGguf([claimed]).build()))


def test_a_header_nested_100000_deep_is_one_typed_error(tmp_path, children):
    folder = model_folder(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(header_bytes(b"[" * 100_000))
    with pytest.raises(ModelFileError, match="not_json"):
        read_model_folder(folder)


def test_a_worker_that_is_killed_says_so_of_one_file(tmp_path, children, monkeypatch):
    monkeypatch.setattr(
        limited_headers, "run_worker", raising(WorkerDied("worker_died", kind="x", exit_code=-11, folder="x"))
    )
    reader = LimitedHeaders()
    reader.read_ahead([("gguf", gguf(tmp_path / f"{number}.gguf")) for number in range(2)])
    assert [code_of(reader, tmp_path / f"{number}.gguf") for number in range(2)] == ["inspection_crashed"] * 2
