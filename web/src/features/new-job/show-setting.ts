import { useUi } from "@/lib/ui"

/** Returns the id of the element that holds a setting. */
export function idOf(name: string): string {
  return `setting-${name}`
}

/** Brings the field of a setting into sight, wherever it is folded away, and puts the cursor into it. */
export function showSetting(name: string): void {
  useUi.getState().setIsSimple(false)
  requestAnimationFrame(() => {
    const place = document.getElementById(idOf(name))
    const fold = place?.closest("details")
    if (fold) fold.open = true
    place?.scrollIntoView()
    place?.querySelector<HTMLElement>("input, select")?.focus({ preventScroll: true })
  })
}
