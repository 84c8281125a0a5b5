import { expect, it } from "vitest"
import { downSample, epochEnds, namedEvery, rangeOf, smooth } from "./chart-math"

it("smooths without dragging the first values towards zero", () => {
  expect(smooth([2, 2, 2], 0.9)).toEqual([2, 2, 2].map((value) => expect.closeTo(value, 10)))
  expect(smooth([4, 0], 0.5)[1]).toBeCloseTo(4 / 3)
  expect(smooth([1, null, 3], 0)).toEqual([1, null, 3])
})

it("keeps peaks, valleys and both ends when it leaves points out", () => {
  const values = Array.from({ length: 10_000 }, (_, index) => Math.sin(index / 500))
  values[4321] = 9
  values[7777] = -9
  const kept = downSample(values, 400)
  expect(kept.length).toBeLessThanOrEqual(400)
  expect(kept).toEqual([...kept].sort((one, other) => one - other))
  for (const index of [0, 4321, 7777, 9999]) expect(kept).toContain(index)
  expect(downSample([1, 2, 3], 400)).toEqual([0, 1, 2])
  expect(downSample(Array(1000).fill(null), 10)).toEqual([0, 999])
})

it("finds an axis that holds all values, also of flat, missing and logarithmic curves", () => {
  const [low, high] = rangeOf([
    [1, 3],
    [2, null],
  ])
  expect(low).toBeLessThan(1)
  expect(high).toBeGreaterThan(3)
  expect(rangeOf([[5, 5]])[1]).toBeGreaterThan(5)
  expect(rangeOf([])).toEqual([0, 1])
  expect(rangeOf([[0, 0.5]])[0]).toBe(0)
  expect(rangeOf([[0, 0.5, 2]], true)[0]).toBeGreaterThan(0)
  expect(rangeOf([Array(200_000).fill(1)])[1]).toBeGreaterThan(1) // no limit of arguments is met
})

it("finds the steps at which epochs end", () => {
  expect(epochEnds([0.4, 0.8, 1.2, 1.6, 2], [1, 2, 3, 4, 5])).toEqual([3])
  expect(epochEnds([0.5, 1, 1.5, 2], [1, 2, 3, 4])).toEqual([2])
  expect(epochEnds([null, 0.5], [1, 2])).toEqual([])
})

it("leaves outliers at the top out of a clipped axis, and nothing at the bottom", () => {
  const curve = [...Array.from({ length: 99 }, (_, index) => 1 + index / 100), 50]
  expect(rangeOf([curve])[1]).toBeGreaterThan(50)
  const [low, high] = rangeOf([curve, []], false, true)
  expect(low).toBeLessThanOrEqual(1)
  expect(high).toBeGreaterThan(1.9)
  expect(high).toBeLessThan(3)
  expect(rangeOf([[-1, 0, 5, 100, 4]], true, true)[0]).toBeGreaterThan(0)
})

it("names marks as often as their names have room", () => {
  expect(namedEvery([10, 60, 110], 40)).toBe(1)
  expect(namedEvery([10, 30, 50], 55)).toBe(3)
  expect(namedEvery([10], 55)).toBe(1)
  expect(namedEvery([10, 10.1], 55)).toBe(55)
})
