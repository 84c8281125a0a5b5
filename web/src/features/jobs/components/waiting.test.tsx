import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { cleanup, render, screen } from "@testing-library/react"
import { afterEach, expect, it, vi } from "vitest"
import { type Job, type JobSummary, jobKeys } from "@/api/jobs"
import { Waiting } from "./waiting"

const PROGRESS = {
  status: "preparing",
  step: null,
  phase: "loading",
  eta_seconds: null,
}
const JOB = {
  id: "j1",
  name: "店",
  status: "preparing",
  base_model: "nano",
  dataset_id: "d1",
  presets: {},
  settings: { r: 8, lora_alpha: 16 },
  reasons: { r: "set", lora_alpha: "rule" },
  progress: PROGRESS,
} as unknown as Job

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

/** Shows a job that waits, beside another one at work, and returns the bodies of the plans that were asked for. */
function show(job: Job): string[] {
  const asked: string[] = []
  const running = { id: "j0", name: "先の店", status: "running", progress: { eta_seconds: 100 } } as JobSummary
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
  client.setQueryData(jobKeys.lists, { items: [running], next_cursor: null })
  client.setQueryData(jobKeys.progress("j0"), running.progress)
  vi.stubGlobal("fetch", async (_: string, { body }: RequestInit) => {
    asked.push(String(body))
    return Response.json({ minutes: { low: 1, high: 2 } })
  })
  render(
    <QueryClientProvider client={client}>
      <Waiting job={job} />
    </QueryClientProvider>,
  )
  return asked
}

it("tells what a worker does now, what is done, and how long the training takes", async () => {
  const asked = show(JOB)
  const [data, model, step] = screen.getAllByRole("listitem")
  expect(data?.textContent).toBe("データを準備する（済み）")
  expect(model?.getAttribute("aria-current")).toBe("step")
  expect(step?.getAttribute("aria-current")).toBeNull()
  expect(await screen.findByText("始まってから終わるまで: 1分〜2分（推定）")).toBeTruthy()
  expect(JSON.parse(asked[0] ?? "")).toMatchObject({ base_model: "nano", dataset_id: "d1", settings: { r: 8 } })
})

it("tells of a job that waits how long the one before it still takes", () => {
  show({ ...JOB, status: "queued", place: 1 } as Job)
  expect(screen.getByText("先のジョブ「先の店」は、残り 1分40秒 です。")).toBeTruthy()
  expect(document.querySelector("[aria-current]")).toBeNull()
})
