import { expect, it } from "vitest"
import type { EvaluatedItem, Quality } from "@/api/evaluations"
import type { Curves, Epoch, Finding, Job, JobSummary } from "@/api/jobs"
import { openJobs } from "@/api/jobs"
import { bestLoss, courseOf } from "@/components/job/course"
import { aligned } from "@/lib/curves"
import { splitFindings } from "./findings"
import { goalState, useGoals, withGoal } from "./goals"
import { PHASES, phaseOf } from "./phases"
import { qualityMeasures } from "./quality"
import { movesOf } from "./queue-order"
import { piecesOf } from "./sample"
import { jobSearch } from "./tabs"
import { isLoss, lossesFirst, verdictOf } from "./verdicts"

const curve = (steps: number[], mean: number[]) => ({
  is_exact: true,
  first_step: steps,
  last_step: steps,
  lowest: mean,
  highest: mean,
  mean,
})

it("puts curves that were measured at other steps on one axis", () => {
  const curves = { loss: curve([1, 2, 3], [3, 2, 1]), eval_loss: curve([2, 4], [2.5, 2.2]) }
  expect(aligned({ step: 4, total_steps: 4, curves } as Curves, ["loss", "eval_loss", "none"])).toEqual({
    x: [1, 2, 3, 4],
    columns: [
      [3, 2, 1, null],
      [null, 2.5, null, 2.2],
      [null, null, null, null],
    ],
  })
})

it("opens the tab that an address names, and the first one for any other word", () => {
  expect(jobSearch({ tab: "log", x: 1 })).toEqual({ tab: "log" })
  expect(jobSearch({ tab: "nowhere" })).toEqual({})
})

const item = (verdict: string | null, chrf: number) => ({ verdict, tuned: { text: "", chrf } }) as EvaluatedItem

it("shows what was lost before what was won, and the farthest answer of equals first", () => {
  const items = [item("learned", 1), item(null, 0), item("surface", 0.5), item("broken", 0.3), item("broken", 0.1)]
  expect(lossesFirst(items).map(({ verdict, tuned }) => [verdict, tuned.chrf])).toEqual([
    ["broken", 0.1],
    ["broken", 0.3],
    ["surface", 0.5],
    ["learned", 1],
    [null, 0],
  ])
  expect(items.map(isLoss)).toEqual([false, false, true, true, true])
  expect(verdictOf("of another version")).toBeNull()
})

it("shows each measure beyond facts of both sides, and a dash for what was not asked", () => {
  const share = { carried: 3, asked: 4, share: 0.75, low: 0.25, high: 1 }
  const quality: Quality = {
    term_accuracy: { base: null, tuned: share, missed: [] },
    consistency: { base: null, tuned: null },
    safety: { base: share, tuned: share, items: [] },
    fluency: {
      base: { repetition_rate: 0.1, stop_rate: 1, perplexity: 4.25 },
      tuned: { repetition_rate: null, stop_rate: 0.5, perplexity: null },
    },
  }
  expect(qualityMeasures(quality).map(({ name, base, tuned }) => [name, base, tuned])).toEqual([
    ["term_accuracy", "–", "3 / 4 (25–100 %)"],
    ["consistency", "–", "–"],
    ["safety", "3 / 4 (25–100 %)", "3 / 4 (25–100 %)"],
    ["repetition_rate", "10 %", "–"],
    ["stop_rate", "100 %", "50 %"],
    ["perplexity", "4.3", "–"],
  ])
})

const job = (id: string, status: string, position: number) => ({ id, status, position }) as JobSummary

it("lists what is at work before what waits, as the queue takes it, and moves by one place", () => {
  const jobs = [job("c", "queued", 3), job("old", "succeeded", 0), job("a", "queued", 1), job("run", "running", 9)]
  const open = openJobs([...jobs, job("b", "paused", 2)])
  expect(open.map(({ id }) => id)).toEqual(["run", "a", "b", "c"])
  const waiting = open.slice(1)
  expect(movesOf(waiting, "a")).toEqual({ up: null, down: { before: "c" } })
  expect(movesOf(waiting, "b")).toEqual({ up: { before: "a" }, down: { before: null } })
  expect(movesOf(waiting, "c")).toEqual({ up: { before: "b" }, down: null })
  expect(movesOf(waiting, "none")).toEqual({ up: null, down: null })
})

it("takes the best loss from held-out rows where there are any", () => {
  const loss = { ...curve([1, 2], [3, 2]), lowest: [2.5, 1.5] }
  expect(bestLoss({ loss })).toBe(1.5)
  expect(bestLoss({ loss, eval_loss: curve([2], [1.9]) })).toBe(1.9)
  expect(bestLoss(undefined)).toBeNull()
  expect(courseOf({ loss })).toEqual([3, 2])
})

it("judges a goal when its epoch has ended, by its mean loss", () => {
  const epochs = [
    { epoch: 1, loss: 2 },
    { epoch: 2, loss: 1.2 },
  ] as Epoch[]
  expect(goalState({ epoch: 1, loss: 2 }, epochs, false)).toBe("reached")
  expect(goalState({ epoch: 1, loss: 1.9 }, epochs, false)).toBe("missed")
  expect(goalState({ epoch: 2, loss: 1.5 }, epochs, false)).toBe("open")
  expect(goalState({ epoch: 2, loss: 1.5 }, epochs, true)).toBe("reached")
  expect(goalState({ epoch: 3, loss: 1 }, epochs, true)).toBe("open")
})

it("keeps one goal per epoch, and the goals of the last fifty jobs", () => {
  const goals = withGoal(withGoal([{ epoch: 4, loss: 1 }], { epoch: 2, loss: 2 }), { epoch: 4, loss: 1.5 })
  expect(goals).toEqual([
    { epoch: 2, loss: 2 },
    { epoch: 4, loss: 1.5 },
  ])
  for (let number = 0; number < 60; number += 1) useGoals.getState().setGoals(`job${number}`, goals)
  const known = Object.keys(useGoals.getState().ofJob)
  expect([known.length, known[0], known.at(-1)]).toEqual([50, "job10", "job59"])
})

it("joins neighbouring tokens of a row that are learned alike", () => {
  const token = (text: string, state: string) => ({ text, state })
  const tokens = [token("問", "masked"), token("い", "masked"), token("答え", "trained"), token("。", "trained")]
  const event = { data: { preview: { tokens } } } as unknown as Parameters<typeof piecesOf>[0]
  expect(piecesOf(event)).toEqual([
    { text: "問い", isLearned: false },
    { text: "答え。", isLearned: true },
  ])
  expect(piecesOf({ ...event, data: {} })).toEqual([])
})

it("knows which phase a worker is at until its first step", () => {
  const names = [null, "preparing", "loading", "loaded", "training"]
  expect(names.map((name) => PHASES[phaseOf(name)])).toEqual(["data", "data", "model", "first_step", "first_step"])
})

it("tells the error that a job ended with, and its next step, from what else was found", () => {
  const finding = (type: string, code: string) => ({ type, code, text: code }) as Finding
  const [failure, other] = [finding("error", "non_finite_loss"), finding("warning", "loss_rises")]
  const error = { code: "non_finite_loss" } as Job["error"]
  expect(splitFindings([failure, other], error)).toEqual({ failure, others: [other] })
  expect(splitFindings([failure, other], null)).toEqual({ failure: undefined, others: [failure, other] })
})
