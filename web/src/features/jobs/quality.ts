import type { Quality } from "@/api/evaluations"

const SHARES = ["term_accuracy", "consistency", "safety"] as const
const RATES = ["repetition_rate", "stop_rate"] as const

/** One measure of answers beyond facts, as it is shown of both sides. */
export interface Measure {
  name: (typeof SHARES)[number] | (typeof RATES)[number] | "perplexity"
  base: string
  tuned: string
}

/** Returns the measures of a report in their order, a dash where one was not taken. */
export function qualityMeasures(quality: Quality): Measure[] {
  const { base, tuned } = quality.fluency
  return [
    ...SHARES.map((name) => ({ name, base: share(quality[name].base), tuned: share(quality[name].tuned) })),
    ...RATES.map((name) => ({ name, base: percent(base[name]), tuned: percent(tuned[name]) })),
    { name: "perplexity", base: base.perplexity?.toFixed(1) ?? "–", tuned: tuned.perplexity?.toFixed(1) ?? "–" },
  ]
}

function share(found: Quality["safety"]["base"]): string {
  if (!found) return "–"
  return `${found.carried} / ${found.asked} (${Math.round(100 * found.low)}–${Math.round(100 * found.high)} %)`
}

function percent(value: number | null): string {
  return value === null ? "–" : `${Math.round(100 * value)} %`
}
