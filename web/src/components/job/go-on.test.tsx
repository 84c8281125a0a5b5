import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router"
import { cleanup, render, screen, waitFor } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import { afterEach, expect, it, vi } from "vitest"
import type { JobSummary } from "@/api/jobs"
import { GoOn, Problems } from "./go-on"

const asked: string[] = []

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
  asked.length = 0
})

const CHANGED = {
  code: "data_changed",
  params: {},
  detail: "データが違います。",
  hint: "新しいジョブで。",
  action: null,
}

async function show(values: Partial<JobSummary>) {
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path)
    return Response.json({})
  })
  const job = { id: "j1", name: "店", status: "canceled", error: null, obstacle: null, ...values } as JobSummary
  const component = () => (
    <div data-testid="shown">
      <GoOn job={job} />
      <Problems job={job} />
    </div>
  )
  const router = createRouter({ routeTree: createRootRoute({ component }), history: createMemoryHistory() })
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  )
  await screen.findByTestId("shown")
}

it("takes a job up again where that can help", async () => {
  await show({})
  await userEvent.click(screen.getByRole("button", { name: "「店」を続きから始める" }))
  await waitFor(() => expect(asked).toEqual(["/api/jobs/j1/retry"]))
  expect(screen.queryByRole("link")).toBeNull()
})

it("says why a job cannot go on, and leads to a new one instead", async () => {
  await show({ obstacle: CHANGED })
  expect(screen.queryByRole("button")).toBeNull()
  expect(screen.getByRole("link", { name: /複製して変更/ }).getAttribute("href")).toBe("/jobs/new?from=j1")
  expect(screen.getByText("データが違います。")).toBeTruthy()
})

it("says an error once, also where it is what keeps the job from going on", async () => {
  await show({ status: "failed", error: CHANGED, obstacle: CHANGED })
  expect(screen.getAllByText("データが違います。")).toHaveLength(1)
})
