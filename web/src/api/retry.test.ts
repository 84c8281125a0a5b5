import { expect, it } from "vitest"
import { pauseBefore, RetryBudget } from "./retry"

it("gives out what it has, and more with time", () => {
  let now = 0
  const budget = new RetryBudget(2, 0.5, () => now)
  expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false])
  now = 2000
  expect([budget.take(), budget.take()]).toEqual([true, false])
  now = 1e9
  expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false])
})

it("waits longer each time, up to a limit, and never the same in two tabs", () => {
  expect([0, 1, 2].map((repetition) => pauseBefore(repetition, 1))).toEqual([250, 500, 1000])
  expect(pauseBefore(30, 1)).toBe(4000)
  expect(pauseBefore(1, 0)).toBe(250)
})
