import type { JobSummary } from "@/api/jobs"

/** Where a waiting job goes: in front of `before`, or behind all (null). */
export interface Move {
  before: string | null
}

/** Returns the moves of a waiting job by one place up and down, null where it is first or last. */
export function movesOf(waiting: readonly JobSummary[], id: string): { up: Move | null; down: Move | null } {
  const at = waiting.findIndex((job) => job.id === id)
  const previous = waiting[at - 1]
  return {
    up: previous ? { before: previous.id } : null,
    down: at >= 0 && at < waiting.length - 1 ? { before: waiting[at + 2]?.id ?? null } : null,
  }
}
