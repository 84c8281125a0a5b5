import { queryOptions } from "@tanstack/react-query"
import { call, readText } from "./client"
import type { JobSummary } from "./jobs"
import type { components } from "./schema"

export type Export = components["schemas"]["Export"]
export type ExportFile = components["schemas"]["ExportFile"]
export type ExportCheck = components["schemas"]["ExportCheck"]
export type ExportRequest = components["schemas"]["ExportRequest"]

export const exportKeys = {
  all: ["exports"] as const,
  list: ["exports", "list"] as const,
  one: (id: string) => ["exports", "one", id] as const,
  modelfile: (id: string) => ["exports", "modelfile", id] as const,
}

export const exportQueries = {
  list: () =>
    queryOptions({
      queryKey: exportKeys.list,
      queryFn: ({ signal }) => call("get", "/api/exports", { query: { limit: 200 }, signal }),
    }),
  one: (id: string) =>
    queryOptions({
      queryKey: exportKeys.one(id),
      queryFn: ({ signal }) => call("get", "/api/exports/{export_id}", { path: { export_id: id }, signal }),
    }),
  modelfile: (id: string) =>
    queryOptions({
      queryKey: exportKeys.modelfile(id),
      queryFn: ({ signal }) => readText(fileAddress(id, "Modelfile"), { signal }),
    }),
}

/** Returns where a file of an export is downloaded from. */
export function fileAddress(id: string, name: string): string {
  return `/api/exports/${encodeURIComponent(id)}/files/${name.split("/").map(encodeURIComponent).join("/")}`
}

/** Puts an export into the queue. */
export function startExport(wish: ExportRequest): Promise<Export> {
  return call("post", "/api/exports", { body: wish })
}

/** Puts the verification of an export's files into the queue. */
export function verifyExport(id: string): Promise<JobSummary> {
  return call("post", "/api/exports/{export_id}/verify", { path: { export_id: id } })
}
