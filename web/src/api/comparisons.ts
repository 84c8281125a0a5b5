import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type Comparison = components["schemas"]["Comparison"]
export type ComparedJob = components["schemas"]["ComparedJob"]
export type ComparedMetric = components["schemas"]["ComparedMetric"]
export type Difference = components["schemas"]["Difference"]

export const comparisonKeys = {
  all: ["comparisons"] as const,
  of: (ids: readonly string[]) => ["comparisons", "of", ...ids] as const,
  report: (id: string) => ["comparisons", "report", id] as const,
}

export const comparisonQueries = {
  of: (ids: readonly string[]) =>
    queryOptions({
      queryKey: comparisonKeys.of(ids),
      queryFn: ({ signal }) => call("get", "/api/comparisons", { query: { job_ids: [...ids] }, signal }),
    }),
  report: (id: string) =>
    queryOptions({
      queryKey: comparisonKeys.report(id),
      queryFn: ({ signal }) => call("get", "/api/training/jobs/{job_id}/report", { path: { job_id: id }, signal }),
    }),
}
