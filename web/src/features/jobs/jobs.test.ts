import { expect, it } from "vitest"
import type { EvaluatedItem } from "@/api/evaluations"
import type { Curves } from "@/api/jobs"
import { aligned } from "@/lib/curves"
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
