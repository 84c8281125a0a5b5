import { QueryClient, QueryObserver } from "@tanstack/react-query"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { keepLive, useConnection } from "./connection"
import { datasetKeys } from "./datasets"
import { jobKeys, type Progress } from "./jobs"

const PLACED = ": open\nretry: 1000\nid: e-5\n\n"
const STEP = 'event: step\ndata: {"job_id": "j1", "step": 7, "total_steps": 10, "metrics": {"loss": 0.5}}\nid: e-6\n\n'
const LONG = 60_000 // milliseconds, more than any pause between two attempts

/** A server whose stream of events the test opens, feeds and breaks; `asked` are the ids behind which it was to go on. */
const server = { isThere: true, hasStream: true, asked: [] as (string | null)[], streams: [] as Stream[] }
type Stream = ReadableStreamDefaultController<Uint8Array>

async function answer(path: string, init?: RequestInit): Promise<Response> {
  if (!server.isThere) throw new TypeError("refused")
  if (path === "/healthz") return new Response('{"status": "ok"}')
  if (!server.hasStream) return new Response("", { status: 502 })
  server.asked.push(new Headers(init?.headers).get("Last-Event-ID"))
  return new Response(new ReadableStream({ start: (stream) => void server.streams.push(stream) }))
}

const send = async (words: string) => {
  server.streams.at(-1)?.enqueue(new TextEncoder().encode(words))
  await vi.advanceTimersByTimeAsync(1)
}
const breakOff = async () => {
  server.streams.at(-1)?.close()
  await vi.advanceTimersByTimeAsync(1)
}

const JOBS = vi.fn(async () => ({ items: [], next_cursor: null }))
const DATASETS = vi.fn(async () => ({ items: [] }))
const timesAsked = () => [JOBS, DATASETS].map((query) => query.mock.calls.length)
let client: QueryClient
let leave: (() => void)[]

beforeEach(async () => {
  vi.useFakeTimers()
  vi.stubGlobal("fetch", answer)
  // The stream is tried again every two seconds then, and not sometimes after a poll, which comes every three.
  vi.spyOn(Math, "random").mockReturnValue(0)
  Object.assign(server, { isThere: true, hasStream: true, asked: [], streams: [] })
  for (const query of [JOBS, DATASETS]) query.mockClear()
  client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 30_000 } } })
  leave = [
    new QueryObserver(client, { queryKey: jobKeys.lists, queryFn: JOBS }).subscribe(() => {}),
    new QueryObserver(client, { queryKey: datasetKeys.list, queryFn: DATASETS }).subscribe(() => {}),
    keepLive(client),
  ]
  await vi.advanceTimersByTimeAsync(1)
  await send(PLACED)
})

afterEach(() => {
  for (const one of leave) one()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

it("goes on behind the last event after a break, and asks for nothing anew", async () => {
  client.setQueryData(jobKeys.progress("j1"), { status: "running", step: 6 } as Progress)
  await breakOff()
  expect(useConnection.getState().isLive).toBe(false)
  await vi.advanceTimersByTimeAsync(LONG)
  expect(useConnection.getState().isLive).toBe(true)
  await send(STEP)
  await breakOff()
  await vi.advanceTimersByTimeAsync(LONG)
  expect(server.asked.slice(0, 3)).toEqual([null, "e-5", "e-6"])
  expect(client.getQueryData<Progress>(jobKeys.progress("j1"))).toMatchObject({ step: 7, loss: 0.5 })
  expect(timesAsked()).toEqual([1, 1])
})

it("asks for all that is in sight when the server says that events were lost", async () => {
  await send("event: resync\ndata: {}\nid: f-1\n\n")
  expect(timesAsked()).toEqual([2, 2])
})

it("asks a server that is down for nothing but the stream, and afterwards for what could not be answered", async () => {
  server.isThere = false
  await breakOff()
  await vi.advanceTimersByTimeAsync(LONG)
  expect(timesAsked()).toEqual([1, 1])
  DATASETS.mockRejectedValueOnce(new Error("server away"))
  await client.refetchQueries({ queryKey: datasetKeys.all })
  server.isThere = true
  await vi.advanceTimersByTimeAsync(LONG)
  expect(server.asked.slice(0, 2)).toEqual([null, "e-5"])
  expect(timesAsked()).toEqual([1, 3])
})

it("asks now and then where the server answers but no stream gets through", async () => {
  server.hasStream = false
  await breakOff()
  await vi.advanceTimersByTimeAsync(3 * 3000 + 100)
  expect(timesAsked()).toEqual([4, 4])
})

it("asks a page that is seen again for what no event tells of", async () => {
  const see = async (state: DocumentVisibilityState) => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue(state)
    document.dispatchEvent(new Event("visibilitychange"))
    await vi.advanceTimersByTimeAsync(1)
  }
  await see("hidden")
  await see("visible")
  expect(server.asked).toEqual([null, "e-5"])
  expect(timesAsked()).toEqual([1, 2])
})
