import { useQuery } from "@tanstack/react-query"
import { isActive, isEnded, type Job, type Progress as JobProgress, jobQueries } from "@/api/jobs"
import { ProgressWords } from "@/components/job/job-line"
import { Progress } from "@/components/ui/progress"
import { Figures, Sheet } from "@/components/ui/sheet"
import { StatusChip } from "@/components/ui/status-chip"
import { formatAgo, formatBytes, formatDuration, formatLoss, formatMetric } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { NextSteps } from "./next-steps"

const MOST_MARKS = 20 // epochs; more of them would only be a pattern

/** Status, bar and the figures of a job; every figure has its place from the start. */
export function Summary({ job }: { job: Job }) {
  const t = useText()
  const { data = job.progress } = useQuery({ ...jobQueries.progress(job.id), initialData: job.progress })
  const epochs = Math.ceil(data.num_epochs ?? 1)
  const marks = Array.from({ length: epochs > MOST_MARKS ? 0 : epochs - 1 }, (_, index) => (index + 1) / epochs)
  return (
    <Sheet>
      <div className="mb-2.5 flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
        <StatusChip job={job} />
        <span className="text-s text-ink-2">
          {isActive(job) ? <ProgressWords progress={data} hasEnd /> : <RestWords job={job} />}
        </span>
      </div>
      <Progress label={t("web.job.progress_of", { name: job.name })} percent={data.percent ?? 0} marks={marks} />
      {job.status === "succeeded" ? (
        <div className="mt-4">
          <Outcome job={job} />
        </div>
      ) : isEnded(job) && data.step === null ? null : (
        <div className="mt-4">
          <FiguresOf job={job} progress={data} />
        </div>
      )}
    </Sheet>
  )
}

function RestWords({ job }: { job: Job }) {
  const t = useText()
  const language = useLanguage()
  if (job.status === "queued" && job.place !== null) return t("web.job.place", { place: job.place })
  if (job.status === "succeeded" && job.ended_at) return formatAgo(job.ended_at, language)
  if (job.started_at && job.ended_at) {
    const seconds = (Date.parse(job.ended_at) - Date.parse(job.started_at)) / 1000
    return t("web.jobs.took", { time: formatDuration(seconds, language) })
  }
  return job.message
}

function FiguresOf({ job, progress }: { job: Job; progress: JobProgress }) {
  const t = useText()
  const language = useLanguage()
  const memory = useQuery(jobQueries.curves(job.id)).data?.curves.memory_bytes?.mean.at(-1)
  const best = job.best ? t("web.job.best_at", { step: job.best.step }) : undefined
  return (
    <Figures
      items={[
        { name: t("web.metric.loss"), value: formatLoss(progress.loss) },
        { name: t("web.metric.eval_loss"), value: formatLoss(job.best?.eval_loss ?? progress.eval_loss), unit: best },
        {
          name: t("web.metric.tokens_per_second"),
          value: formatMetric(progress.tokens_per_second),
          unit: progress.tokens_per_second === null ? undefined : t("web.metric.per_second"),
        },
        { name: t("web.metric.memory"), value: memory === undefined ? "–" : formatBytes(memory, language) },
        { name: t("web.metric.learning_rate"), value: formatMetric(progress.learning_rate) },
      ]}
    />
  )
}

/** What became of a job that has succeeded, and what to do with it next. */
function Outcome({ job }: { job: Job }) {
  const t = useText()
  const language = useLanguage()
  const { result, facts } = job
  const seconds = job.started_at && job.ended_at ? (Date.parse(job.ended_at) - Date.parse(job.started_at)) / 1000 : null
  const measured = job.best?.eval_loss ?? numberIn(result, "eval_loss")
  const remembered = facts ? `${numberIn(facts, "remembered")} / ${numberIn(facts, "total")}` : "–"
  return (
    <>
      <Figures
        items={[
          { name: t("web.outcome.time"), value: seconds === null ? "–" : formatDuration(seconds, language) },
          { name: t("web.outcome.loss"), value: formatLoss(numberIn(result, "final_loss")) },
          ...(measured === null ? [] : [{ name: t("web.metric.eval_loss"), value: formatLoss(measured) }]),
          { name: t("web.outcome.size"), value: job.result_bytes ? formatBytes(job.result_bytes, language) : "–" },
          {
            name: t("web.outcome.remembered"),
            value: remembered,
            unit: facts
              ? t("web.evaluation.before_count", { count: numberIn(facts, "remembered_before") ?? 0 })
              : t("web.outcome.not_evaluated"),
          },
        ]}
      />
      {job.kind === "train" ? <NextSteps job={job} /> : null}
    </>
  )
}

function numberIn(found: Readonly<Record<string, unknown>> | null, name: string): number | null {
  const value = found?.[name]
  return typeof value === "number" ? value : null
}
