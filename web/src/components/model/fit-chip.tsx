import { useQuery } from "@tanstack/react-query"
import type { Model } from "@/api/models"
import { systemQueries } from "@/api/system"
import { Chip } from "@/components/ui/status-chip"
import { fitOf } from "@/lib/fit"
import { formatBytes } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

const TONES = { ample: "good", tight: "warn", none: "bad" } as const

/** Whether there is room to train a model: by word, shape and colour, with the memory that it takes at least. */
export function FitChip({ model: { memory_bytes: needed } }: { model: Model }) {
  const t = useText()
  const language = useLanguage()
  const { data } = useQuery(systemQueries.info())
  if (needed === null || !data) return null
  const fit = fitOf(needed, data.memory.available_bytes)
  return <Chip tone={TONES[fit]}>{t(`web.new_job.fit.${fit}`, { size: formatBytes(needed, language) })}</Chip>
}
