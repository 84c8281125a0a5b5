import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { datasetQueries } from "@/api/datasets"
import { type Curves, changeJob, type JobSummary, jobKeys, jobQueries } from "@/api/jobs"
import { toastError } from "@/components/states/toast-error"
import { Button } from "@/components/ui/button"
import { Sparkline } from "@/components/ui/sparkline"
import { StatusChip } from "@/components/ui/status-chip"
import { type Column, Table } from "@/components/ui/table"
import { formatAgo, formatDuration, formatMetric } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { bestLoss, courseOf } from "../course"

interface HistoryProps {
  jobs: readonly JobSummary[]
  selected: readonly string[]
  onSelect: (id: string) => void
}

/** Ended jobs in a table, each with the course of its loss, its best one, and the way on where it was cut off. */
export function HistoryTable({ jobs, selected, onSelect }: HistoryProps) {
  const t = useText()
  const courses = useQuery(jobQueries.courses(jobs.map(({ id }) => id))).data
  const columns: Column<JobSummary>[] = [
    {
      name: t("web.jobs.name"),
      cell: (job) => <Name job={job} isSelected={selected.includes(job.id)} onSelect={() => onSelect(job.id)} />,
    },
    { name: t("web.jobs.status"), cell: (job) => <Status job={job} /> },
    { name: t("web.jobs.dataset"), cell: (job) => <Origin job={job} />, isWide: true },
    { name: t("web.jobs.course"), cell: (job) => <Course curves={courses?.get(job.id)} />, isWide: true },
    { name: t("web.jobs.best"), cell: (job) => formatMetric(bestLoss(courses?.get(job.id))), isNumber: true },
    { name: t("web.jobs.time"), cell: (job) => <Times job={job} />, isWide: true, isNumber: true },
  ]
  return <Table caption={t("web.jobs.history")} columns={columns} rows={jobs} keyOf={({ id }) => id} />
}

function Name({ job, isSelected, onSelect }: { job: JobSummary; isSelected: boolean; onSelect: () => void }) {
  const t = useText()
  return (
    <span className="flex items-start gap-2">
      <input
        type="checkbox"
        checked={isSelected}
        onChange={onSelect}
        aria-label={t("web.jobs.select", { name: job.name })}
        className="mt-1 size-4 flex-none accent-accent"
      />
      <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="font-semibold hover:text-accent hover:underline">
        {job.name}
      </Link>
    </span>
  )
}

function Status({ job }: { job: JobSummary }) {
  return (
    <div className="grid justify-items-start gap-1">
      <StatusChip job={job} />
      {job.status === "succeeded" ? null : <GoOn job={job} />}
    </div>
  )
}

function GoOn({ job }: { job: JobSummary }) {
  const t = useText()
  const client = useQueryClient()
  const retry = useMutation({
    mutationFn: () => changeJob(job.id, "retry"),
    onSettled: () => client.invalidateQueries({ queryKey: jobKeys.all }),
    onError: (error) => toastError(error, t),
  })
  return (
    <Button
      look="quiet"
      className="-ml-2 px-2 text-accent"
      isBusy={retry.isPending}
      aria-label={t("web.jobs.resume_named", { name: job.name })}
      onClick={() => retry.mutate()}
    >
      {t("web.jobs.go_on")}
    </Button>
  )
}

function Origin({ job }: { job: JobSummary }) {
  const { data } = useQuery(datasetQueries.list())
  const name = data?.items.find(({ id }) => id === job.dataset_id)?.name
  return (
    <>
      {name ?? "–"}
      <span className="block text-s text-ink-2">{job.base_model}</span>
    </>
  )
}

function Course({ curves }: { curves: Curves["curves"] | undefined }) {
  const t = useText()
  const values = courseOf(curves)
  const [first, last] = [formatMetric(values[0]), formatMetric(values.at(-1))]
  return <Sparkline values={values} words={t("web.jobs.course_words", { first, last })} />
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
