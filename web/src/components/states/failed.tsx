import type { ReactNode } from "react"
import { ApiError } from "@/api/error"
import { Button } from "@/components/ui/button"
import { CopyButton } from "@/components/ui/copy"
import { Icon } from "@/components/ui/icon"
import { type Translate, useText } from "@/lib/text"

export interface ErrorWords {
  detail: string
  hint: string
  code: string
  problems?: readonly string[]
}

/** Returns the words of whatever was thrown; the server's are in the reader's language already. */
export function errorWords(error: unknown, t: Translate): ErrorWords {
  if (isWorded(error)) return error
  const code = error instanceof ApiError ? error.code : "page"
  if (code === "server_away") return { code, detail: t("web.error.away"), hint: t("web.error.away_hint") }
  if (code === "no_problem_document") return { code, detail: t("web.error.foreign"), hint: t("web.error.foreign_hint") }
  const reason = error instanceof Error ? error.message : String(error)
  return { code, detail: t("web.error.page", { reason }), hint: t("web.error.page_hint") }
}

/** Tells whether an error has words already: an answer of the server, or what it says of a job that failed. */
function isWorded(error: unknown): error is ErrorWords {
  return typeof error === "object" && error !== null && "detail" in error && Boolean(error.detail)
}

/** An error: what and why, what next, its code, and all of it to copy for a report. */
export function Failed({ error, onRetry, children }: { error: unknown; onRetry?: () => void; children?: ReactNode }) {
  const t = useText()
  const words = errorWords(error, t)
  const problems = words.problems ?? []
  const report = [words.code, words.detail, words.hint, ...problems, location.pathname].join("\n")
  return (
    <div role="alert" className="grid gap-2 border-l-3 border-bad py-1 pl-3">
      <p className="flex gap-2 text-14 font-semibold">
        <span className="pt-0.5 text-bad">
          <Icon name="warning" />
        </span>
        {words.detail}
      </p>
      {problems.length > 0 ? (
        <ul className="list-disc pl-6 text-14">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      ) : null}
      <p className="text-14 text-ink-2">{words.hint}</p>
      <div className="flex flex-wrap items-center gap-1">
        {onRetry ? <Button onClick={onRetry}>{t("web.retry")}</Button> : null}
        {children}
        <CopyButton text={report} name={t("web.copy_report")} />
        <code className="text-xs text-ink-2">{words.code}</code>
      </div>
    </div>
  )
}
