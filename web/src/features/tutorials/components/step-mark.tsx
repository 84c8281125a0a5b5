import type { TutorialStep } from "@/api/tutorials"
import { Icon } from "@/components/ui/icon"
import { useText } from "@/lib/text"
import { MARKS } from "../steps"

/** The state of a step as shape, word and colour. */
export function StepMark({ state, isShort = false }: { state: TutorialStep["state"]; isShort?: boolean }) {
  const t = useText()
  const { icon, colour, word } = MARKS[state]
  return (
    <span className={`inline-flex items-center gap-1.5 text-s whitespace-nowrap ${colour}`}>
      <Icon name={icon} size={18} />
      <span className={isShort ? "sr-only" : ""}>{t(word)}</span>
    </span>
  )
}
