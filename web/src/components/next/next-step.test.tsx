import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router"
import { cleanup, render, screen, waitFor } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import type { ReactNode } from "react"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { type Action, ApiError } from "@/api/error"
import { Failed } from "@/components/states/failed"
import { toastError } from "@/components/states/toast-error"
import { Toasts } from "@/components/ui/toast"
import { loadTexts, switchLanguage, textsOf } from "@/lib/text"
import { NextStep } from "./next-step"
import { About, type Subject } from "./subject"

const asked: { method: string; path: string; body: unknown }[] = []

beforeEach(() => {
  asked.length = 0
  vi.stubGlobal("fetch", async (path: string, { method = "GET", body }: RequestInit) => {
    asked.push({ method, path, body: body ? JSON.parse(String(body)) : null })
    return Response.json({ id: "new", version: 7, num_examples: 5 })
  })
})

afterEach(async () => {
  cleanup()
  vi.unstubAllGlobals()
  await switchLanguage("ja")
})

async function show(children: ReactNode) {
  const history = createMemoryHistory()
  const router = createRouter({ routeTree: createRootRoute({ component: () => children }), history })
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  )
  await screen.findByTestId("shown")
  return history
}

const step = (action: Action, about: Subject = {}) =>
  show(
    <About value={about}>
      <div data-testid="shown">
        <NextStep action={action} />
      </div>
    </About>,
  )

const press = (name: string) => userEvent.click(screen.getByRole("button", { name }))

it("repairs the data in its version of now, and says what came of it", async () => {
  await step({ name: "repair_dataset", values: { actions: ["drop_invalid"] } }, { datasetId: "d1" })
  await press("誤りのある行を除く")
  await waitFor(() => expect(asked.some(({ method }) => method === "POST")).toBe(true))
  expect(asked.find(({ method }) => method === "POST")).toEqual({
    method: "POST",
    path: "/api/datasets/d1/repair",
    body: { actions: ["drop_invalid"], version: 7 },
  })
})

it("changes the settings of the form it stands in, else those of a copy of the job", async () => {
  const change: Action = { name: "change_settings", values: { r: 16, max_steps: null } }
  const onSettings = vi.fn()
  await step(change, { onSettings, jobId: "j1" })
  await press("ランク 16・最大ステップ数 おすすめの値 にする")
  expect(onSettings).toHaveBeenCalledWith(change.values)
  cleanup()
  const history = await step(change, { jobId: "j1" })
  await press("この設定で複製（ランク 16・最大ステップ数 おすすめの値）")
  await waitFor(() => expect(history.location.pathname).toBe("/jobs/new"))
  expect(asked).toEqual([{ method: "POST", path: "/api/jobs/j1/clone", body: { settings: change.values } }])
})

it.each([
  ["cancel_job", { job_id: "other" }, "そのジョブをキャンセル", "/api/jobs/other/cancel"],
  ["resume_job", { job_id: "other" }, "ジョブを再開", "/api/jobs/other/resume"],
  ["retry_job", {}, "続きから始める", "/api/jobs/j1/retry"],
] as const)("asks for %s", async (name, values, words, path) => {
  await step({ name, values }, { jobId: "j1" })
  await press(words)
  await waitFor(() => expect(asked.map((request) => request.path)).toEqual([path]))
})

it("leads to the evaluation and to the export of the job that was trained", async () => {
  const about = { jobId: "e1", trainedId: "j1" }
  await step({ name: "evaluate", values: {} }, about)
  expect(screen.getByRole("link", { name: "覚えたか評価する" }).getAttribute("href")).toBe("/jobs/j1?tab=evaluation")
  cleanup()
  await step({ name: "export", values: { quantizations: ["Q8_0"] } }, about)
  expect(screen.getByRole("link", { name: "Q8_0で書き出す" }).getAttribute("href")).toBe(
    "/exports/new?job=j1&quantization=Q8_0",
  )
})

it("shows nothing where the page cannot tell what it is about", async () => {
  for (const name of ["repair_dataset", "change_settings", "evaluate", "export", "retry_job"] as const) {
    await step({ name, values: {} })
    expect(screen.getByTestId("shown").childElementCount).toBe(0)
    cleanup()
  }
})

const IN_USE = {
  status: 409,
  code: "dataset_in_use",
  detail: "A job reads it.",
  hint: "Cancel the job.",
  action: { name: "cancel_job", values: { job_id: "j9" } },
} as const

it("stands beside the hint of an error, in the reader's language", async () => {
  await switchLanguage("en")
  await show(
    <div data-testid="shown">
      <Failed error={new ApiError(IN_USE)} />
    </div>,
  )
  await press("Cancel that job")
  await waitFor(() => expect(asked.map(({ path }) => path)).toEqual(["/api/jobs/j9/cancel"]))
})

it("stands in the note of an error that has no place on the page", async () => {
  await loadTexts("ja")
  await show(
    <div data-testid="shown">
      <Toasts />
    </div>,
  )
  toastError(new ApiError(IN_USE), textsOf("ja"))
  await screen.findByText("Cancel the job.")
  await press("そのジョブをキャンセル")
  await waitFor(() => expect(asked.map(({ path }) => path)).toEqual(["/api/jobs/j9/cancel"]))
})
