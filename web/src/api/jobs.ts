import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query"
import { call, readText } from "./client"
import type { components } from "./schema"

export type Job = components["schemas"]["Job"]
export type JobSummary = components["schemas"]["JobSummary"]
export type JobList = components["schemas"]["JobList"]
export type Progress = components["schemas"]["Progress"]
export type Curves = components["schemas"]["Curves"]
export type Finding = components["schemas"]["Finding"]
export type Epoch = components["schemas"]["Epoch"]
export type JobFile = components["schemas"]["JobFile"]
export type JobBatch = components["schemas"]["JobBatch"]
export type TrainingRequest = components["schemas"]["TrainingRequest"]

export const STATUSES = [
  "queued",
  "preparing",
  "running",
  "paused",
  "interrupted",
  "succeeded",
  "failed",
  "canceled",
] as const
export type JobStatus = (typeof STATUSES)[number]

/** Returns the status of a job as one of the eight there are. */
export function statusOf(job: { status: string }): JobStatus {
  return STATUSES.find((status) => status === job.status) ?? "queued"
}

/** Tells whether a worker is at a job now. */
export function isActive(job: { status: string }): boolean {
  return job.status === "preparing" || job.status === "running"
}

/** Tells whether a job will not change by itself any more. */
export function isEnded(job: { status: string }): boolean {
  return ["succeeded", "failed", "canceled"].includes(job.status)
}

/** Returns the jobs that have not ended: those at work first, then the others as the queue takes them. */
export function openJobs(jobs: readonly JobSummary[]): JobSummary[] {
  const order = (job: JobSummary) => (isActive(job) ? Number.NEGATIVE_INFINITY : job.position)
  return jobs.filter((job) => !isEnded(job)).sort((one, other) => order(one) - order(other))
}

export const jobKeys = {
  all: ["jobs"] as const,
  lists: ["jobs", "list"] as const,
  older: (before: string) => ["jobs", "list", "older", before] as const,
  courses: (ids: readonly string[]) => ["jobs", "courses", ...ids] as const,
  ones: ["jobs", "one"] as const,
  one: (id: string) => ["jobs", "one", id] as const,
  progress: (id: string) => ["jobs", "progress", id] as const,
  curves: (id: string) => ["jobs", "curves", id] as const,
  diagnosis: (id: string) => ["jobs", "diagnosis", id] as const,
  epochs: (id: string) => ["jobs", "epochs", id] as const,
  samples: (id: string) => ["jobs", "samples", id] as const,
  log: (id: string) => ["jobs", "log", id] as const,
  files: (id: string) => ["jobs", "files", id] as const,
  recipe: (id: string) => ["jobs", "recipe", id] as const,
}

export const METRICS = ["loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes"] as const
const COURSE_POINTS = 24
/** Points of a curve that the page asks for; up to here a live curve grows by events. */
export const MOST_POINTS = 1000

