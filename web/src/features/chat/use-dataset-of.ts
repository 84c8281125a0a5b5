import { useQuery } from "@tanstack/react-query"
import type { ChatModel } from "@/api/chat"
import { datasetQueries } from "@/api/datasets"
import { jobQueries } from "@/api/jobs"

/** Returns the id of the data that the first trained column learned, else of the newest dataset; null while it is asked for. */
export function useDatasetOf(models: readonly ChatModel[], chosen: readonly string[]): string | null | undefined {
  const jobId = models.find(({ id, job_id }) => job_id !== null && chosen.includes(id))?.job_id ?? null
  const job = useQuery({ ...jobQueries.one(jobId ?? ""), enabled: jobId !== null })
  const datasets = useQuery({ ...datasetQueries.list(), enabled: jobId === null })
  if (job.isLoading || datasets.isLoading) return null
  const learned = job.data?.datasets.find(({ role }) => role === "train")?.id
  return learned ?? datasets.data?.items.find(({ ok }) => ok)?.id
}
