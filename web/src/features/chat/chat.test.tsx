import { act, render, screen } from "@testing-library/react"
import userEvent from "@testing-library/user-event"
import { expect, it } from "vitest"
import type { ChatModel } from "@/api/chat"
import { isEnter } from "@/lib/keys"
import { Composer } from "./components/composer"
import { differenceOf } from "./difference"
import { questionsOf, rowLike } from "./questions"
import { chatSearch, firstModels, modelsOf } from "./search"
import { afterEvent, asked, type Exchange, ended, turnsFor } from "./thread"

const event = (type: string, data: Record<string, unknown>) => ({ id: "", type, data })
const marked = (text: string, other: string) => {
  const { kind, pieces } = differenceOf(text, other)
  return [kind, pieces.map((piece) => (piece.isOwn ? `[${piece.text}]` : piece.text)).join("")]
}

it("marks the words that another answer does not say", () => {
  expect(marked("食パンは380円です。", "食パンは400円です。")).toEqual(["alike", "食パンは[380]円です。"])
  expect(marked("The bread costs 380 yen.", "The bread costs 400 yen today.")).toEqual([
    "alike",
    "The bread costs [380] yen.",
  ])
})

it("marks nothing where answers are the same, or have hardly a word in common", () => {
  expect(marked("はい。", "はい。")).toEqual(["same", "はい。"])
  expect(marked("犬が好きです。", "明日は雨でしょう！")).toEqual(["other", "犬が好きです。"])
  expect(marked("a ".repeat(3000), "b ".repeat(3000))[0]).toBe("other")
})

it("keeps the whole answer in its pieces", () => {
  const text = "花沢パン屋の食パンは、ひとつ380円です。\n焼きたてです。"
  const { pieces } = differenceOf(text, "花沢パン屋の食パンは380円です。")
  expect(pieces.map((piece) => piece.text).join("")).toBe(text)
  expect(pieces.map(({ at, text: piece }) => text.startsWith(piece, at))).not.toContain(false)
})

it("reads up to three models from an address, each once", () => {
  expect(modelsOf(chatSearch({ models: "job:1@base, job:1,job:1,nano,export:2/Q8_0" }))).toEqual([
    "job:1@base",
    "job:1",
    "nano",
  ])
  expect(chatSearch({ models: 1, mode: "text", x: 1 })).toEqual({ mode: "text" })
})

it("begins with the newest job before and after its training, else with the first model", () => {
  const model = (id: string, kind: ChatModel["kind"], job_id: string | null) => ({ id, kind, job_id }) as ChatModel
  const nano = model("nano", "bundled", null)
  const jobs = ["2", "1"].flatMap((id) => [model(`job:${id}`, "job", id), model(`job:${id}@base`, "base", id)])
  expect(firstModels([nano, ...jobs])).toEqual(["job:2@base", "job:2"])
  expect(firstModels([nano])).toEqual(["nano"])
})

it("takes the events of each column; one fails alone", () => {
  const models = ["a", "b"]
  const said = [
    event("begin", { seed: 7 }),
    event("load", { column: 1 }),
    event("text", { column: 0, text: "は" }),
    event("text", { column: 0, text: "い" }),
    event("error", { column: 1, code: "memory_short", detail: "足りません。", hint: "閉じてください。" }),
    event("reply", { column: 0, text: "はい。", finish_reason: "length", num_tokens: 3, tokens_per_second: null }),
  ].reduce((exchange, one) => afterEvent(exchange, models, one), asked("1", "質問", models))
  expect(said.seed).toBe(7)
  expect(said.answers.a).toMatchObject({ state: "done", text: "はい。", finishReason: "length", tokensPerSecond: null })
  expect(said.answers.b).toMatchObject({ state: "failed", text: "", fault: { code: "memory_short" } })
})

it("ends only what is still open: stopped, or failed with what went wrong", () => {
  const models = ["a", "b"]
  const reply = event("reply", { column: 0, text: "x", finish_reason: "stop", num_tokens: 1 })
  const half = [reply, event("text", { column: 1, text: "途" })].reduce(
    (exchange, one) => afterEvent(exchange, models, one),
    asked("1", "質問", models),
  )
  const states = (exchange: Exchange) => models.map((model) => exchange.answers[model]?.state)
  expect(states(ended(half))).toEqual(["done", "stopped"])
  expect(ended(half).answers.b?.text).toBe("途")
  expect(states(ended(half, { code: "c", detail: "d", hint: "h" }))).toEqual(["done", "failed"])
})

it("gives each model its own history, without questions that it never answered", () => {
  const answer = (text: string) => ({ ...asked("", "", ["a"]).answers.a, text }) as Exchange["answers"][string]
  const thread: Exchange[] = [
    { id: "1", question: "一", seed: 1, answers: { a: answer("A1"), b: answer("B1") } },
    { id: "2", question: "二", seed: 1, answers: { a: answer("A2"), b: answer("") } },
  ]
  const words = (model: string) => turnsFor(model, thread, "三").map(({ role, content }) => `${role} ${content}`)
  expect(words("a")).toEqual(["user 一", "assistant A1", "user 二", "assistant A2", "user 三"])
  expect(words("b")).toEqual(["user 一", "assistant B1", "user 三"])
})

it("sends by Enter only when no word is being chosen", () => {
  const key = { key: "Enter", shiftKey: false, isComposing: false, keyCode: 13 }
  expect(isEnter(key)).toBe(true)
  expect(isEnter({ ...key, isComposing: true })).toBe(false)
  expect(isEnter({ ...key, keyCode: 229 })).toBe(false) // Safari, at the end of a composition
  expect(isEnter({ ...key, shiftKey: true })).toBe(false)
})

const row = (fields: Record<string, unknown>, asks: string, says: string) => ({
  row: 1,
  line: 1,
  fields,
  text: null,
  example: {
    messages: [
      { role: "user", content: asks },
      { role: "assistant", content: says },
    ],
  },
  is_shortened: false,
  problems: [],
})

it("takes three questions from rows, each once", () => {
  const rows = ["一", "一", "二", "三", "四"].map((question) => row({}, question, "答え"))
  expect(questionsOf([{ ...row({}, "", ""), example: { text: "文章" } }, ...rows])).toEqual(["一", "二", "三"])
})

it("forms a new row as the dataset's own rows are, whatever their columns are called", () => {
  expect(rowLike([row({ 質問: "一", 回答: "A", 番号: 1 }, "一", "A")], "二", "B")).toEqual({ 質問: "二", 回答: "B" })
  const messages = [{ role: "user", content: "一" }]
  expect(rowLike([row({ messages }, "一", "A")], "二", "B")).toEqual({
    messages: [
      { role: "user", content: "二" },
      { role: "assistant", content: "B" },
    ],
  })
  expect(rowLike([{ ...row({ text: "文章" }, "", ""), example: { text: "文章" } }], "二", "B")).toBeNull()
})

it("sends what was typed, and nothing while it is empty", async () => {
  const sent: string[] = []
  const place = { models: ["nano"], mode: "chat" as const }
  render(<Composer place={place} isRunning={false} canClear={false} onSend={(text) => sent.push(text)} />)
  const box = screen.getByRole("textbox", { name: "質問" })
  await act(() => userEvent.type(box, "  {Enter}"))
  expect(sent).toEqual([])
  await act(() => userEvent.type(box, "一行目{Shift>}{Enter}{/Shift}二行目{Enter}"))
  expect(sent).toEqual(["一行目\n二行目"])
  expect(box).toHaveProperty("value", "")
})
