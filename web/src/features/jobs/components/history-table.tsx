import { useQuery } from "@tanstack/react-query"
import { datasetQueries } from "@/api/datasets"
import { type JobSummary, jobQueries } from "@/api/jobs"
import { bestLoss } from "@/components/job/course"
import { GoOn, Problems } from "@/components/job/go-on"
import { JobLink } from "@/components/job/job-link"
import { LearnedCount, LightChip, lightOf } from "@/components/job/learned"
import { LossCourse } from "@/components/job/loss-course"
import { LongName } from "@/components/ui/long-name"
import { StatusChip } from "@/components/ui/status-chip"
import { type Column, Table } from "@/components/ui/table"
import { formatAgo, formatDuration, formatLoss } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

interface HistoryProps {
  jobs: readonly JobSummary[]
  selected: readonly string[]
  onSelect: (id: string) => void
}

/** Ended jobs in a table, each with the course of its loss, its best one, and the way on where it was cut off. */
export function HistoryTable({ jobs, selected, onSelect }: HistoryProps) {
  const t = useText()
  const { data: courses, isLoading } = useQuery(jobQueries.courses(jobs.map(({ id }) => id)))
  const columns: Column<JobSummary>[] = [
    {
      name: t("web.jobs.name"),
      cell: (job) => <Name job={job} isSelected={selected.includes(job.id)} onSelect={() => onSelect(job.id)} />,
    },
    { name: t("web.jobs.status"), cell: (job) => <StatusChip job={job} /> },
    { name: t("web.jobs.dataset"), cell: (job) => <Origin job={job} />, isWide: true },
    { name: t("web.jobs.course"), cell: (job) => <LossCourse curves={courses?.get(job.id)} />, isWide: true },
    {
      name: t("web.jobs.best"),
      cell: (job) => formatLoss(bestLoss(courses?.get(job.id))),
      isNumber: true,
      isWide: true,
    },
    { name: t("web.outcome.remembered"), cell: (job) => <Result job={job} />, isNumber: true },
    { name: t("web.jobs.time"), cell: (job) => <Times job={job} />, isWide: true, isNumber: true },
  ]
  return (
    <div aria-busy={isLoading}>
      <Table caption={t("web.jobs.history")} columns={columns} rows={jobs} keyOf={({ id }) => id} isStacked />
    </div>
  )
}

function Name({ job, isSelected, onSelect }: { job: JobSummary; isSelected: boolean; onSelect: () => void }) {
  const t = useText()
  return (
    <div className="flex items-start gap-2">
      <input
        type="checkbox"
        checked={isSelected}
        onChange={onSelect}
        aria-label={t("web.jobs.select", { name: job.name })}
        className="mt-1 size-4 flex-none accent-accent"
      />
      <div className="grid min-w-0 max-w-64 gap-0.5">
        <JobLink job={job} />
        <Problems job={job} />
      </div>
    </div>
  )
}

/** What an evaluation of the job counted: facts it answers, and whether anything else was lost; before that, the way there. */
function Result({ job }: { job: JobSummary }) {
  const light = lightOf(job.learned?.light)
  if (job.status !== "succeeded") return <GoOn job={job} />
  return (
    <div className="flex flex-wrap items-center justify-end gap-x-2 gap-y-1">
      {light ? <LightChip light={light} /> : null}
      <LearnedCount job={job} />
    </div>
  )
}

function Origin({ job }: { job: JobSummary }) {
  const { data } = useQuery(datasetQueries.list())
  const name = data?.items.find(({ id }) => id === job.dataset_id)?.name
  return (
    <>
      <LongName>{name ?? "–"}</LongName>
      <span className="block text-s text-ink-2">
        <LongName>{job.base_model ?? "–"}</LongName>
      </span>
    </>
  )
}

function Times({ job }: { job: JobSummary }) {
  const t = useText()
  const language = useLanguage()
  const began = job.started_at ?? job.created_at
  const took = job.started_at && job.ended_at ? (Date.parse(job.ended_at) - Date.parse(job.started_at)) / 1000 : null
  return (
    <>
      <span className="block whitespace-nowrap">{formatAgo(began, language)}</span>
      {took === null ? null : (
        <span className="block whitespace-nowrap text-s text-ink-2">
          {t("web.jobs.took", { time: formatDuration(took, language) })}
        </span>
      )}
    </>
  )
}
