import type { JobSummary } from "@/api/jobs"
import { Chip } from "@/components/ui/status-chip"
import { useText } from "@/lib/text"

const LIGHTS = { green: "good", yellow: "warn", red: "bad" } as const
export type Light = keyof typeof LIGHTS

/** Returns a light of a report as one of the three there are, null for none. */
export function lightOf(light: string | null | undefined): Light | null {
  return (Object.keys(LIGHTS) as Light[]).find((known) => known === light) ?? null
}

/** Whether what a model could do before is still there, as shape, word and colour. */
export function LightChip({ light }: { light: Light }) {
  const t = useText()
  return <Chip tone={LIGHTS[light]}>{t(`web.evaluation.light.${light}`)}</Chip>
}

/** The facts that a job answers, of how many; a dash where there is nothing to count, words where none were asked. */
export function LearnedCount({ job: { learned } }: { job: Pick<JobSummary, "learned"> }) {
  const t = useText()
  if (!learned) return <span className="text-ink-2">{t("web.outcome.not_evaluated")}</span>
  if (learned.total === 0) return t("web.none")
  return (
    <b className="font-semibold whitespace-nowrap">
      {learned.remembered} / {learned.total}
    </b>
  )
}
