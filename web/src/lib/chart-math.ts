/** One curve: steps in rising order, null where nothing was measured. */
export type Series = readonly (number | null)[]

/** Returns a curve smoothed by an exponential mean without the bias of its first values; `weight` from 0 to below 1. */
export function smooth(values: Series, weight: number): (number | null)[] {
  let mean = 0
  let counted = 0
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null
    counted += 1
    mean = mean * weight + value * (1 - weight)
    return mean / (1 - weight ** counted)
  })
}

/**
 * Returns the indices of at most `most` points that keep the shape: of each bucket the lowest and the highest.
 *
 * The first and the last point always stay.
 */
export function downSample(values: Series, most: number): number[] {
  if (values.length <= most) return values.map((_, index) => index)
  const kept = new Set<number>([0, values.length - 1])
  const buckets = Math.max(1, Math.floor((most - 2) / 2))
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const begin = Math.floor((bucket * values.length) / buckets)
    const end = Math.floor(((bucket + 1) * values.length) / buckets)
    const { low, high } = extremes(values, begin, end)
    if (low >= 0) kept.add(low).add(high)
  }
  return [...kept].sort((one, other) => one - other)
}

function extremes(values: Series, begin: number, end: number): { low: number; high: number } {
  let low = -1
  let high = -1
  for (let index = begin; index < end; index += 1) {
    const value = values[index]
    if (value === null || value === undefined) continue
    if (low < 0 || value < (values[low] ?? 0)) low = index
    if (high < 0 || value > (values[high] ?? 0)) high = index
  }
  return { low, high }
}

/** Returns the lowest and the highest of all values with some air, for the axis; on a log axis only what is above 0. */
export function rangeOf(curves: readonly Series[], isLog = false): [number, number] {
  const found = curves.flat().filter((value): value is number => value !== null && Number.isFinite(value))
  const usable = isLog ? found.filter((value) => value > 0) : found
  if (usable.length === 0) return isLog ? [0.1, 10] : [0, 1]
  const low = usable.reduce((one, other) => Math.min(one, other))
  const high = usable.reduce((one, other) => Math.max(one, other))
  if (isLog) return [low / 1.2, high * 1.2]
  const air = (high - low || Math.abs(high) || 1) * 0.06
  return [low >= 0 ? Math.max(0, low - air) : low - air, high + air]
}

/** Returns the steps at which epochs end, without the last step. */
export function epochEnds(epochs: Series, steps: readonly number[]): number[] {
  const ends: number[] = []
  epochs.forEach((epoch, index) => {
    const before = index === 0 ? 0 : epochs[index - 1]
    if (epoch === null || before === null || before === undefined) return
    const step = steps[index]
    if (step !== undefined && index < steps.length - 1 && Math.floor(epoch) > Math.floor(before)) ends.push(step)
  })
  return ends
}
