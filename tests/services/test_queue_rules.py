"""What the queue decides, case by case."""

import pytest

from llmlora.core.config import TrainConfig
from llmlora.core.errors import (
    ConfigError,
    Conflict,
    DependencyError,
    DiskFull,
    NonFiniteLoss,
    OutOfMemory,
    Stopped,
    WorkerDied,
)
from llmlora.services.queue_rules import (
    MOST_RETRIES,
    RESERVE_BYTES,
    RETRY_SECONDS,
    Decision,
    RunEnd,
    Situation,
    after_run,
    less_memory,
    what_prevents_start,
)
from llmlora.store.jobs import JobRow
from llmlora.store.runs import RunRow

DIED = WorkerDied("worker_died", kind="train", exit_code=9, folder="/x")
KILLED = OutOfMemory("train_killed", folder="/x")


def job(**values):
    plain = dict.fromkeys(JobRow.__dataclass_fields__)
    return JobRow(**{**plain, "num_retries": 0, "origin": "queue", "datasets": (), **values})


def run(number, last_step=None, error=None, **values):
    plain = dict.fromkeys(RunRow.__dataclass_fields__)
    told = None if error is None else error.to_dict()
    return RunRow(**{**plain, "job_id": "j", "run": number, "last_step": last_step, "error": told, **values})


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (Situation(0, RESERVE_BYTES), None),
        (Situation(1, RESERVE_BYTES), "max_running"),
        (Situation(1, RESERVE_BYTES, {"max_running": 2}), None),
        (Situation(0, RESERVE_BYTES, {"max_running": 0}), "max_running"),
        (Situation(0, RESERVE_BYTES, {"max_running": "many"}), None),
        (Situation(0, RESERVE_BYTES - 1), "disk_reserve"),
    ],
)
def test_whether_a_job_may_start(situation, expected):
    assert what_prevents_start(situation) == expected


@pytest.mark.parametrize("request_", [None, "pause", "cancel"])
def test_success_counts_more_than_a_wish_to_stop(request_):
    assert after_run(job(stop_request=request_), [run(1)], RunEnd(result={})).transition == "succeed"


@pytest.mark.parametrize("error", [DIED, KILLED, Stopped("stopped", has_checkpoint=True), DiskFull("disk_full")])
def test_a_wish_to_stop_counts_more_than_how_the_worker_ended(error):
    for request, expected in (("cancel", "stop_canceled"), ("pause", "stop_paused")):
        end = RunEnd(error=error, is_silent=error in (DIED, KILLED))
        assert after_run(job(stop_request=request), [run(1)], end).transition == expected


def test_a_stop_from_outside_is_not_counted_and_one_of_a_command_not_undone():
    end = RunEnd(error=Stopped("stopped", has_checkpoint=True))
    assert after_run(job(num_retries=2), [run(1)], end) == Decision("interrupt", "stopped", num_retries=2)
    assert after_run(job(origin="command"), [run(1)], end) == Decision("stop_paused", "command")


def test_a_full_disk_pauses():
    decision = after_run(job(), [run(1)], RunEnd(error=DiskFull("disk_full", path="/", free_bytes=0)))
    assert (decision.transition, decision.reason) == ("stop_paused", "disk_full")


def test_a_folder_in_which_somebody_works_is_waited_for_and_not_counted():
    end = RunEnd(error=Conflict("folder_locked", path="/x", pid="1"), is_silent=True)
    decision = after_run(job(num_retries=MOST_RETRIES), [run(1)], end)
    assert (decision.transition, decision.reason, decision.num_retries) == ("interrupt", "folder_busy", MOST_RETRIES)


@pytest.mark.parametrize(
    "error",
    [NonFiniteLoss("nonfinite_loss", step=3), OutOfMemory("train_out_of_memory"), ConfigError("x"), Conflict("x")],
)
def test_what_would_happen_again_is_not_tried_again(error):
    decision = after_run(job(), [run(1)], RunEnd(error=error))
    assert (decision.transition, decision.reason, decision.error) == ("fail", error.code, error)


