import { queryOptions } from "@tanstack/react-query"
import { call } from "./client"
import type { components } from "./schema"

export type Evaluation = components["schemas"]["Evaluation"]
export type EvaluationSummary = components["schemas"]["EvaluationSummary"]
export type EvaluationReport = components["schemas"]["EvaluationReport"]
export type EvaluatedItem = components["schemas"]["EvaluatedItem"]
export type Quality = components["schemas"]["Quality"]
export type Ladder = components["schemas"]["Ladder"]
export type Forgetting = components["schemas"]["Forgetting"]

export const evaluationKeys = {
  all: ["evaluations"] as const,
  list: ["evaluations", "list"] as const,
  ofJob: (jobId: string) => ["evaluations", "of-job", jobId] as const,
  report: (jobId: string) => ["evaluations", "report", jobId] as const,
}

export const evaluationQueries = {
  list: () =>
    queryOptions({
      queryKey: evaluationKeys.list,
      queryFn: ({ signal }) => call("get", "/api/evaluations", { query: { limit: 50 }, signal }),
    }),
  /** The newest evaluation of a job, at work or ended. */
  newest: (jobId: string) =>
    queryOptions({
      queryKey: evaluationKeys.ofJob(jobId),
      queryFn: async ({ signal }) => {
        const { items } = await call("get", "/api/evaluations", { query: { job_id: jobId, limit: 1 }, signal })
        return items[0] ?? null
      },
    }),
  /** What a job's newest finished evaluation has measured, null without one. */
  report: (jobId: string) =>
    queryOptions({
      queryKey: evaluationKeys.report(jobId),
      queryFn: async ({ signal }) => {
        const path = { job_id: jobId }
        return (await call("get", "/api/training/jobs/{job_id}/report", { path, signal })).evaluation
      },
    }),
}

/**
 * Puts the evaluation of a finished job into the queue, with the questions of a dataset, or of its training data.
 *
 * `ladder` asks the base with a prompt and with examples, too.
 */
export function startEvaluation(jobId: string, datasetId: string | null = null, ladder = false): Promise<Evaluation> {
  const body = {
    job_id: jobId,
    dataset_id: datasetId,
    max_questions: 20,
    rewrite: true,
    check_forgetting: true,
    check_quality: true,
    glossary: [],
    ladder,
  }
  return call("post", "/api/evaluations", { body })
}
