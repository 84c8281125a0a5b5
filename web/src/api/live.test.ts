import { QueryClient } from "@tanstack/react-query"
import { expect, it } from "vitest"
import { exportKeys } from "./exports"
import { type Curves, type JobSummary, jobKeys, type Progress } from "./jobs"
import { curvesAfter, jobAfter, progressAfter, receive, staleAfter } from "./live"
import type { ServerEvent } from "./sse"

const PROGRESS: Progress = {
  status: "running",
  step: 1,
  total_steps: 50,
  epoch: 0.2,
  num_epochs: 10,
  percent: 2,
  loss: 3,
  eval_loss: 2.5,
  learning_rate: 0.001,
  tokens_per_second: 300,
  eta_seconds: 20,
  phase: null,
  message: null,
}
const JOB = { id: "j1", name: "job", status: "queued", reason: null, stop_request: null, run: 0 } as JobSummary
const event = (type: string, data: Record<string, unknown>): ServerEvent => ({
  id: "e-1",
  type,
  data: { job_id: "j1", ...data },
})
const STEP = event("step", { step: 29, total_steps: 50, metrics: { loss: 0.5, epoch: 5.8, eta_seconds: 9 } })
const STATUS = event("status", { status: "running", reason: null, stop_request: "pause", run: 2 })

it("takes a step into the progress and keeps what it does not say", () => {
  expect(progressAfter(PROGRESS, STEP)).toEqual({
    ...PROGRESS,
    step: 29,
    percent: 58,
    loss: 0.5,
    epoch: 5.8,
    eta_seconds: 9,
  })
})

it("takes a measured loss, and keeps the last one where a step diverged", () => {
  const measured = progressAfter(PROGRESS, event("evaluation", { step: 2, metrics: { eval_loss: 1.5 } }))
  expect(measured).toMatchObject({ step: 2, total_steps: 50, percent: 4, eval_loss: 1.5, loss: 3 })
  expect(progressAfter(PROGRESS, event("step", { step: 3, metrics: { loss: null } }))).toMatchObject({
    step: 3,
    loss: 3,
  })
})

const POINTS = { first_step: [1, 2], last_step: [1, 2], lowest: [3, 2], highest: [3, 2], mean: [3, 2] }
const CURVES = { step: 2, total_steps: 50, curves: { loss: { is_exact: true, ...POINTS } } } as Curves

it("lets a curve grow by the next step, once, and leaves a coarse one alone", () => {
  const grown = curvesAfter(CURVES, STEP)
  expect(grown.curves.loss).toMatchObject({ last_step: [1, 2, 29], mean: [3, 2, 0.5] })
  expect(curvesAfter(grown, STEP)).toBe(grown)
  const coarse = { ...CURVES, curves: { loss: { is_exact: false, ...POINTS } } } as Curves
  expect(curvesAfter(coarse, STEP)).toBe(coarse)
  expect(curvesAfter(CURVES, STATUS)).toBe(CURVES)
})

it("changes a job by the events of the queue only", () => {
  expect(jobAfter(JOB, STATUS)).toEqual({ ...JOB, status: "running", stop_request: "pause", run: 2 })
  expect(jobAfter(JOB, STEP)).toBe(JOB)
})

it("asks anew for what an event does not say, and for everything after a gap", () => {
  expect(staleAfter(STEP)).toEqual([])
  expect(staleAfter(event("phase", {}))).toEqual(expect.arrayContaining([jobKeys.progress("j1"), exportKeys.one("j1")]))
  expect(staleAfter(STATUS)).toEqual(expect.arrayContaining([jobKeys.lists, jobKeys.ones, jobKeys.progress("j1")]))
  const evaluated = { ...STATUS, data: { ...STATUS.data, job_id: "e1" } } // changes the job that it is about, too
  expect(staleAfter(evaluated)).toContainEqual(jobKeys.ones)
  expect(staleAfter({ id: "e", type: "resync", data: {} })).toEqual([[]])
})

it("changes what the page knows, of this job and no other", () => {
  const client = new QueryClient()
  client.setQueryData(jobKeys.lists, { items: [JOB, { ...JOB, id: "j2" }], next_cursor: null })
  client.setQueryData(jobKeys.progress("j1"), PROGRESS)
  receive(client, STATUS)
  receive(client, STEP) // takes nothing back of what has to be asked anew
  const list = client.getQueryData<{ items: JobSummary[] }>(jobKeys.lists)
  expect(list?.items.map(({ status }) => status)).toEqual(["running", "queued"])
  expect(client.getQueryData<Progress>(jobKeys.progress("j1"))?.step).toBe(29)
  expect(client.getQueryState(jobKeys.lists)?.isInvalidated).toBe(true)
  expect(client.getQueryData(jobKeys.one("j1"))).toBeUndefined()
})
