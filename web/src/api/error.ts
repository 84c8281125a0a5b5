import type { components } from "./schema"

type Problem = components["schemas"]["Problem"]
/** The next step as data: what to ask the server for, and with which values. */
export type Action = components["schemas"]["Action"]

/** What went wrong, in the words of the reader: from the server's problem document, or made here for a lost one. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly hint: string
  readonly problems: readonly string[]
  readonly params: Readonly<Record<string, unknown>>
  readonly action: Action | null

  constructor(problem: Pick<Problem, "status" | "code" | "detail" | "hint"> & Partial<Problem>) {
    super(problem.detail)
    this.name = "ApiError"
    this.status = problem.status
    this.code = problem.code
    this.detail = problem.detail
    this.hint = problem.hint
    this.problems = problem.problems ?? []
    this.params = problem.params ?? {}
    this.action = problem.action ?? null
  }

  /** Whether asking again may help: no answer came, or the server was busy or away. */
  get isTransient(): boolean {
    return this.status === 0 || [429, 502, 503, 504].includes(this.status)
  }
}

/** Returns the error of an answer that is no success; one that is not ours (a proxy's page) gets a code of its own. */
export async function errorOf(answer: Response): Promise<ApiError> {
  try {
    const problem = (await answer.json()) as Problem
    if (problem.code) return new ApiError(problem)
  } catch {
    // not JSON: worded below
  }
  return new ApiError({ status: answer.status, code: "no_problem_document", detail: "", hint: "" })
}

/** Returns the error of a request that got no answer at all. */
export function lostError(): ApiError {
  return new ApiError({ status: 0, code: "server_away", detail: "", hint: "" })
}
