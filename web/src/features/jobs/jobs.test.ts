import { expect, it } from "vitest"
import type { EvaluatedItem, Quality } from "@/api/evaluations"
import type { Curves } from "@/api/jobs"
import { aligned } from "@/lib/curves"
import { qualityMeasures } from "./quality"
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
    ["term_accuracy", "–", "3/4 (25–100 %)"],
    ["consistency", "–", "–"],
    ["safety", "3/4 (25–100 %)", "3/4 (25–100 %)"],
    ["repetition_rate", "10 %", "–"],
    ["stop_rate", "100 %", "50 %"],
    ["perplexity", "4.3", "–"],
  ])
})
