import { expect, it } from "vitest"
import type { ComparedMetric, Comparison } from "@/api/comparisons"
import type { EvaluatedItem, EvaluationReport } from "@/api/evaluations"
import type { JobSummary } from "@/api/jobs"
import { canCombine, requestOf } from "./combination"
import { fieldName, valuesOf } from "./differences"
import { marksOf, metricName, metricValue } from "./metrics"
import { lossesFirst, outcomeOf, questionsFor, sharedItems, tallyOf, toEvaluate } from "./scores"
import { idsOf, searchOf } from "./search"
import { csvOf, linesOf } from "./table-file"

const item = (question: string, facts: boolean[], chrf = 0): EvaluatedItem => ({
  question,
  reference: "r",
  base: { text: "", chrf: 0 },
  tuned: { text: "", chrf },
  facts: facts.map((tuned) => ({ text: "f", base: false, tuned, verdict: tuned ? "learned" : "not_learned" })),
  verdict: null,
  paraphrases: [],
})
const report = (...items: EvaluatedItem[]) => ({ items }) as unknown as EvaluationReport
const [A, B] = [
  report(item("1", [true, true]), item("2", [true]), item("3", [], 0.5), item("only A", [true])),
  report(item("1", [true, false]), item("2", [true]), item("3", [], 0.9)),
]

it("compares the questions alone that all evaluated jobs were asked", () => {
  const shared = sharedItems([A, null, B])
  expect(shared.map(({ question }) => question)).toEqual(["1", "2", "3"])
  expect(shared[0]?.items[1]).toBeNull()
  expect(sharedItems([A, null])).toEqual([])
})

it("tells what the first job lost, and shows that first", () => {
  const shared = sharedItems([A, B])
  expect(shared.map(outcomeOf)).toEqual(["won", "tied", "lost"])
  expect(lossesFirst(shared).map(({ question }) => question)).toEqual(["3", "2", "1"])
})

it("counts facts, and names all who are equally good", () => {
  expect(tallyOf(sharedItems([A, B]), 2)).toEqual({ questions: 3, facts: 3, before: 0, scores: [3, 2], leaders: [0] })
  expect(tallyOf(sharedItems([A, null, A]), 3)).toMatchObject({ scores: [4, null, 4], leaders: [0, 2] })
  expect(tallyOf([], 2)).toMatchObject({ questions: 0, scores: [null, null], leaders: [] })
})

it("goes by nearness where no reference holds a fact, and takes nearly equal for equal", () => {
  const near = (chrf: number) => report(item("1", [], chrf))
  expect(tallyOf(sharedItems([near(0.5), near(0.51)]), 2).leaders).toEqual([0, 1])
  expect(tallyOf(sharedItems([near(0.5), near(0.6)]), 2).leaders).toEqual([1])
})

it("evaluates those that lack it, and all when they were asked different questions", () => {
  expect(toEvaluate([A, null, B])).toEqual([1])
  expect(toEvaluate([A, B])).toEqual([])
  expect(toEvaluate([A, report(item("other", [true]))])).toEqual([0, 1])
  expect(questionsFor(["d", "d"])).toBeNull()
  expect(questionsFor([null, "d"])).toBe("d")
})

it("marks the best of a metric, and nothing where it cannot be told", () => {
  const metric = { name: "m", better: "lower", values: [1, null, 2], best: [0] } as ComparedMetric
  expect(marksOf(metric, ["1", "–", "2"])).toEqual(["best", null, "worse"])
  expect(marksOf(metric, ["1", "–", "1"])).toEqual([null, null, null])
  expect(marksOf({ ...metric, best: [] }, ["1", "–", "2"])).toEqual([null, null, null])
})

it("shows values of settings and metrics as people read them", () => {
  const jobs = [{ dataset_id: "a" }, { dataset_id: "b" }] as JobSummary[]
  const data = { field: "data", values: ["0123456789", "abcdefghij"] }
  const names: Record<string, string> = { a: "店", b: "町" }
  expect(valuesOf(data, jobs, (id) => names[id])).toEqual(["店", "町"])
  const three = { field: "data", values: ["h1", "h2", "h1"] }
  expect(valuesOf(three, [...jobs, ...jobs.slice(0, 1)], (id) => names[id])).toEqual(["店", "町", "店"])
  expect(valuesOf(data, jobs, () => undefined)).toEqual(["01234567", "abcdefgh"])
  expect(valuesOf({ field: "target_modules", values: [["q"], null] }, jobs, () => undefined)).toEqual(['["q"]', "–"])
  expect(fieldName("unknown_setting", (key) => key)).toBe("unknown_setting")
  expect(metricValue("facts_remembered", 0.5, "ja")).toBe("50 %")
  expect(metricValue("peak_memory_bytes", 2e9, "ja")).toBe("2.0\u00a0GB")
  expect(metricValue("eval_loss", null, "ja")).toBe("–")
  expect(metricName("new_one")).toBeNull()
})

it("keeps the jobs in the address, each once and four at most", () => {
  expect(idsOf({ jobs: "a,b,a,c,d,e" })).toEqual(["a", "b", "c", "d"])
  expect(searchOf(["a", "b"])).toEqual({ jobs: "a,b" })
  expect(searchOf([])).toEqual({})
})

it("writes a table that spreadsheets open and never run", () => {
  const comparison = {
    jobs: [{ name: "A, 店" }, { name: '"B"' }],
    differences: [
      { field: "r", values: [4, 8] },
      { field: "target_modules", values: [["q"], null] },
    ],
    metrics: [{ name: "final_loss", values: [0.5, null] }],
  } as unknown as Parameters<typeof linesOf>[0]
  const shared = sharedItems([report(item("=1+1", [true])), report(item("=1+1", [true]))])
  expect(csvOf(linesOf(comparison, shared)).split("\r\n")).toEqual([
    '\ufeff,"A, 店","""B"""',
    "r,4,8",
    'target_modules,"[""q""]",',
    "final_loss,0.5,",
    `"'=1+1",,`,
    "",
  ])
})

it("combines finished jobs on one base, with the weights that were given", () => {
  const ended = { status: "succeeded" }
  const found = { jobs: [ended, ended], differences: [{ field: "r", values: [4, 8] }] } as unknown as Comparison
  expect(canCombine(found)).toBe(true)
  expect(canCombine({ ...found, jobs: [...found.jobs, { ...found.jobs[0], status: "running" }] as never })).toBe(false)
  expect(canCombine({ ...found, differences: [{ field: "base_digest", values: ["a", "b"] }] })).toBe(false)
  const choice = { name: " 店 ", method: "svd", weights: [null, null, null], density: 0.4 } as const
  expect(requestOf(["a", "b", "c"], choice)).toEqual({
    job_ids: ["a", "b", "c"],
    name: "店",
    method: "svd",
    weights: null,
    density: null,
  })
  expect(requestOf(["a", "b", "c"], { ...choice, name: "", method: "ties", weights: [0.5, null, 0] })).toMatchObject({
    name: null,
    weights: [0.5, 0.333, 0],
    density: 0.4,
  })
})
