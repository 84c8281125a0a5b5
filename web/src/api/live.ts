import type { QueryClient } from "@tanstack/react-query"
import { comparisonKeys } from "./comparisons"
import { evaluationKeys } from "./evaluations"
import { exportKeys } from "./exports"

import {
  type Curves,
  type Job,
  type JobList,
  type JobSummary,
  jobKeys,
  METRICS,
  MOST_POINTS,
  type Progress,
} from "./jobs"
import { modelKeys } from "./models"
import { ollamaKeys } from "./ollama"
import type { ServerEvent } from "./sse"
import { tutorialKeys } from "./tutorials"

type Metrics = Partial<Record<string, number | null>>

/** Returns how far a job is after one more event; what the event does not say stays. */
export function progressAfter(progress: Progress, { type, data }: ServerEvent): Progress {
  if (type === "status") return { ...progress, status: String(data.status) }
  if (type !== "step" && type !== "evaluation") return progress
  const metrics = (data.metrics ?? {}) as Metrics
  const step = Number(data.step)
  const total = typeof data.total_steps === "number" ? data.total_steps : progress.total_steps
  return {
    ...progress,
    step,
    total_steps: total,
    epoch: metrics.epoch ?? progress.epoch,
    percent: total ? Math.round((1000 * step) / total) / 10 : progress.percent,
    loss: metrics.loss ?? progress.loss,
    eval_loss: metrics.eval_loss ?? progress.eval_loss,
    learning_rate: metrics.learning_rate ?? progress.learning_rate,
    tokens_per_second: metrics.tokens_per_second ?? progress.tokens_per_second,
    eta_seconds: metrics.eta_seconds ?? progress.eta_seconds,
  }
}

/** Returns the curves of a job with the point of one more event; those that are drawn coarsely stay as they are. */
export function curvesAfter(known: Curves, { type, data }: ServerEvent): Curves {
  if (type !== "step" && type !== "evaluation") return known
  const metrics = (data.metrics ?? {}) as Metrics
  const step = Number(data.step)
  const grown = METRICS.flatMap((name) => {
    const [curve, value] = [known.curves[name], metrics[name]]
    const isNext = curve?.is_exact && curve.mean.length < MOST_POINTS && step > (curve.last_step.at(-1) ?? 0)
    return isNext && typeof value === "number" ? [[name, withPoint(curve, step, value)] as const] : []
  })
  return grown.length === 0 ? known : { ...known, step, curves: { ...known.curves, ...Object.fromEntries(grown) } }
}

type Curve = Curves["curves"][string]

function withPoint(curve: Curve, step: number, value: number): Curve {
  return {
    is_exact: true,
    first_step: [...curve.first_step, step],
    last_step: [...curve.last_step, step],
    lowest: [...curve.lowest, value],
    highest: [...curve.highest, value],
    mean: [...curve.mean, value],
  }
}

/** Returns a job after one more event; only the queue's own events change it. */
export function jobAfter<T extends JobSummary>(job: T, event: ServerEvent): T {
  if (!isOfQueue(event)) return job
  const { status, reason, stop_request, run } = event.data as Pick<
    JobSummary,
    "status" | "reason" | "stop_request" | "run"
  >
  return { ...job, status, reason, stop_request, run }
}

/** Returns what has to be asked anew after an event, as keys of queries. */
export function staleAfter(event: ServerEvent): readonly (readonly string[])[] {
  const { type, data } = event
  const id = String(data.job_id)
  if (type === "resync") return [[]]
  if (isOfQueue(event)) {
    return [
      jobKeys.lists,
      ["jobs", "courses"],
      evaluationKeys.all,
      exportKeys.all,
      comparisonKeys.all,
      ollamaKeys.all,
      modelKeys.list,
      tutorialKeys.all,
      jobKeys.ones, // of an evaluation the job that it is about changes, too
      ...[jobKeys.progress, jobKeys.curves, jobKeys.epochs, jobKeys.diagnosis, jobKeys.files].map((key) => key(id)),
    ]
  }
  if (["evaluation", "finding", "warning"].includes(type)) return [jobKeys.diagnosis(id)]
  if (type === "phase") return [jobKeys.progress(id), exportKeys.one(id), evaluationKeys.list, ollamaKeys.work]
  return []
}

/** What events tell of, by the first word of its keys; of all else the page only hears by asking. */
const TOLD: readonly unknown[] = [jobKeys, evaluationKeys, exportKeys, comparisonKeys, ollamaKeys, tutorialKeys].map(
  ({ all: [name] }) => name,
)

/** Tells whether events keep what a query has found up to date. */
export function isTold(queryKey: readonly unknown[]): boolean {
  return TOLD.includes(queryKey[0])
}

/** Takes an event into what the page knows. */
export function receive(client: QueryClient, event: ServerEvent): void {
  const id = String(event.data.job_id)
  client.setQueryData<Progress>(jobKeys.progress(id), (known) => known && progressAfter(known, event))
  client.setQueryData<Curves>(jobKeys.curves(id), (known) => known && curvesAfter(known, event))
  if (isOfQueue(event)) {
    client.setQueryData<Job>(jobKeys.one(id), (known) => known && jobAfter(known, event))
    client.setQueryData<JobList>(
      jobKeys.lists,
      (known) => known && { ...known, items: known.items.map((job) => (job.id === id ? jobAfter(job, event) : job)) },
    )
  }
  for (const queryKey of staleAfter(event)) client.invalidateQueries({ queryKey })
}

function isOfQueue({ type }: ServerEvent): boolean {
  return type === "status" || type === "changed"
}
