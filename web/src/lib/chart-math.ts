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

const USUAL = 0.95 // of the values; those above are outliers

/**
 * Returns the lowest and the highest of all values with some air, for the axis; on a log axis only what is above 0.
 *
 * `isClipped` leaves outliers at the top out, which would press everything else flat.
 */
export function rangeOf(curves: readonly Series[], isLog = false, isClipped = false): [number, number] {
  const [low, highest] = endsOf(curves, isLog)
  if (low > highest) return isLog ? [0.1, 10] : [0, 1]
  const high = isClipped ? usualHigh(curves, isLog) : highest
  if (isLog) return [low / 1.2, high * 1.2]
  const air = (high - low || Math.abs(high) || 1) * 0.06
  return [low >= 0 ? Math.max(0, low - air) : low - air, high + air]
}

/** Returns the lowest and the highest value; the first is above the second where there is none. */
function endsOf(curves: readonly Series[], isLog: boolean): [number, number] {
  const ends = curves.map((curve) => knownEnds(curve, isLog))
  return [Math.min(...ends.map(([low]) => low)), Math.max(...ends.map(([, high]) => high))]
}

const KNOWN = [new WeakMap<Series, [number, number]>(), new WeakMap<Series, [number, number]>()] as const

/** Returns the ends of one curve; a chart asks for them with every movement, so that they are looked for once. */
function knownEnds(curve: Series, isLog: boolean): [number, number] {
  const known = KNOWN[isLog ? 1 : 0]
  const ends = known.get(curve) ?? measuredEnds(curve, isLog)
  known.set(curve, ends)
  return ends
}

function measuredEnds(curve: Series, isLog: boolean): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let index = 0; index < curve.length; index += 1) {
    const value = curve[index]
    if (!isUsable(value, isLog)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}

function usualHigh(curves: readonly Series[], isLog: boolean): number {
  const usual = curves.map((curve) => {
    const sorted = curve.filter((value) => isUsable(value, isLog)).sort((one, other) => one - other)
    return sorted[Math.floor(USUAL * (sorted.length - 1))] ?? Number.NEGATIVE_INFINITY
  })
  return Math.max(...usual)
}

function isUsable(value: number | null | undefined, isLog: boolean): value is number {
  return value !== null && value !== undefined && Number.isFinite(value) && (!isLog || value > 0)
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

/** Returns how many marks come to each that has its name beside it, so that names as wide as `room` do not overlap. */
export function namedEvery(places: readonly number[], room: number): number {
  const [first = 0, second = Number.POSITIVE_INFINITY] = places
  return Math.max(1, Math.ceil(room / Math.max(1, second - first)))
}
