export const MOST_JOBS = 4
export const FEWEST_JOBS = 2

/** What the address says: the jobs, with commas between their ids; the first is the one that the others are held to. */
export interface CompareSearch {
  jobs?: string
}

/** Returns what an address says. */
export function compareSearch({ jobs }: Record<string, unknown>): CompareSearch {
  return typeof jobs === "string" && jobs ? { jobs } : {}
}

/** Returns the ids that an address names: each once, at most four. */
export function idsOf({ jobs }: CompareSearch): string[] {
  const ids = (jobs ?? "").split(",").map((id) => id.trim())
  return [...new Set(ids.filter(Boolean))].slice(0, MOST_JOBS)
}

/** Returns what an address says of some jobs. */
export function searchOf(ids: readonly string[]): CompareSearch {
  return ids.length > 0 ? { jobs: ids.join(",") } : {}
}
