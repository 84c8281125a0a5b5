import { afterEach, expect, it, vi } from "vitest"
import { addressOf, call } from "./client"

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } })
const PROBLEM = { status: 409, code: "job_busy", detail: "何が", hint: "次に", params: { id: "x" }, problems: ["行1"] }

afterEach(() => vi.unstubAllGlobals())

function answerWith(...answers: (Response | Error)[]) {
  const fetch = vi.fn(async (_address: string, _init: RequestInit) => {
    const answer = answers.shift() ?? new Error("no more answers")
    if (answer instanceof Error) throw answer
    return answer
  })
  vi.stubGlobal("fetch", fetch)
  return fetch
}

it("fills places and questions into an address; a model's name keeps its slashes", () => {
  expect(addressOf("/api/models/check/{name}", { path: { name: "org/モデル:tag?x" } })).toBe(
    "/api/models/check/org/%E3%83%A2%E3%83%87%E3%83%AB%3Atag%3Fx",
  )
  expect(addressOf("/api/datasets", { query: { limit: 5, before: undefined } })).toBe("/api/datasets?limit=5")
  expect(addressOf("/x", { query: { names: ["a", "b"], none: [], zero: 0 } })).toBe("/x?names=a&names=b&zero=0")
})

it("asks in the reader's language, and says the same key at each repetition of a change", async () => {
  const fetch = answerWith(new TypeError("away"), json({}, 503), json({ id: "j1" }, 201))
  const job = await call("post", "/api/training/jobs", { body: { base_model: "nano", dataset_id: "d1" } })
  expect(job).toEqual({ id: "j1" })
  const sent = fetch.mock.calls.map(([, init]) => init.headers as Record<string, string>)
  expect(sent).toHaveLength(3)
  expect(new Set(sent.map((headers) => headers["Idempotency-Key"])).size).toBe(1)
  expect(sent[0]).toMatchObject({ "Accept-Language": "ja", "Content-Type": "application/json" })
})

it("throws the server's words, and does not repeat what would fail again", async () => {
  const fetch = answerWith(json(PROBLEM, 409))
  await expect(call("post", "/api/jobs/{job_id}/pause", { path: { job_id: "x" } })).rejects.toMatchObject({
    code: "job_busy",
    status: 409,
    detail: "何が",
    hint: "次に",
    problems: ["行1"],
    params: { id: "x" },
  })
  expect(fetch).toHaveBeenCalledTimes(1)
})

it("gives a code to an answer that is not ours, and to none at all", async () => {
  answerWith(new Response("<html>", { status: 404 }))
  await expect(call("get", "/api/presets")).rejects.toMatchObject({ code: "no_problem_document", status: 404 })
  const fetch = answerWith(...Array.from({ length: 4 }, () => new TypeError("away")))
  await expect(call("get", "/api/presets")).rejects.toMatchObject({ code: "server_away", status: 0 })
  expect(fetch).toHaveBeenCalledTimes(4)
}, 20_000)
