"""Events: one line each, non-finite numbers named, unfinished lines ignored, later runs win."""

import errno
import os

import pytest

from llmlora.core import events as events_module
from llmlora.core.events import EventWriter, events_after, read_events, step_history


def writer(folder, run):
    directory = folder / "runs" / str(run)
    directory.mkdir(parents=True)
    return EventWriter(directory, run)


def test_events_are_numbered_and_flushed(tmp_path):
    events = writer(tmp_path, 1)
    events.emit("run_started", kind="train")
    events.emit("step", step=1, metrics={"loss": float("nan"), "learning_rate": 0.1})
    first, second = read_events(events.path)
    assert (first["seq"], second["seq"]) == (1, 2)
    assert second["metrics"] == {"loss": None, "learning_rate": 0.1}
    assert second["nonfinite"] == {"loss": "nan"}


def test_an_unterminated_last_line_is_ignored_and_read_later(tmp_path):
    events = writer(tmp_path, 1)
    events.emit("phase", name="a")
    with events.path.open("ab") as stream:
        stream.write(b'{"seq": 2, "type": "ph')
    seen = list(events_after(events.path, 0))
    assert [event["seq"] for _, event in seen] == [1]
    with events.path.open("ab") as stream:
        stream.write(b'ase"}\n')
    assert [event["seq"] for _, event in events_after(events.path, seen[-1][0])] == [2]


def test_of_a_step_logged_twice_the_later_run_counts(tmp_path):
    first, second = writer(tmp_path, 1), writer(tmp_path, 2)
    for step in (1, 2, 3):
        first.emit("step", step=step, metrics={"loss": 1.0})
    for step in (3, 4):
        second.emit("step", step=step, metrics={"loss": 2.0})
    history = step_history(tmp_path)
    assert [(entry["step"], entry["run"], entry["loss"]) for entry in history] == [
        (1, 1, 1.0), (2, 1, 1.0), (3, 2, 2.0), (4, 2, 2.0),
    ]  # fmt: skip


def test_every_event_has_the_promised_fields(tmp_path):
    events = writer(tmp_path, 3)
    events.emit("step", step=1, total_steps=2, metrics={"loss": 1.0})
    (event,) = read_events(events.path)
    assert {"seq", "run", "type", "time", "mono", "step", "metrics"} <= event.keys()
    assert event["run"] == 3
    assert event["time"].endswith("+00:00")
    assert "nonfinite" not in event


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_has_not_are_null_at_any_depth(tmp_path, number):
    events = writer(tmp_path, 1)
    events.emit("finding", params={"deep": [{"value": number}, (1.0, number)]}, metrics={"loss": number})
    (event,) = read_events(events.path)
    assert event["params"] == {"deep": [{"value": None}, [1.0, None]]}
    assert event["nonfinite"] == {"loss": str(number)}


def test_text_that_is_no_unicode_does_not_stop_a_run(tmp_path):
    events = writer(tmp_path, 1)
    events.emit("warning", code="x", params={"detail": "half a pair \ud83d and a line\nbreak \u2028"})
    events.emit("warning", code="y", params={})
    assert [event["code"] for event in read_events(events.path)] == ["x", "y"]


class FullDisk:
    """An `os.write` that takes some bytes of the line at hand and then finds the disk full."""

    def __init__(self, room):
        self.room, self.real = room, os.write

    def __call__(self, descriptor, data):
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(self.room, len(data))
        self.room -= taken
        return self.real(descriptor, data[:taken])


@pytest.mark.parametrize("room", [0, 1, 40, 120])
def test_a_full_disk_never_leaves_half_a_line(tmp_path, monkeypatch, room):
    """What was written of the line is cut off; when there is room again the next line is whole and counted on."""
    events = writer(tmp_path, 1)
    events.emit("phase", name="a")
    whole = events.path.read_bytes()
    monkeypatch.setattr(events_module.os, "write", FullDisk(room))
    with pytest.raises(OSError) as caught:
        events.emit("step", step=1, metrics={"loss": 1.0, "padding": "x" * 500})
    assert caught.value.errno == errno.ENOSPC
    assert events.path.read_bytes() == whole
    monkeypatch.undo()
    events.emit("phase", name="b")
    assert [(event["seq"], event["name"]) for event in read_events(events.path)] == [(1, "a"), (2, "b")]


def test_a_write_that_took_only_a_part_is_completed(tmp_path, monkeypatch):
    events = writer(tmp_path, 1)
    real, calls = os.write, []

    def slowly(descriptor, data):
        calls.append(len(data))
        return real(descriptor, data[:10] if len(calls) == 1 else data)

    monkeypatch.setattr(events_module.os, "write", slowly)
    events.emit("phase", name="a")
    assert [event["name"] for event in read_events(events.path)] == ["a"]
    assert len(calls) == 2


@pytest.mark.parametrize("rubbish", [b"\x00" * 200, b'{"seq": 2, "type": "st', b"[]", b'{"no": "type"}', b"\xff\xfe"])
def test_rubbish_that_a_power_cut_left_is_passed_over(tmp_path, rubbish):
    events = writer(tmp_path, 1)
    events.emit("phase", name="a")
    with events.path.open("ab") as stream:
        stream.write(rubbish + b"\n")
    events.emit("phase", name="b")
    assert [event["name"] for event in read_events(events.path)] == ["a", "b"]


def test_a_file_that_is_not_there_has_no_events(tmp_path):
    assert list(events_after(tmp_path / "events.jsonl", 0)) == []
    assert step_history(tmp_path) == []


def test_offsets_are_bytes_not_characters(tmp_path):
    events = writer(tmp_path, 1)
    for name in ("日本語", "b", "🎉"):
        events.emit("phase", name=name)
    offsets = [offset for offset, _ in events_after(events.path, 0)]
    assert offsets[-1] == events.path.stat().st_size
    assert [event["name"] for _, event in events_after(events.path, offsets[0])] == ["b", "🎉"]


def test_closing_on_a_full_disk_still_closes(tmp_path, monkeypatch):
    events = writer(tmp_path, 1)
    monkeypatch.setattr(events_module.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError):
        events.close()
    with pytest.raises(OSError) as caught:
        os.write(events._descriptor, b"x")
    assert caught.value.errno == errno.EBADF
