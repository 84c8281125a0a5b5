import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { datasetQueries } from "@/api/datasets"
import { isActive, type JobSummary, jobQueries } from "@/api/jobs"
import { Progress } from "@/components/ui/progress"
import { StatusChip } from "@/components/ui/status-chip"
import { type Column, Table } from "@/components/ui/table"
import { formatAgo, formatDuration, formatMetric } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** Jobs in a table; those at work show how far they are. */
export function JobTable({ jobs }: { jobs: readonly JobSummary[] }) {
  const t = useText()
  const columns: Column<JobSummary>[] = [
    { name: t("web.jobs.name"), cell: (job) => <Name job={job} /> },
    { name: t("web.jobs.status"), cell: (job) => <Status job={job} /> },
    { name: t("web.jobs.base_model"), cell: (job) => job.base_model ?? "–", isWide: true },
    { name: t("web.jobs.dataset"), cell: (job) => <DatasetName id={job.dataset_id} />, isWide: true },
    {
      name: t("web.jobs.loss"),
      cell: (job) => formatMetric(job.progress.eval_loss ?? job.progress.loss),
      isWide: true,
      isNumber: true,
    },
    { name: t("web.jobs.time"), cell: (job) => <Times job={job} />, isWide: true, isNumber: true },
  ]
  return <Table caption={t("web.page.training")} columns={columns} rows={jobs} keyOf={({ id }) => id} />
}

function Name({ job }: { job: JobSummary }) {
  return (
    <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="font-semibold hover:text-accent hover:underline">
      {job.name}
    </Link>
  )
}

function Status({ job }: { job: JobSummary }) {
  return (
    <div className="grid max-w-48 justify-items-start gap-1.5">
      <StatusChip job={job} />
      {isActive(job) ? <ActiveBar job={job} /> : null}
    </div>
  )
}

function ActiveBar({ job }: { job: JobSummary }) {
  const t = useText()
  const { data } = useQuery({ ...jobQueries.progress(job.id), initialData: job.progress })
  return (
    <div className="w-full min-w-24">
      <Progress label={t("web.job.progress_of", { name: job.name })} percent={data?.percent ?? null} isSlim />
    </div>
  )
}

function DatasetName({ id }: { id: string | null }) {
  const { data } = useQuery(datasetQueries.list())
  return data?.items.find((dataset) => dataset.id === id)?.name ?? "–"
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
