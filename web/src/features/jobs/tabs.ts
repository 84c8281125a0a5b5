/** The views of a job, in the order of the tabs. */
export const JOB_TABS = ["overview", "diagnosis", "evaluation", "samples", "log", "settings", "files"] as const
export type JobTab = (typeof JOB_TABS)[number]

/** Returns the tab that an address names. */
export function jobSearch(search: Record<string, unknown>): { tab?: JobTab } {
  const tab = JOB_TABS.find((known) => known === search.tab)
  return tab ? { tab } : {}
}
