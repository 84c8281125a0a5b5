import type { ComparedMetric } from "@/api/comparisons"
import { formatBytes, formatDuration, formatMetric } from "@/lib/format"
import type { Language, TextKey } from "@/lib/text"

const METRICS = [
  "final_loss",
  "eval_loss",
  "perplexity",
  "facts_in_other_words",
  "facts_remembered",
  "facts_broken",
  "chrf",
  "term_accuracy",
  "consistency",
  "safety",
  "forgetting_loss_rise",
  "seconds",
  "tokens_per_second",
  "peak_memory_bytes",
] as const
type Metric = (typeof METRICS)[number]

/** Returns the key of a metric's name, null for one that this page does not know. */
export function metricName(name: string): TextKey | null {
  const known = METRICS.find((metric) => metric === name)
  return known ? `web.compare.metric.${known}` : null
}

const FORMATS: Partial<Record<Metric, (value: number, language: Language) => string>> = {
  facts_in_other_words: percent,
  facts_remembered: percent,
  term_accuracy: percent,
  consistency: percent,
  safety: percent,
  facts_broken: (value, language) => value.toLocaleString(language),
  seconds: formatDuration,
  peak_memory_bytes: formatBytes,
}

/** Returns a value of a metric as it is shown. */
export function metricValue(name: string, value: number | null, language: Language): string {
  if (value === null) return "–"
  return (FORMATS[name as Metric] ?? formatMetric)(value, language)
}

function percent(value: number): string {
  return `${Math.round(100 * value)} %`
}

/**
 * Returns for each value of a metric whether it is the best, worse than that, or says nothing.
 *
 * `shown` are the values as people read them: what looks the same is no better.
 */
export function marksOf({ values, best }: ComparedMetric, shown: readonly string[]): ("best" | "worse" | null)[] {
  const winners = best.map((job) => shown[job])
  const isBest = values.map((value, job) => value !== null && winners.includes(shown[job]))
  const isTold = values.some((value, job) => value !== null && !isBest[job])
  return values.map((value, job) =>
    value === null || best.length === 0 || !isTold ? null : isBest[job] ? "best" : "worse",
  )
}
