import { expect, it } from "vitest"
import { epochEnds, namedEvery, rangeOf, smooth, thinned } from "./chart-math"

it("smooths without dragging the first values towards zero", () => {
  expect(smooth([2, 2, 2], 0.9)).toEqual([2, 2, 2].map((value) => expect.closeTo(value, 10)))
  expect(smooth([4, 0], 0.5)[1]).toBeCloseTo(4 / 3)
  expect(smooth([1, null, 3], 0)).toEqual([1, null, 3])
})

const steps = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

it("keeps peaks, valleys and both ends when it leaves points out", () => {
  const wave = steps(10_000).map((step) => Math.sin(step / 500))
  wave[4321] = 9
  wave[7777] = -9
  const flat = steps(10_000).map(() => 1)
  const { x, columns } = thinned({ x: steps(10_000), columns: [wave, flat] }, 1, 10_000, 200)
  expect(x.length).toBe(402)
  expect([x[0], x.at(-1)]).toEqual([1, 10_000])
  expect(x).toEqual([...new Set(x)].sort((one, other) => one - other))
  expect(columns.map((values) => values.length)).toEqual([402, 402])
  expect(Math.max(...(columns[0] as number[]))).toBe(9)
  expect(Math.min(...(columns[0] as number[]))).toBe(-9)
  expect(columns[1]?.every((value) => value === 1)).toBe(true)
})

it("shows every point of a part that has few, and keeps the axis as long as it was", () => {
  const whole = { x: steps(1000), columns: [steps(1000).map((step) => -step)] }
  const { x, columns } = thinned(whole, 500, 520, 50)
  expect(x).toEqual([1, ...steps(1000).slice(498, 521), 1000])
  expect(columns[0]).toEqual(x.map((step) => -step))
  expect(thinned(whole, 1, 1000, 500)).toEqual(whole)
})

it("keeps gaps, and the order of fall and rise in a bucket", () => {
  const nothing = thinned({ x: steps(1000), columns: [Array(1000).fill(null)] }, 1, 1000, 10)
  expect(nothing.columns[0]?.every((value) => value === null)).toBe(true)
  const falling = thinned({ x: steps(1000), columns: [steps(1000).map((step) => -step)] }, 1, 1000, 10)
  expect(falling.columns[0]).toEqual([...(falling.columns[0] as number[])].sort((one, other) => other - one))
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
