import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { cleanup, render, screen } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import { afterEach, expect, it, vi } from "vitest"
import { PassportSheet } from "./passport-sheet"

const DOCUMENT = {
  made_at: "2026-11-30T09:00:00+00:00",
  base: { name: "nano" },
  data: { name: "data.jsonl", num_rows: 5 },
  licenses: [
    { part: "base", name: "nano", license: "cc0-1.0" },
    { part: "data", name: "data.jsonl", license: null },
  ],
  files: { "model-F16.gguf": "1e69", "meta.json": "a0b1" },
  signature: "c2ln",
}

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

/** Shows the sheet of a server whose passport is the given one, and returns the methods that it was asked with. */
function show(found: object | null, made: object): string[] {
  const methods: string[] = []
  vi.stubGlobal("fetch", async (_: string, { method = "GET" }: RequestInit) => {
    methods.push(method)
    if (method === "POST") return Response.json(made, { status: 201 })
    return Response.json(found)
  })
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <PassportSheet id="j1" hasOne={found !== null} addressOf={(id, file) => `/files/${id}/${file}`} />
    </QueryClientProvider>,
  )
  return methods
}

it("is made where there is none, and then shows what it says", async () => {
  const methods = show(null, { passport: DOCUMENT, problems: [] })
  await userEvent.click(await screen.findByRole("button", { name: "製造記録を作る" }))
  expect(await screen.findByText("署名のとおりです")).toBeTruthy()
  expect(screen.getByText("cc0-1.0")).toBeTruthy()
  expect(screen.getByText("不明（data.jsonl の持ち主に確認）")).toBeTruthy()
  expect(screen.getByText("署名したファイル").nextSibling?.textContent).toBe("2")
  expect(screen.getByRole("link", { name: "印刷用のページを保存" }).getAttribute("href")).toBe(
    "/files/j1/passport.html",
  )
  expect(methods).toEqual(["POST"])
})

it("says which files are not as they were signed, and is made anew on demand", async () => {
  show({ passport: DOCUMENT, problems: ["model-F16.gguf"] }, { passport: DOCUMENT, problems: [] })
  expect(await screen.findByText("署名と違います")).toBeTruthy()
  expect(screen.getByText(/model-F16\.gguf/)).toBeTruthy()
  await userEvent.click(screen.getByRole("button", { name: "製造記録を作り直す" }))
  expect(await screen.findByText("署名のとおりです")).toBeTruthy()
})
