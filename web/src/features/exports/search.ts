/** What the address of the form may say: the job to export, and a quantization that shall be chosen. */
export interface NewExportSearch {
  job?: string
  quantization?: string
}

/** Returns what an address says. */
export function newExportSearch(search: Record<string, unknown>): NewExportSearch {
  const named = (["job", "quantization"] as const).flatMap((name) => {
    const value = search[name]
    return typeof value === "string" && value ? [[name, value] as const] : []
  })
  return Object.fromEntries(named)
}
