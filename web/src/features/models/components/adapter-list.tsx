import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { getJob, type JobSummary, jobQueries } from "@/api/jobs"
import { JobLink } from "@/components/job/job-link"
import { LearnedCount } from "@/components/job/learned"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { type Column, Table } from "@/components/ui/table"
import { formatAgo, formatLoss } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"
import { hasWords } from "../search"
import { DeleteWork } from "./delete-work"

const isAdapter = ({ kind, status }: JobSummary) => kind === "train" && status === "succeeded"

/** What finished training jobs have learned, the newest first. */
export function AdapterList({ search }: { search: string }) {
  const t = useText()
  const jobs = useQuery(jobQueries.list())
  return (
    <Sheet>
      <QueryView
        query={jobs}
        lines={6}
        isEmpty={({ items }) => !items.some(isAdapter)}
        empty={
          <Empty words={t("web.models.no_adapters")}>
            <Link to="/jobs/new" className={buttonClass("main")}>
              {t("web.models.new_job")}
            </Link>
          </Empty>
        }
      >
        {({ items }) => {
          const found = items.filter(isAdapter).filter(({ name, base_model }) => hasWords([name, base_model], search))
          return found.length === 0 ? <Empty words={t("web.models.none_found")} /> : <AdapterTable jobs={found} />
        }}
      </QueryView>
    </Sheet>
  )
}

function AdapterTable({ jobs }: { jobs: readonly JobSummary[] }) {
  const t = useText()
  const language = useLanguage()
  const columns: Column<JobSummary>[] = [
    {
      name: t("web.models.adapter"),
      cell: (job) => <JobLink job={job} />,
    },
    { name: t("web.models.made_of"), cell: ({ base_model }) => base_model ?? "–", isWide: true },
    { name: t("web.outcome.remembered"), cell: (job) => <LearnedCount job={job} />, isNumber: true },
    {
      name: t("web.metric.eval_loss"),
      cell: ({ progress }) => formatLoss(progress.eval_loss),
      isNumber: true,
      isWide: true,
    },
    {
      name: t("web.models.made"),
      cell: ({ ended_at, created_at }) => formatAgo(ended_at ?? created_at, language),
      isNumber: true,
      isWide: true,
    },
    {
      name: t("web.models.deeds"),
      cell: ({ id, name }) => (
        <span className="-mr-2 flex justify-end">
          <Link
            to="/chat"
            search={{ models: `job:${id}@base,job:${id}` }}
            className={buttonClass("quiet")}
            aria-label={t("web.models.chat_with", { name })}
          >
            {t("web.page.chat")}
          </Link>
          <DeleteWork id={id} name={name} sizeOf={async () => (await getJob(id)).result_bytes} />
        </span>
      ),
      isNumber: true,
    },
  ]
  return <Table caption={t("web.models.tab.adapters")} columns={columns} rows={jobs} keyOf={({ id }) => id} isStacked />
}
