import { useSyncExternalStore } from "react"

const NARROW = "(max-width: 760px)" // below the breakpoint `md` of app.css

function follow(onChange: () => void): () => void {
  const query = matchMedia(NARROW)
  query.addEventListener("change", onChange)
  return () => query.removeEventListener("change", onChange)
}

/** Tells whether the screen is that of a phone. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(follow, () => matchMedia(NARROW).matches)
}
