import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type Comparison = components["schemas"]["Comparison"]
export type ComparedJob = components["schemas"]["ComparedJob"]
export type ComparedMetric = components["schemas"]["ComparedMetric"]
export type Difference = components["schemas"]["Difference"]
export type Evaluation = components["schemas"]["EvaluationSummary"]
export type EvaluationReport = components["schemas"]["EvaluationReport"]
export type EvaluatedItem = components["schemas"]["EvaluatedItem"]

export const comparisonKeys = {
  all: ["comparisons"] as const,
  of: (ids: readonly string[]) => ["comparisons", "of", ...ids] as const,
  report: (id: string) => ["comparisons", "report", id] as const,
  evaluations: ["comparisons", "evaluations"] as const,
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
  evaluations: () =>
    queryOptions({
      queryKey: comparisonKeys.evaluations,
      queryFn: ({ signal }) => call("get", "/api/evaluations", { query: { limit: 50 }, signal }),
    }),
}

/** Puts the evaluation of a job into the queue, with the questions of a dataset, or of its training data. */
export function startEvaluation(jobId: string, datasetId: string | null): Promise<Evaluation> {
  const body = {
    job_id: jobId,
    dataset_id: datasetId,
    max_questions: 20,
    rewrite: true,
    ladder: false,
    check_forgetting: true,
  }
  return call("post", "/api/evaluations", { body })
}
