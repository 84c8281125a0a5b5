import type { ReactNode } from "react"

/** What to do where there is nothing yet: one sentence, and the next step as a button. */
export function Empty({ words, children }: { words: ReactNode; children?: ReactNode }) {
  return (
    <div className="grid justify-items-start gap-3 py-2">
      <p className="text-14 text-ink-2">{words}</p>
      {children ? <div className="flex flex-wrap gap-2">{children}</div> : null}
    </div>
  )
}
