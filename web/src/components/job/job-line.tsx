import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import type { ReactNode } from "react"
import { isActive, type Progress as JobProgress, type JobSummary, jobQueries } from "@/api/jobs"
import { JobLink } from "@/components/job/job-link"
import { Dotted } from "@/components/ui/dotted"
import { Progress } from "@/components/ui/progress"
import { StatusChip } from "@/components/ui/status-chip"
import { formatAgo, formatClock, formatLeft, formatLoss } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** A job that has not ended, in two lines of a list: name and status; below how far it is, or why it waits. */
export function JobLine({ job, actions }: { job: JobSummary; actions?: ReactNode }) {
  const t = useText()
  return (
    <li className="flex items-center gap-3 border-b py-3 first:pt-1 last:border-0 last:pb-0">
      <div className="grid min-w-0 flex-1 gap-1.5">
        <div className="flex items-start justify-between gap-3">
          <JobLink job={job} className="min-w-0" />
          <span className="flex-none">
            <StatusChip job={job} />
          </span>
        </div>
        {isActive(job) ? <ActiveJob job={job} /> : <RestingJob job={job} />}
      </div>
      <Link
        to="/jobs/$jobId"
        params={{ jobId: job.id }}
        className="flex-none text-s text-accent underline underline-offset-3 max-md:hidden" // on phones the name leads there
      >
        {t("web.details")}
        <span className="sr-only">{job.name}</span>
      </Link>
      {actions}
    </li>
  )
}

function ActiveJob({ job }: { job: JobSummary }) {
  const t = useText()
  const { data } = useQuery({ ...jobQueries.progress(job.id), initialData: job.progress })
  return (
    <>
      <Progress label={t("web.job.progress_of", { name: job.name })} percent={data.percent} isSlim />
      <p className="min-h-5 text-s text-ink-2">
        <ProgressWords progress={data} />
      </p>
    </>
  )
}

const SAVING = "saving"

/**
 * How far a job is, in words: step, epoch, time left and loss, or what its worker does before the first step and after the last.
 *
 * With `hasEnd` also when it will be done, and without the loss: where there is room for each in a place of its own.
 */
export function ProgressWords({ progress, hasEnd = false }: { progress: JobProgress; hasEnd?: boolean }) {
  const t = useText()
  const language = useLanguage()
  const { step, total_steps: total, epoch, num_epochs: epochs, eta_seconds: eta, loss, message } = progress
  if (step === null || total === null || progress.phase === SAVING) return message ?? t("web.job.starting")
  const words = [
    t("web.job.step", { step, total }),
    epoch === null || epochs === null
      ? null
      : t("web.job.epoch", { epoch: Math.min(epochs, Math.floor(epoch) + 1), epochs }),
    eta === null ? null : t("web.job.left", { time: formatLeft(eta, language) }),
    eta === null || !hasEnd ? null : t("web.job.done_at", { time: formatClock(eta, language) }),
    loss === null || hasEnd ? null : t("web.job.loss", { loss: formatLoss(loss) }),
  ]
  return <Dotted words={words} />
}

function RestingJob({ job }: { job: JobSummary }) {
  const language = useLanguage()
  const when = formatAgo(job.started_at ?? job.created_at, language)
  return (
    <p className="text-s text-ink-2">
      <Dotted words={[job.base_model, job.progress.message ?? when]} />
    </p>
  )
}
