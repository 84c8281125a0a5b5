import type { PlanRequest } from "@/api/training"
import { Button } from "@/components/ui/button"
import { settingWords } from "@/lib/setting-words"
import { type TextKey, type Translate, useText } from "@/lib/text"

const RECOMMENDED = "recommended"
const LETTERS = "ABCDEFGH"
/** As many as there are letters, which is more than can be compared side by side. */
export const MOST_CANDIDATES = LETTERS.length

/** Returns the requests of several candidates, named by their letters, so that their jobs can be told apart. */
export function named(candidates: readonly PlanRequest[], name: string): PlanRequest[] {
  return candidates.map((request, index) => ({ ...request, name: `${request.name ?? name} ${LETTERS[index]}`.trim() }))
}

/** The settings that will be trained one after the other, to be compared: each with what was chosen for it. */
export function Candidates({
  candidates,
  onRemove,
}: {
  candidates: readonly PlanRequest[]
  onRemove: (index: number) => void
}) {
  const t = useText()
  if (candidates.length === 0) return null
  return (
    <div className="grid gap-1">
      <h3 className="text-s font-normal text-ink-2">{t("web.candidates.title")}</h3>
      <ul className="divide-y">
        {candidates.map((request, index) => (
          <li key={LETTERS[index]} className="flex items-start gap-2 py-1 text-14">
            <b className="pt-1.5">{LETTERS[index]}</b>
            <span className="min-w-0 flex-1 pt-1.5 text-s">
              {choiceWords(request, t) || t("web.candidates.as_recommended")}
            </span>
            <Button look="quiet" onClick={() => onRemove(index)}>
              {t("web.candidates.remove")}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  )
}

function choiceWords({ preset, training_preset: training, settings = {} }: PlanRequest, t: Translate): string {
  const presets = [
    preset && preset !== RECOMMENDED ? t(`web.preset.preset.${preset}` as TextKey) : "",
    training && training !== RECOMMENDED ? t(`web.preset.training_preset.${training}` as TextKey) : "",
  ]
  return [...presets, settingWords(settings, t)].filter(Boolean).join(t("web.dot"))
}
