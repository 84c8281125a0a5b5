"""The event stream: in order, nothing missed, nothing twice, whatever watchers do; memory is bounded."""

import asyncio
import random
import threading
import time

import pytest

from llmlora.services import broadcast
from llmlora.services.broadcast import RESYNC, Broadcaster, StreamEvent


class Kept:
    """A source in memory; `gaps` leaves numbers out as a database does after a rollback."""

    epoch = "e1"

    def __init__(self):
        self.events = []
        self.reads = 0

    def newest(self):
        return self.events[-1].number if self.events else 0

    def after(self, number, limit):
        self.reads += 1
        return [event for event in self.events if event.number > number][:limit]

    def add(self, gap=0):
        event = StreamEvent(self.newest() + 1 + gap, "job", {"n": len(self.events)})
        self.events.append(event)
        return event


@pytest.fixture
def kept():
    return Kept()


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def take(stream, number):
    return [await asyncio.wait_for(anext(stream), 10) for _ in range(number)]


def ids(events):
    return [int(event_id.split("-")[1]) for event_id, _ in events]


def opened(kept):
    broadcaster = Broadcaster(kept)
    broadcaster.open()
    return broadcaster


def test_a_watcher_gets_what_happens_from_now_on(kept):
    async def scenario():
        broadcaster = opened(kept)
        kept.add()
        stream = broadcaster.watch()
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.05)
        broadcaster.publish(kept.add())
        event_id, event = await asyncio.wait_for(waiting, 5)
        assert (event_id, event.data) == ("e1-2", {"n": 1})

    run(scenario())


def test_a_watcher_that_comes_back_goes_on_behind_its_last_id(kept):
    async def scenario():
        broadcaster = opened(kept)
        for _ in range(20):
            broadcaster.publish(kept.add())
        assert ids(await take(broadcaster.watch("e1-7"), 13)) == list(range(8, 21))
        assert ids(await take(broadcaster.watch("e1-0"), 20)) == list(range(1, 21))

    run(scenario())


@pytest.mark.parametrize("last_id", ["e0-3", "nonsense", "e1-999", "e1--1", "e1-", "e1-１", "", "e1-" + "9" * 40])
def test_an_id_that_says_nothing_here_begins_anew(kept, last_id):
    async def scenario():
        broadcaster = opened(kept)
        for _ in range(5):
            kept.add()
        stream = broadcaster.watch(last_id)
        ((event_id, event),) = await take(stream, 1)
        assert (event_id, event.type) == ("e1-5", RESYNC)
        broadcaster.publish(kept.add())
        assert ids(await take(stream, 1)) == [6]

    run(scenario())


def test_who_is_too_far_behind_looks_again(kept, monkeypatch):
    monkeypatch.setattr(broadcast, "FARTHEST", 50)

    async def scenario():
        broadcaster = opened(kept)
        for _ in range(60):
            kept.add()
        stream = broadcaster.watch("e1-1")
        ((event_id, event),) = await take(stream, 1)
        assert (event_id, event.type) == ("e1-60", RESYNC)
        broadcaster.publish(kept.add())
        assert ids(await take(stream, 1)) == [61]

    run(scenario())


def test_a_slow_watcher_holds_nobody_up_and_misses_nothing(kept, monkeypatch):
    monkeypatch.setattr(broadcast, "REMEMBERED", 10)

    async def scenario():
        broadcaster = opened(kept)
        slow, quick = broadcaster.watch("e1-0"), broadcaster.watch("e1-0")
        broadcaster.publish(kept.add())
        await take(slow, 1)
        await take(quick, 1)
        for _ in range(200):
            broadcaster.publish(kept.add())
            await take(quick, 1)
        assert len(broadcaster._newest_events) == 10
        assert ids(await take(slow, 200)) == list(range(2, 202))

    run(scenario())


def test_memory_is_bounded(kept):
    async def scenario():
        broadcaster = opened(kept)
        for _ in range(3 * broadcast.REMEMBERED):
            broadcaster.publish(kept.add())
        await asyncio.sleep(0.05)
        assert len(broadcaster._newest_events) == broadcast.REMEMBERED

    run(scenario())


def test_an_event_that_was_overtaken_is_read_from_the_source(kept):
    async def scenario():
        broadcaster = opened(kept)
        first, second, third = kept.add(), kept.add(), kept.add()
        broadcaster.publish(first)
        broadcaster.publish(third)
        broadcaster.publish(second)
        assert ids(await take(broadcaster.watch("e1-0"), 3)) == [1, 2, 3]

    run(scenario())


def test_live_events_cost_no_read(kept):
    async def scenario():
        broadcaster = opened(kept)
        stream = broadcaster.watch("e1-0")
        broadcaster.publish(kept.add())
        await take(stream, 1)
        before = kept.reads
        for _ in range(50):
            broadcaster.publish(kept.add())
            await take(stream, 1)
        assert kept.reads - before <= 1

    run(scenario())


def test_closing_ends_every_stream(kept):
    async def scenario():
        broadcaster = opened(kept)
        streams = [asyncio.ensure_future(anext(broadcaster.watch(), None)) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert broadcaster.num_watchers == 5
        broadcaster.close()
        assert await asyncio.wait_for(asyncio.gather(*streams), 5) == [None] * 5
        assert broadcaster.num_watchers == 0

    run(scenario())


def test_publishing_before_the_server_runs_is_allowed(kept):
    Broadcaster(kept).publish(kept.add())


def test_500_reconnects_miss_nothing_and_double_nothing(kept):
    """Events come from another thread, with gaps, while one watcher breaks off and comes back 500 times."""
    dice = random.Random(7)
    done = threading.Event()

    def work(broadcaster):
        while not done.is_set():
            broadcaster.publish(kept.add(gap=dice.choice([0, 0, 0, 2])))
            time.sleep(0.0005)

    async def scenario():
        broadcaster = opened(kept)
        worker = threading.Thread(target=work, args=(broadcaster,))
        worker.start()
        seen, last_id = [], "e1-0"
        try:
            for _ in range(500):
                stream = broadcaster.watch(last_id)
                for event_id, event in await take(stream, dice.randrange(1, 6)):
                    assert event.type == "job"
                    seen.append(event_id)
                    last_id = event_id
                await stream.aclose()
        finally:
            done.set()
            worker.join()
        return seen

    seen = run(scenario())
    numbers = [int(event_id.split("-")[1]) for event_id in seen]
    assert numbers == [event.number for event in kept.events[: len(numbers)]]
    assert len(numbers) > 1000
