import type { TutorialStep } from "@/api/tutorials"
import type { IconName } from "@/components/ui/icon"
import type { TextKey } from "@/lib/text"

/** How the state of a step looks. */
export const MARKS: Record<TutorialStep["state"], { icon: IconName; colour: string; word: TextKey }> = {
  done: { icon: "check", colour: "text-good", word: "web.tutorials.state.done" },
  open: { icon: "circle", colour: "text-ink-3", word: "web.tutorials.state.open" },
  running: { icon: "training", colour: "text-accent", word: "web.tutorials.state.running" },
  differs: { icon: "warning", colour: "text-warn", word: "web.tutorials.state.differs" },
}

/** Tells whether a step leaves nothing in the workspace that could be looked at, so that the reader marks it. */
export function isOnlyRead({ kind }: Pick<TutorialStep, "kind">): boolean {
  return kind === "read" || kind === "chat"
}
