import { useQuery } from "@tanstack/react-query"
import { type Finding, type Job, jobQueries } from "@/api/jobs"

type JobError = Job["error"]

/** Returns the finding that is the error itself, which stands above all with its next step, and all others. */
export function splitFindings(
  items: readonly Finding[],
  error: JobError | undefined,
): { failure: Finding | undefined; others: readonly Finding[] } {
  const failure = error ? items.find(({ type, code }) => type === "error" && code === error.code) : undefined
  return { failure, others: items.filter((finding) => finding !== failure) }
}

/** Returns what the numbers of a job say, apart from the error that it ended with. */
export function useFindings(jobId: string, error: JobError | undefined): ReturnType<typeof splitFindings> {
  return splitFindings(useQuery(jobQueries.diagnosis(jobId)).data?.items ?? [], error)
}
