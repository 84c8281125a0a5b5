import { formatDuration } from "./format"
import type { Language, Translate } from "./text"

/** Returns a range of minutes in words, as one duration where both ends read the same. */
export function minutesWords({ low, high }: { low: number; high: number }, t: Translate, language: Language): string {
  const [from, to] = [formatDuration(low * 60, language), formatDuration(high * 60, language)]
  return from === to ? from : t("web.stats.range", { from, to })
}