@pytest.mark.parametrize(
    "end",
    [
        RunEnd(error=DIED, is_silent=True),
        RunEnd(error=KILLED, is_silent=True),
        RunEnd(error=WorkerDied("internal", detail="x")),
        RunEnd(error=DependencyError("hub_unreachable")),
    ],
)
def test_what_may_go_better_is_tried_twice_with_growing_waits(end):
    waits = []
    for number in range(MOST_RETRIES):
        decision = after_run(job(num_retries=number), [run(1)], end)
        assert (decision.transition, decision.num_retries) == ("interrupt", number + 1)
        waits.append(decision.wait_seconds)
    assert waits == list(RETRY_SECONDS) == sorted(waits)
    assert after_run(job(num_retries=MOST_RETRIES), [run(1)], end).transition == "fail"


def test_the_same_error_at_the_same_step_twice_fails_at_once():
    end = RunEnd(error=KILLED, is_silent=True)
    runs = [run(1, 7, KILLED), run(2, 7)]
    assert after_run(job(num_retries=1), runs, end).transition == "fail"
    assert after_run(job(num_retries=1), [run(1, 7, DIED), run(2, 7)], end).transition == "interrupt"
    assert after_run(job(num_retries=1), [run(1, 6, KILLED), run(2, 7)], end).transition == "interrupt"


def test_a_run_that_made_no_step_stands_where_it_began():
    end = RunEnd(error=DIED, is_silent=True)
    assert after_run(job(num_retries=1), [run(1, 7, DIED), run(2, None, from_step=7)], end).transition == "fail"


def test_progress_gives_new_retries():
    end = RunEnd(error=KILLED, is_silent=True)
    decision = after_run(job(num_retries=MOST_RETRIES), [run(1, 7, KILLED), run(2, 8)], end)
    assert (decision.transition, decision.num_retries) == ("interrupt", 1)


def test_less_memory_keeps_the_effective_batch_and_ends_with_checkpointing():
    config = TrainConfig(per_device_train_batch_size=8, gradient_accumulation_steps=2)
    effective, seen = config.effective_batch_size, []
    while (changes := less_memory(config)) is not None:
        config = TrainConfig.model_validate({**config.model_dump(), **changes})
        assert config.effective_batch_size == effective
        seen.append(
            (config.per_device_train_batch_size, config.gradient_accumulation_steps, config.gradient_checkpointing)
        )
    assert seen == [(4, 4, False), (2, 8, False), (1, 16, False), (1, 16, True)]


@pytest.mark.parametrize(
    ("values", "runs", "end", "expected"),
    [
        ({}, [run(1)], RunEnd(error=OutOfMemory("train_out_of_memory")), "less_memory"),
        ({}, [run(1, 5)], RunEnd(error=KILLED, is_silent=True), "killed"),
        ({}, [run(1, 5, KILLED), run(2, 5)], RunEnd(error=KILLED, is_silent=True), "less_memory"),
        ({}, [run(1, 5, KILLED), run(2, 5)], RunEnd(error=KILLED, is_silent=True, reason="stalled"), "train_killed"),
        ({"origin": "command"}, [run(1)], RunEnd(error=OutOfMemory("x")), "x"),
        ({"stop_request": "cancel"}, [run(1)], RunEnd(error=OutOfMemory("x")), None),
    ],
)
def test_a_run_for_which_memory_is_too_small_goes_on_with_less(values, runs, end, expected):
    decision = after_run(job(**values), runs, end, TrainConfig(per_device_train_batch_size=4))
    assert decision.reason == expected
    smaller = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    assert decision.settings == (smaller if expected == "less_memory" else None)


def test_where_nothing_smaller_is_left_a_run_without_memory_fails():
    least = TrainConfig(per_device_train_batch_size=1, gradient_checkpointing=True)
    end = RunEnd(error=OutOfMemory("train_out_of_memory"))
    assert after_run(job(), [run(1)], end, least).transition == "fail"


def test_an_odd_batch_is_not_divided():
    config = TrainConfig(per_device_train_batch_size=3)
    assert less_memory(config) == {"gradient_checkpointing": True}
