"""Events: one line each, non-finite numbers named, unfinished lines ignored, later runs win."""

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
