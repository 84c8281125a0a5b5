import type { EvaluatedItem } from "@/api/evaluations"

/** What training made of a fact or a question, the losses first. */
export const VERDICTS = ["broken", "not_learned", "surface", "learned", "known"] as const
export type Verdict = (typeof VERDICTS)[number]

/** Losses are what was lost or not gained; `surface` is answered as it was trained, but not in other words. */
export const LOSSES: readonly Verdict[] = ["broken", "not_learned", "surface"]

/** Returns a verdict as one of those there are, null without facts to judge by. */
export function verdictOf(word: string | null): Verdict | null {
  return VERDICTS.find((known) => known === word) ?? null
}

/** Tells whether a question was lost or not learned whole. */
export function isLoss({ verdict }: Pick<EvaluatedItem, "verdict">): boolean {
  return LOSSES.some((loss) => loss === verdict)
}

/** Returns questions with the losses first; of equal ones those whose answer is farthest from the reference. */
export function lossesFirst(items: readonly EvaluatedItem[]): EvaluatedItem[] {
  const order = ({ verdict }: EvaluatedItem) => {
    const known = verdictOf(verdict)
    return known === null ? VERDICTS.length : VERDICTS.indexOf(known)
  }
  return [...items].sort((one, other) => order(one) - order(other) || one.tuned.chrf - other.tuned.chrf)
}
