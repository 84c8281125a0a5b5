import { useQuery } from "@tanstack/react-query"
import { isActive, type Progress as JobProgress, type JobSummary, jobQueries } from "@/api/jobs"
import { JobLink } from "@/components/job/job-link"
import { Progress } from "@/components/ui/progress"
import { StatusChip } from "@/components/ui/status-chip"
import { formatAgo, formatDuration, formatLoss } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** A job that has not ended, in two lines: name and status; below how far it is, or why it waits. */
export function JobLine({ job }: { job: JobSummary }) {
  return (
    <div className="grid gap-1.5 border-b py-3 first:pt-1 last:border-0 last:pb-0">
      <div className="flex items-center justify-between gap-3">
        <JobLink job={job} className="min-w-0 truncate" />
        <StatusChip job={job} />
      </div>
      {isActive(job) ? <ActiveJob job={job} /> : <RestingJob job={job} />}
    </div>
  )
}

function ActiveJob({ job }: { job: JobSummary }) {
  const t = useText()
  const { data } = useQuery({ ...jobQueries.progress(job.id), initialData: job.progress })
  return (
    <>
      <Progress label={t("web.job.progress_of", { name: job.name })} percent={data?.percent ?? null} isSlim />
      <p className="min-h-5 text-s text-ink-2">{data ? <ProgressWords progress={data} /> : null}</p>
    </>
  )
}

/** How far a job is, in words: step, epoch, time left and loss, or what its worker does before the first step. */
export function ProgressWords({ progress }: { progress: JobProgress }) {
  const t = useText()
  const language = useLanguage()
  const { step, total_steps: total, epoch, num_epochs: epochs, eta_seconds: eta, loss, message } = progress
  if (step === null || total === null) return message ?? t("web.job.starting")
  const words = [
    t("web.job.step", { step, total }),
    epoch === null || epochs === null
      ? null
      : t("web.job.epoch", { epoch: Math.min(epochs, Math.floor(epoch) + 1), epochs }),
    eta === null ? null : t("web.job.left", { time: formatDuration(eta, language) }),
    loss === null ? null : t("web.job.loss", { loss: formatLoss(loss) }),
  ]
  return words.filter((word) => word !== null).join(t("web.dot"))
}

function RestingJob({ job }: { job: JobSummary }) {
  const t = useText()
  const language = useLanguage()
  const when = formatAgo(job.started_at ?? job.created_at, language)
  const words = [job.base_model, job.progress.message ?? when].filter((word) => word !== null)
  return <p className="text-s text-ink-2">{words.join(t("web.dot"))}</p>
}
