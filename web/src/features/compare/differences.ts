import type { Difference } from "@/api/comparisons"
import type { JobSummary } from "@/api/jobs"
import type { TextKey, Translate } from "@/lib/text"

const OWN = ["base_model", "base_digest", "data", "eval_data"] as const
const SHORT = 8 // characters of a hash

/** Returns the name of a setting that differs. */
export function fieldName(field: string, t: Translate): string {
  const own = OWN.find((name) => name === field)
  if (own) return t(`web.compare.field.${own}`)
  const key = `web.field.${field}`
  const words = t(key as TextKey)
  return words === key ? field : words
}

/**
 * Returns the values of a setting as they are shown.
 *
 * Data is known by its hash; names in the workspace say more, where they tell apart what hashes do.
 */
export function valuesOf(
  { field, values }: Difference,
  jobs: readonly (JobSummary | undefined)[],
  nameOf: (datasetId: string) => string | undefined,
): string[] {
  if (field === "data" || field === "eval_data") {
    const names = jobs.map((job) => nameOf((field === "data" ? job?.dataset_id : job?.eval_dataset_id) ?? ""))
    const known = names.filter((name) => name !== undefined)
    if (known.length === names.length && new Set(known).size === new Set(values).size) return known
  }
  const isHash = field !== "base_model" && OWN.some((name) => name === field)
  return values.map((value) => (isHash && typeof value === "string" ? value.slice(0, SHORT) : valueWords(value)))
}

function valueWords(value: unknown): string {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return "–"
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}
