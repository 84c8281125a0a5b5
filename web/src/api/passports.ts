import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import { ApiError } from "./error"
import type { components } from "./schema"

/** What the page shows of a document of schema llmlora.passport/1. */
export interface PassportDocument {
  made_at: string
  base: { name: string }
  data: { name: string; num_rows: number }
  licenses: readonly { part: string; name: string; license: string | null }[]
  files: Readonly<Record<string, string>>
  signature: string
}

export interface Passport {
  document: PassportDocument
  /** The names of what is not as it says: the passport itself, or files. */
  problems: readonly string[]
}

export const PAGE_FILE = "passport.html"
export const DOCUMENT_FILE = "passport.json"

export const passportKeys = { one: (id: string) => ["passports", id] as const }

/** The passport of a job or an export, null where none has been made. */
export function passportQuery(id: string) {
  return queryOptions({
    queryKey: passportKeys.one(id),
    queryFn: ({ signal }) =>
      call("get", "/api/jobs/{job_id}/passport", { path: { job_id: id }, signal }).then(ofAnswer, noneYet),
  })
}

/** Signs the passport of a finished job or an export; one that still says the same stays as it is. */
export function makePassport(id: string): Promise<Passport> {
  return call("post", "/api/jobs/{job_id}/passport", { path: { job_id: id } }).then(ofAnswer)
}

function ofAnswer({ passport, problems }: components["schemas"]["Passport"]): Passport {
  return { document: passport as unknown as PassportDocument, problems }
}

function noneYet(error: unknown): null {
  if (error instanceof ApiError && error.code === "passport_missing") return null
  throw error
}
