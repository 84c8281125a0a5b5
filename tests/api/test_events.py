"""What happens to jobs reaches whoever watches, over HTTP, and goes on where it broke off, also after a restart."""

import asyncio
from types import SimpleNamespace

from api.clients import application, signed_in
from llmlora.api.routes.events import stream_events
from llmlora.core.layout import new_id, work_root
from llmlora.services.platform import Platform
from llmlora.services.queue_supervisor import QueueSupervisor


def submit(platform, name="job"):
    """Put a job into the queue whose worker would only read its folder."""
    job_id = new_id()
    folder = work_root(platform.database.home, "train") / job_id
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    return platform.queue.submit("train", folder, name=name, job_id=job_id)


async def take(stream, number):
    return [await asyncio.wait_for(anext(stream), 20) for _ in range(number)]


def watching(scenario, monkeypatch):
    """Run a scenario with a started platform that launches nothing."""
    monkeypatch.setattr(QueueSupervisor, "_start_what_may", lambda _: None)

    async def all_of_it():
        app = application()
        async with app.router.lifespan_context(app):
            return await scenario(app.state.platform, app.state.broadcaster)

    return asyncio.run(all_of_it())


def test_what_happens_is_streamed(home, monkeypatch):
    async def scenario(platform, broadcaster):
        stream = broadcaster.watch()
        first = asyncio.ensure_future(take(stream, 2))
        while not broadcaster.num_watchers:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        job = await asyncio.to_thread(submit, platform)
        await asyncio.to_thread(platform.queue.pause, job.id)
        return job, await first

    job, events = watching(scenario, monkeypatch)
    assert [(event.type, event.data["action"], event.data["status"]) for _, event in events] == [
        ("status", "submit", "queued"),
        ("status", "pause", "paused"),
    ]
    assert {event.data["job_id"] for _, event in events} == {job.id}


def test_it_is_heard_although_another_process_wrote_it(home, monkeypatch):
    async def scenario(platform, broadcaster):
        awaited = asyncio.ensure_future(take(broadcaster.watch(), 1))
        await asyncio.sleep(0.3)
        other = Platform()  # a second connection, whose writes wake nobody here
        job = await asyncio.to_thread(submit, other)
        found = await awaited
        other.close()
        return job, found

    job, [(_, event)] = watching(scenario, monkeypatch)
    assert event.data["job_id"] == job.id


def test_a_stream_goes_on_over_a_restart(home, monkeypatch):
    async def before(platform, broadcaster):
        stream = broadcaster.watch()
        awaited = asyncio.ensure_future(take(stream, 1))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(submit, platform, "first")
        [(last_id, _)] = await awaited
        await asyncio.to_thread(submit, platform, "second")
        return last_id

    async def after(platform, broadcaster):
        await asyncio.to_thread(submit, platform, "third")
        return await take(broadcaster.watch(last_id), 2)

    last_id = watching(before, monkeypatch)
    events = watching(after, monkeypatch)
    assert [event.data["action"] for _, event in events] == ["submit", "submit"]
    numbers = [int(event_id.split("-")[1]) for event_id, _ in events]
    assert numbers == [int(last_id.split("-")[1]) + 1, int(last_id.split("-")[1]) + 2]


def test_a_stream_tells_its_place_before_anything_happens(home, monkeypatch):
    """One that breaks off before its first event goes on there, so that what happens meanwhile is not lost."""

    async def scenario(platform, broadcaster):
        await asyncio.to_thread(submit, platform, "before")
        request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(broadcaster=broadcaster)))
        opening = await anext(stream_events(request))
        job = await asyncio.to_thread(submit, platform, "while away")
        again = stream_events(request, opening.id)
        assert (await anext(again)).id is None
        return job, await take(again, 1)

    job, [sent] = watching(scenario, monkeypatch)
    assert sent.data["job_id"] == job.id


def test_another_index_says_to_look_anew(home, monkeypatch):
    async def scenario(platform, broadcaster):
        return await take(broadcaster.watch("01ARZ3NDEKTSV4RRFFQ69G5FAV-3"), 1)

    [(_, event)] = watching(scenario, monkeypatch)
    assert event.type == "resync"


def test_tasks_are_counted(app, client):
    platform = app.state.platform
    assert client.get("/api/system-info").json()["tasks"] == {"running": 0, "queued": 0}
    submit(platform)
    paused = submit(platform)
    platform.queue.pause(paused.id)
    assert client.get("/api/system-info").json()["tasks"] == {"running": 0, "queued": 1}


def test_a_started_application_answers_with_the_same_index(home):
    app = application()
    with signed_in(app) as client:
        assert client.get("/api/system-info").json()["tasks"] == {"running": 0, "queued": 0}
        assert (home / "llmlora.db").is_file()
