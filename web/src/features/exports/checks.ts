import type { ExportCheck, ExportFile } from "@/api/exports"
import { formatLoss } from "@/lib/format"
import type { TextKey, Translate } from "@/lib/text"

export type Verdict = "verified" | "lossy" | "failed"
/** Passed, passed with a loss, failed. */
export type CheckState = "good" | "warn" | "bad"

const VERDICTS = ["verified", "lossy", "failed"] as const
const NAMES = [
  "file",
  "tensors",
  "update",
  "engine",
  "tokenizer",
  "template",
  "logprobs",
  "stop",
  "answers",
  "order",
] as const

/** Returns the verdict on a file, null while there is none. */
export function verdictOf({ verdict }: ExportFile): Verdict | null {
  return VERDICTS.find((known) => known === verdict) ?? null
}

/** Returns a number that a check has measured. */
export function measured(check: ExportCheck | undefined, name: string): number | null {
  const value = check?.measured[name]
  return typeof value === "number" ? value : null
}

/** Returns what one check of a file has measured. */
export function measuredOf(file: ExportFile, check: string, name: string): number | null {
  return measured(
    file.checks.find((found) => found.check === check),
    name,
  )
}

/** Returns how many facts that the trained model answers with a file still answers with; null where none was asked. */
export function factsOf(file: ExportFile): { kept: number; known: number } | null {
  const [kept, known] = [measuredOf(file, "answers", "num_kept"), measuredOf(file, "answers", "num_known")]
  return kept === null || known === null ? null : { kept, known }
}

/** Returns how a check went: a right file that lost some of what was taught has passed with a loss. */
export function stateOf(check: ExportCheck): CheckState {
  if (!check.ok) return "bad"
  const [kept, known] = [measured(check, "num_kept"), measured(check, "num_known")]
  const hasLost = check.measured.is_lost === true || (kept !== null && known !== null && kept < known)
  return hasLost ? "warn" : "good"
}

/** Returns the name of a check. */
export function nameOf({ check }: ExportCheck, t: Translate): string {
  const known = NAMES.find((name) => name === check)
  return known ? t(`web.exports.check.${known}`) : check
}

/** Returns what a check found in plain words: its number, or the cause where it has failed. */
export function wordsOf(check: ExportCheck, t: Translate): string {
  if (!check.ok) return [check.text, check.detail].filter(Boolean).join(" ")
  const key = FOUND[check.check]?.(check)
  return key ? t(key, valuesOf(check)) : t("web.exports.found.passed")
}

const FOUND: Record<string, (check: ExportCheck) => TextKey | null> = {
  file: () => "web.exports.found.file",
  tensors: ({ measured: { num_copied: copied } }) =>
    copied === undefined ? "web.exports.found.tensors" : "web.exports.found.copied",
  update: (check) => (measured(check, "share") === null ? null : "web.exports.found.update"),
  tokenizer: () => "web.exports.found.tokenizer",
  template: () => "web.exports.found.template",
  logprobs: (check) => (measured(check, "kl") === null ? null : "web.exports.found.logprobs"),
  stop: ({ measured: { stops } }) => (stops === false ? "web.exports.found.runs_on" : "web.exports.found.stop"),
  answers: (check) => (measured(check, "num_known") ? "web.exports.found.facts" : "web.exports.found.answers"),
  order: () => "web.exports.found.order",
}

function valuesOf(check: ExportCheck): Record<string, string | number> {
  const counts = Object.entries(check.measured).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  )
  const percent = (name: string) => Math.floor(100 * (measured(check, name) ?? 0))
  return {
    ...Object.fromEntries(counts),
    kl: formatLoss(measured(check, "kl")),
    same: percent("top1_agreement"),
    share: Math.min(100, Math.floor(1000 * (measured(check, "share") ?? 0)) / 10),
  }
}

/** Returns the check to mend first: one that failed, else one that lost something. */
export function worstCheck({ checks }: ExportFile): ExportCheck | undefined {
  return checks.find((check) => stateOf(check) === "bad") ?? checks.find((check) => stateOf(check) === "warn")
}
