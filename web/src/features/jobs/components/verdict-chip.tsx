import { Chip } from "@/components/ui/status-chip"
import { useText } from "@/lib/text"
import type { Verdict } from "../verdicts"

const TONES = { broken: "bad", not_learned: "bad", surface: "warn", learned: "good", known: "plain" } as const

/** What training made of a fact, in one word, with how many there are. */
export function VerdictChip({ verdict, count }: { verdict: Verdict; count?: number }) {
  const t = useText()
  return (
    <Chip tone={TONES[verdict]}>
      {t(`web.evaluation.verdict.${verdict}`)}
      {count === undefined ? null : <b>{count}</b>}
    </Chip>
  )
}
