import type { ReactNode } from "react"
import { create } from "zustand"
import { useText } from "@/lib/text"
import { Button } from "./button"
import { Icon } from "./icon"

interface More {
  tone?: "plain" | "bad"
  /** What to do about it. */
  hint?: string
  /** The code of an error, to look it up. */
  code?: string
  undo?: () => void
  /** A button that does it. */
  next?: ReactNode
}

interface Toast extends More {
  id: number
  words: string
}

const SECONDS = 10 // as long as the server lets a deletion be undone
const useToasts = create<{ toasts: readonly Toast[] }>(() => ({ toasts: [] }))
let lastId = 0

/** Says what has just happened, for ten seconds, and what went wrong until it is closed; `undo` adds the button that takes it back. */
export function toast(words: string, more: More = {}): void {
  lastId += 1
  const id = lastId
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts.slice(-2), { id, words, ...more }] }))
  if (more.tone !== "bad") setTimeout(() => dismiss(id), SECONDS * 1000)
}

function dismiss(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((shown) => shown.id !== id) }))
}

/** Where toasts appear; stands once in the shell. */
export function Toasts() {
  const t = useText()
  const toasts = useToasts((state) => state.toasts)
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 bottom-20 z-40 grid justify-items-center gap-2 px-4 md:bottom-6"
    >
      {toasts.map(({ id, words, hint, code, tone, undo, next }) => (
        <div
          key={id}
          className={`pointer-events-auto flex max-w-full items-center gap-2 rounded-medium border py-1.5 pr-1.5 pl-4 text-14 shadow-lg ${tone === "bad" ? "border-bad bg-bad-soft text-bad" : "border-line-strong bg-sheet"}`}
        >
          <span className="min-w-0">
            {words}
            {hint ? <span className="block text-s text-ink-2">{hint}</span> : null}
            {code ? <code className="text-xs text-ink-2">{code}</code> : null}
          </span>
          {next}
          {undo ? (
            <Button
              look="accent"
              onClick={() => {
                dismiss(id)
                undo()
              }}
            >
              {t("web.undo")}
            </Button>
          ) : null}
          <Button look="quiet" className="px-2" aria-label={t("web.close")} onClick={() => dismiss(id)}>
            <Icon name="close" size={16} />
          </Button>
        </div>
      ))}
    </div>
  )
}
