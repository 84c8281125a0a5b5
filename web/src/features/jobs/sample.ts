import type { components } from "@/api/schema"

export type Event = components["schemas"]["Event"]

/** A piece of a training row: learned, or only read. */
export interface Piece {
  text: string
  isLearned: boolean
}

/** Returns the row that a run has shown as it learns it, in as few pieces as there are changes; none of another kind. */
export function piecesOf({ data }: Event): Piece[] {
  const preview = data.preview as { tokens?: readonly { text: string; state: string }[] } | undefined
  const pieces: Piece[] = []
  for (const { text, state } of preview?.tokens ?? []) {
    const isLearned = state === "trained"
    const last = pieces.at(-1)
    if (last?.isLearned === isLearned) last.text += text
    else pieces.push({ text, isLearned })
  }
  return pieces
}
