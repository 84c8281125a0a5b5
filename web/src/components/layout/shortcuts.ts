import { useNavigate } from "@tanstack/react-router"
import { useEffect } from "react"

const SECOND_KEY = 1200 // milliseconds in which the second key of a pair has to come

/** Where `g` and a second key lead. */
export const PLACES: Readonly<Record<string, string>> = { h: "/", j: "/jobs" }

/** Listens to the keys of the whole page: `/` search, `n` new job, `g` and a letter, `?` help. */
export function useShortcuts(onHelp: () => void): void {
  const navigate = useNavigate()
  useEffect(() => {
    let leaderAt = Number.NEGATIVE_INFINITY
    const onKey = (event: KeyboardEvent) => {
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const place = PLACES[event.key]
      const isSecond = event.timeStamp - leaderAt < SECOND_KEY
      leaderAt = event.key === "g" ? event.timeStamp : Number.NEGATIVE_INFINITY
      if (isSecond && place) navigate({ to: place })
      else if (event.key === "?") onHelp()
      else if (event.key === "n") navigate({ to: "/jobs/new" })
      else if (event.key === "/" && focusSearch()) event.preventDefault()
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [navigate, onHelp])
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  )
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('input[type="search"]')
  field?.focus()
  return field !== null
}
