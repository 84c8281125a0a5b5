/** What the address of the form may say: a dataset, a model, or a job to begin from. */
export interface NewJobSearch {
  dataset?: string
  base?: string
  from?: string
}

/** Returns what an address says. */
export function newJobSearch(search: Record<string, unknown>): NewJobSearch {
  const named = (["dataset", "base", "from"] as const).flatMap((name) => {
    const value = search[name]
    return typeof value === "string" && value ? [[name, value] as const] : []
  })
  return Object.fromEntries(named)
}
