import { expect, it } from "vitest"
import type { Curves } from "@/api/jobs"
import { aligned } from "./curves"
import { jobSearch } from "./tabs"

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
