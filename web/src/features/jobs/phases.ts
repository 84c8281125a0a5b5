/** What a training does until its first step, in order. */
export const PHASES = ["data", "model", "first_step"] as const

const PLACES: Readonly<Record<string, number>> = {
  preparing: 0,
  prepared: 1,
  loading: 1,
  loaded: 2,
  resuming: 2,
  training: 2,
}

/** Returns which of the phases a worker is at, by the name that it gives; the first for one that says nothing yet. */
export function phaseOf(name: string | null): number {
  return PLACES[name ?? ""] ?? 0
}
