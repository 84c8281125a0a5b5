import type { Model } from "@/api/models"

export const MODEL_TABS = ["base", "adapters", "exports"] as const
export type ModelTab = (typeof MODEL_TABS)[number]

/** Returns the tab that an address names. */
export function modelSearch(search: Record<string, unknown>): { tab?: ModelTab } {
  const tab = MODEL_TABS.find((known) => known === search.tab)
  return tab ? { tab } : {}
}

/** Tells whether one of some texts has all words of a search, whatever their width and case. */
export function hasWords(texts: readonly (string | null)[], search: string): boolean {
  const plain = (text: string) => text.normalize("NFKC").toLowerCase()
  const all = plain(texts.filter((text) => text !== null).join(" "))
  return plain(search)
    .split(/\s+/)
    .every((word) => all.includes(word))
}

/** Returns models that a search finds: those that can be trained first, each group in the server's order. */
export function foundModels(models: readonly Model[], search: string): readonly Model[] {
  const found = models.filter(({ name, kind, architecture, license, dtype }) =>
    hasWords([name, kind, architecture, license, dtype], search),
  )
  return [...found.filter(({ can_train }) => can_train), ...found.filter(({ can_train }) => !can_train)]
}
