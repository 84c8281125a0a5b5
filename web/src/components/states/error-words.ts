import { type Action, ApiError } from "@/api/error"
import type { Translate } from "@/lib/text"

export interface ErrorWords {
  detail: string
  hint: string
  code: string
  problems?: readonly string[]
  action?: Action | null
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
