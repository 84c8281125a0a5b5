import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { type Dataset, datasetQueries } from "@/api/datasets"
import { JobLink } from "@/components/job/job-link"
import { Empty } from "@/components/states/empty"
import { QueryView } from "@/components/states/query-view"
import { buttonClass } from "@/components/ui/button"
import { Sheet } from "@/components/ui/sheet"
import { StatusChip } from "@/components/ui/status-chip"
import { Table } from "@/components/ui/table"
import { formatAgo } from "@/lib/format"
import { useLanguage, useText } from "@/lib/text"

/** The jobs that read a dataset, ended ones too. */
export function UsersTab({ dataset }: { dataset: Dataset }) {
  const t = useText()
  const language = useLanguage()
  const users = useQuery(datasetQueries.jobs(dataset.id))
  const start = (
    <Link to="/jobs/new" search={{ dataset: dataset.id }} className={buttonClass("main")}>
      {t("web.dataset.train")}
    </Link>
  )
  return (
    <Sheet>
      <QueryView
        query={users}
        isEmpty={({ items }) => items.length === 0}
        empty={<Empty words={t("web.dataset.no_users")}>{dataset.ok ? start : null}</Empty>}
      >
        {({ items }) => (
          <Table
            caption={t("web.dataset.users")}
            columns={[
              {
                name: t("web.jobs.name"),
                cell: (job) => <JobLink job={job} />,
              },
              { name: t("web.jobs.status"), cell: (job) => <StatusChip job={job} /> },
              { name: t("web.datasets.created"), cell: (job) => formatAgo(job.created_at, language), isNumber: true },
            ]}
            rows={items}
            keyOf={({ id }) => id}
            isStacked
          />
        )}
      </QueryView>
    </Sheet>
  )
}
