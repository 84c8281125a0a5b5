import { Icon } from "@/components/ui/icon"
import { Chip } from "@/components/ui/status-chip"
import { useText } from "@/lib/text"
import type { CheckState, Verdict } from "../checks"

const TONES = { verified: "good", lossy: "warn", failed: "bad" } as const

/** What a file is worth, as shape, word and colour. */
export function VerdictChip({ verdict }: { verdict: Verdict | null }) {
  const t = useText()
  if (verdict === null) return <Chip>{t("web.exports.verdict.none")}</Chip>
  return <Chip tone={TONES[verdict]}>{t(`web.exports.verdict.${verdict}`)}</Chip>
}

const LOOKS = {
  good: { icon: "check", color: "text-good" },
  warn: { icon: "warning", color: "text-warn" },
  bad: { icon: "close", color: "text-bad" },
} as const

/** How one check went; the word is for who cannot see the mark. */
export function CheckMark({ state }: { state: CheckState }) {
  const t = useText()
  const { icon, color } = LOOKS[state]
  return (
    <span className={`inline-flex pt-0.5 ${color}`}>
      <Icon name={icon} />
      <span className="sr-only">{t(`web.exports.state.${state}`)}</span>
    </span>
  )
}