export const jobQueries = {
  list: () =>
    queryOptions({
      queryKey: jobKeys.lists,
      queryFn: ({ signal }) => call("get", "/api/training/jobs", { query: { limit: 200 }, signal }),
    }),
  /** Jobs behind the list, page by page; null where the list holds all. */
  older: (before: string | null) =>
    infiniteQueryOptions({
      queryKey: jobKeys.older(before ?? ""),
      queryFn: ({ pageParam, signal }) =>
        call("get", "/api/training/jobs", { query: { limit: 200, before: pageParam }, signal }),
      initialPageParam: before,
      getNextPageParam: ({ next_cursor }) => next_cursor,
      enabled: false, // only when it is asked for
    }),
  /** How the losses of some jobs went, in few points. */
  courses: (ids: readonly string[]) =>
    queryOptions({
      queryKey: jobKeys.courses(ids),
      queryFn: async ({ signal }) => {
        const query = { job_ids: [...ids], names: ["loss", "eval_loss"], points: COURSE_POINTS }
        const { items } = await call("get", "/api/training/curves", { query, signal })
        return new Map(items.map((item) => [item.job_id, item.curves]))
      },
      enabled: ids.length > 0,
      placeholderData: (before) => before,
    }),
  one: (id: string) =>
    queryOptions({
      queryKey: jobKeys.one(id),
      queryFn: ({ signal }) => call("get", "/api/training/jobs/{job_id}", { path: { job_id: id }, signal }),
    }),
  progress: (id: string) =>
    queryOptions({
      queryKey: jobKeys.progress(id),
      queryFn: ({ signal }) => call("get", "/api/training/jobs/{job_id}/progress", { path: { job_id: id }, signal }),
    }),
  curves: (id: string) =>
    queryOptions({
      queryKey: jobKeys.curves(id),
      queryFn: ({ signal }) =>
        call("get", "/api/training/jobs/{job_id}/metrics", {
          path: { job_id: id },
          query: { names: [...METRICS], points: MOST_POINTS },
          signal,
        }),
    }),
  diagnosis: (id: string) =>
    queryOptions({
      queryKey: jobKeys.diagnosis(id),
      queryFn: ({ signal }) => call("get", "/api/training/jobs/{job_id}/diagnosis", { path: { job_id: id }, signal }),
    }),
  epochs: (id: string) =>
    queryOptions({
      queryKey: jobKeys.epochs(id),
      queryFn: ({ signal }) => call("get", "/api/training/jobs/{job_id}/epochs", { path: { job_id: id }, signal }),
    }),
  samples: (id: string) =>
    queryOptions({
      queryKey: jobKeys.samples(id),
      queryFn: ({ signal }) => call("get", "/api/training/jobs/{job_id}/samples", { path: { job_id: id }, signal }),
    }),
  log: (id: string) =>
    queryOptions({
      queryKey: jobKeys.log(id),
      queryFn: ({ signal }) =>
        call("get", "/api/training/jobs/{job_id}/logs", { path: { job_id: id }, query: { tail: 500 }, signal }),
      staleTime: 0,
    }),
  files: (id: string) =>
    queryOptions({
      queryKey: jobKeys.files(id),
      queryFn: ({ signal }) => call("get", "/api/training/jobs/{job_id}/files", { path: { job_id: id }, signal }),
    }),
  recipe: (id: string) =>
    queryOptions({
      queryKey: jobKeys.recipe(id),
      queryFn: ({ signal }) => readText(`/api/training/jobs/${encodeURIComponent(id)}/recipe`, { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
}

/** Returns where a file of a job is downloaded from. */
export function addressOfFile(id: string, name: string): string {
  return `/api/training/jobs/${encodeURIComponent(id)}/files/${name.split("/").map(encodeURIComponent).join("/")}`
}

/** Returns a job with all that its page shows. */
export function getJob(id: string): Promise<Job> {
  return call("get", "/api/training/jobs/{job_id}", { path: { job_id: id } })
}

/** What can be done to a job without saying more. */
export type JobAction = "pause" | "resume" | "cancel" | "retry" | "delete" | "undo-delete"

/** Changes a job and returns it as it is then. */
export function changeJob(id: string, action: JobAction): Promise<JobSummary> {
  return call("post", `/api/jobs/{job_id}/${action}`, { path: { job_id: id } })
}

/** Gives a job another name. */
export function renameJob(id: string, name: string): Promise<JobSummary> {
  return call("post", "/api/jobs/{job_id}/rename", { path: { job_id: id }, body: { name } })
}

/** Moves a waiting job in front of another one, or behind all (null). */
export function reorderJob(id: string, before: string | null): Promise<JobSummary> {
  return call("post", "/api/jobs/{job_id}/reorder", { path: { job_id: id }, body: { before } })
}

/** Puts a training job into the queue. */
export function startTraining(wish: TrainingRequest): Promise<Job> {
  return call("post", "/api/training/jobs", { body: wish })
}

/** Puts several training jobs into the queue, all or none. */
export function startTrainings(wishes: readonly TrainingRequest[]): Promise<JobBatch> {
  return call("post", "/api/training/jobs/batch", { body: { jobs: [...wishes] } })
}

/** Queues the same work once more with some settings changed. */
export function cloneJob(id: string, settings: Record<string, unknown>): Promise<Job> {
  return call("post", "/api/jobs/{job_id}/clone", { path: { job_id: id }, body: { settings } })
}
