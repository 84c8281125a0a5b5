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

/** What is drawn of curves over a common axis. */
export interface Drawn {
  x: readonly number[]
  columns: readonly Series[]
}

/**
 * Returns what can be seen of curves between two places of their axis, where they have more points than a screen.
 *
 * Of each bucket every curve keeps its lowest and its highest value in the order in which they came, at the ends of the
 * bucket. The first and the last point of all stay, so that the axis is as long as before.
 */
export function thinned({ x, columns }: Drawn, from: number, to: number, buckets: number): Drawn {
  if (x.length <= 2 * buckets + 2) return { x, columns }
  const begin = Math.max(1, firstFrom(x, from) - 1)
  const end = Math.min(x.length - 1, firstFrom(x, to) + 2)
  const count = Math.min(buckets, Math.ceil((end - begin) / 2))
  const edges = Array.from({ length: count + 1 }, (_, index) => begin + Math.floor((index * (end - begin)) / count))
  const last = x.length - 1
  const kept = columns.map((values): (number | null)[] => [
    values[0] ?? null,
    ...seen(values, edges),
    values[last] ?? null,
  ])
  return { x: [x[0] ?? 0, ...ends(x, edges), x[last] ?? 0], columns: kept }
}

/** Returns the index of the first place of a rising axis that is not below another. */
function firstFrom(x: readonly number[], place: number): number {
  let [low, high] = [0, x.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((x[middle] ?? 0) < place) low = middle + 1
    else high = middle
  }
  return low
}

/** Returns the first and the last place of each bucket; of a bucket of one point it alone. */
function ends(x: readonly number[], edges: readonly number[]): number[] {
  return buckets(edges).flatMap(([begin, end]) =>
    end - begin > 1 ? [x[begin] ?? 0, x[end - 1] ?? 0] : [x[begin] ?? 0],
  )
}

/** Returns the lowest and the highest value of each bucket as they came; of a bucket of one point it alone. */
function seen(values: Series, edges: readonly number[]): (number | null)[] {
  return buckets(edges).flatMap(([begin, end]) => {
    const [low, high] = extremes(values, begin, end)
    const pair = low < high ? [low, high] : [high, low]
    const both = pair.map((index) => values[index] ?? null)
    return end - begin > 1 ? both : both.slice(0, 1)
  })
}

function buckets(edges: readonly number[]): (readonly [number, number])[] {
  const pairs = edges.slice(1).map((end, index) => [edges[index] ?? 0, end] as const)
  return pairs.filter(([begin, end]) => end > begin)
}

/** Returns where the lowest and the highest value of a bucket are, -1 where nothing was measured. */
function extremes(values: Series, begin: number, end: number): [number, number] {
  let [low, high] = [-1, -1]
  let lowest = Number.POSITIVE_INFINITY
  let highest = Number.NEGATIVE_INFINITY
  for (let index = begin; index < end; index += 1) {
    const value = values[index]
    if (value === null || value === undefined) continue
    if (value < lowest || low < 0) {
      low = index
      lowest = value
    }
    if (value > highest || high < 0) {
      high = index
      highest = value
    }
  }
  return [low, high]
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
